// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "cli.h"
#include "event.h"
#include "names.h"
#include "prefix.h"
#include "reap.h"
#include "target.h"

struct listing {
	struct cli *cli;
	const struct host *host;
	bool begun;
};

static const char *payload_format(__u64 bytes, char text[BYTES_TEXT])
{
	return bytes == SW_NOT_KNOWN ? "-" : bytes_format(bytes, text);
}

static void print_row(const struct listing *listing, const struct sw_found *found)
{
	char idle[DURATION_TEXT], sent[BYTES_TEXT], received[BYTES_TEXT], peer[SW_FLOW_TEXT], comm[SW_COMM_TEXT];

	printf("%-20s %-9s %10s %10s %10s  ", listing->host->records[found->slot].name,
	       cause_name(found->closing.cause), duration_format(found->closing.idle, idle),
	       payload_format(found->closing.bytes[SW_EGRESS], sent),
	       payload_format(found->closing.bytes[SW_INGRESS], received));
	if (found->peer.port)
		fputs(flow_format(&found->peer, peer), stdout);
	else
		printf("%s, no peer", proto_name(found->peer.proto));
	if (found->pid)
		printf(" %s[%u]", comm_format(found->comm, comm), found->pid);
	putchar('\n');
}

static void print_found(const struct sw_found *found, void *data)
{
	struct listing *listing = data;

	if (!listing->begun)
		printf("%-20s %-9s %10s %10s %10s  %s\n", "TENANT", "CAUSE", "IDLE", "SENT", "RECEIVED", "PEER");
	listing->begun = true;
	print_row(listing, found);
}

static void json_found(const struct sw_found *found, void *data)
{
	struct listing *listing = data;
	struct json *json = &listing->cli->json;
	char peer[SW_ADDR_TEXT], comm[SW_COMM_TEXT];

	json_open(json, NULL, '{');
	json_string(json, "tenant", listing->host->records[found->slot].name);
	json_string(json, "cause", cause_name(found->closing.cause));
	json_number(json, "idle_ms", found->closing.idle);
	json_payload(&found->closing, json);
	json_string(json, "protocol", proto_name(found->peer.proto));
	if (found->peer.port) {
		json_string(json, "peer", addr_format(&found->peer.peer, peer));
		json_number(json, "port", found->peer.port);
	}
	json_number(json, "cookie", found->cookie);
	json_number(json, "netns_cookie", found->netns);
	json_number(json, "pid", found->pid);
	json_string(json, "comm", comm_format(found->comm, comm));
	json_close(json, '}');
}

static void json_result(const struct reap_options *options, const struct reap_result *result, struct json *json)
{
	json_bool(json, "dry_run", options->dry);
	json_number(json, "seen", result->seen);
	json_number(json, "closed", options->dry ? 0 : result->found);
	json_number(json, "taken", result->taken);
	json_number(json, "stuck", result->stuck);
	json_number(json, "namespaces", result->spaces);
	json_number(json, "missed", result->missed);
	json_number(json, "lasted_ns", result->lasted);
	json_number(json, "cpu_ns", result->cpu);
	json_number(json, "longest_ns", result->longest);
}

/* On stderr: what is on stdout are sockets, or nothing. */
static void print_result(const struct reap_options *options, const struct reap_result *result)
{
	char lasted[DURATION_TEXT], held[DURATION_TEXT];

	warn("%" PRIu64 " of %" PRIu64 " sockets %s, in %s; the processor was held for %s at most",
	     (uint64_t)result->found, (uint64_t)result->seen, options->dry ? "would be closed" : "closed",
	     duration_format(result->lasted / 1000000, lasted), duration_format(result->longest / 1000000, held));
	if (result->missed)
		warn("a network namespace was passed over, so sockets there may stay though they are closed: %s",
		     result->why.text);
	if (result->stuck)
		warn("%" PRIu64 " of them are closed for their tenants, but could not be taken out of the kernel's "
		     "tables: their tenant holds them, their network namespace was not found, or they are gone already",
		     (uint64_t)result->stuck);
}

static int reap(struct cli *cli, struct host *host, const struct reap_options *options)
{
	struct listing listing = { .cli = cli, .host = host };
	bool json = cli_has(cli, OPTION_JSON);
	struct reap_result result;
	struct reaper reaper;
	struct fault fault;
	int err;

	reaper_open(&reaper, host, true);
	if (json) {
		json_open(&cli->json, NULL, '{');
		json_open(&cli->json, "sockets", '[');
	}
	err = reap_pass(&reaper, options, json ? json_found : print_found, &listing, &result, &fault);
	reaper_close(&reaper);
	if (json) {
		json_close(&cli->json, ']');
		json_result(options, &result, &cli->json);
		json_close(&cli->json, '}');
		json_end(&cli->json);
	}
	if (err)
		return fail("%s", fault.text);
	if (!json)
		print_result(options, &result);
	return EXIT_OK;
}

static int read_options(const struct cli *cli, const struct host *host, struct reap_options *options)
{
	struct fault fault;
	const char *idle = cli->value[OPTION_IDLE], *tenant = cli->value[OPTION_TENANT];
	__u32 seconds;

	*options = (struct reap_options){ .dry = cli_has(cli, OPTION_DRY_RUN), .idle = SW_NO_LIMIT };
	if (idle) {
		if (!timeout_parse(idle, &seconds) || !seconds)
			return usage("'%s' is not a time: write 90s, 10m or 2h", idle);
		options->idle = seconds;
	}
	if (tenant) {
		options->tenancy = target_find(host, tenant, &fault).number;
		if (!options->tenancy)
			return fail("%s", fault.text);
	}
	return EXIT_OK;
}

int cmd_reap(struct cli *cli)
{
	struct reap_options options;
	struct fault fault;
	struct host host;
	int status;

	if (host_open(&host, HOST_USING, &fault))
		return fail("%s", fault.text);
	status = read_options(cli, &host, &options);
	if (!status)
		status = reap(cli, &host, &options);
	host_close(&host);
	return status;
}
