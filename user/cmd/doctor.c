// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <sys/stat.h>

#include "cli.h"
#include "client.h"
#include "health.h"
#include "host.h"
#include "names.h"
#include "netns.h"
#include "reap.h"
#include "reports.h"
#include "take.h"
#include "watch.h"

#define NONE  0
#define W(id) (1U << SW_WATCH_##id)

/* What keeps a socket alive, and by what it is seen: always by `always`, or else by the first of `watches`. */
static const struct operation {
	const char *what, *always;
	__u32 watches;
} operations[] = {
	{ "connect", "connect4, connect6", NONE },
	{ "sendto, sendmsg to a peer", "sendmsg4, sendmsg6", NONE },
	{ "data sent over TCP, also when none leaves", "passes", W(SEND) | W(SEND_ENTRY) | W(SEND_LENGTH) },
	{ "send that fails", NULL, W(SEND) | W(SEND_ENTRY) | W(SEND_LENGTH) },
	{ "data received over TCP, or read", "passes", NONE },
	{ "datagram sent", "egress, passes", W(SEND) | W(SEND_ENTRY) | W(SEND_LENGTH) },
	{ "datagram received", "ingress", NONE },
	{ "datagram read, with the peer's address", "recvmsg4, recvmsg6", NONE },
	{ "datagram read, without it", "passes", W(RECEIVE) | W(RECEIVE_ENTRY) | W(RECEIVE_LENGTH) },
	{ "recv that finds nothing", NULL, W(RECEIVE) | W(RECEIVE_ENTRY) | W(RECEIVE_LENGTH) },
	{ "getsockopt, setsockopt", "getsockopt, setsockopt", NONE },
	{ "getsockname, getpeername", "getsockname4 to getpeername6", NONE },
	{ "bind", "bind4, bind6", NONE },
	{ "shutdown of a connection", "passes", W(SHUTDOWN) },
	{ "shutdown of any other socket", NULL, W(SHUTDOWN) },
	{ "poll, select, epoll on TCP", NULL, W(POLL_TCP) },
	{ "poll, select, epoll on UDP", NULL, W(POLL_UDP) },
	{ "ioctl over IPv4", NULL, W(IOCTL4) },
	{ "ioctl over IPv6", NULL, W(IOCTL6) },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* NULL: by nothing. */
static const char *seen_by(const struct operation *operation, __u32 watches)
{
	for (int watch = 0; watch < SW_WATCH_COUNT; watch++)
		if (operation->watches & watches & 1U << watch)
			return watch_name(watch);
	return operation->always;
}

struct findings {
	enum closing_by closing;
	bool all_sockets;   /* else those that a process holds, or that are in the tables of a namespace we find */
	bool handles;       /* of network namespaces */
	bool all_processes; /* else only those of our PID namespace */
	__u32 watches;
};

#define FIRST_PID_NAMESPACE 0xEFFFFFFC /* its inode; linux/proc_ns.h */

static bool in_first_pid_namespace(void)
{
	struct stat stat_of;

	return !stat("/proc/self/ns/pid", &stat_of) && stat_of.st_ino == FIRST_PID_NAMESPACE;
}

static int check(const struct host *host, struct health *health, struct fault *fault)
{
	struct snapshot snapshot = { 0 };
	struct fault silence;
	struct reports reports;
	bool answers = !snapshot_ask(SW_SOCKET, &snapshot, &silence);
	int err = reports_read(host, NULL, &reports, fault);
	struct health_sources from = {
		.reports = &reports,
		.daemon = answers ? &snapshot : NULL,
		.silence = silence.text,
		.host = host,
	};

	if (!err)
		health_read(&from, health);
	reports_free(&reports);
	snapshot_free(&snapshot);
	return err;
}

/* As it is while there are tenants; else what would be. */
static int examine(struct findings *findings, struct health *health, struct fault *fault)
{
	struct host host;
	int err = host_open(&host, HOST_EXAMINING, fault);

	if (err)
		return err;
	host_unlock(&host);
	err = check(&host, health, fault);
	findings->closing = take_by(&host);
	findings->all_sockets = reap_sees_all(&host);
	findings->handles = netns_has_handles();
	findings->all_processes = in_first_pid_namespace();
	findings->watches = watch_in_place();
	if (!findings->watches)
		findings->watches = watch_probe(host.map);
	host_close(&host);
	return err;
}

static const char *spaces_by(const struct findings *findings)
{
	return findings->handles ? "handles, processes and their descriptors" : "processes and their descriptors";
}

/* How a use by who has no right to the socket is met. */
static const char *strangers_are(__u32 watches, enum sw_watch refuses, __u32 see)
{
	if (watches & 1U << refuses)
		return "refused";
	return watches & see ? "stopped at the first" : "stopped by the next pass";
}

static void print_table(const struct findings *findings)
{
	printf("%-44s %s\n", "sockets are taken away by", closing_by_name(findings->closing));
	printf("%-44s %s\n", "sockets are looked for in",
	       findings->all_sockets ? "processes, tables, and all that passes have seen"
				     : "processes, and the tables of each namespace");
	printf("%-44s %s\n", "network namespaces are found by", spaces_by(findings));
	printf("%-44s %s\n", "sockets in wrong hands are looked for in",
	       findings->all_processes ? "all processes" : "the processes of this PID namespace only");
	printf("%-44s %s\n", "a reclaimed UDP socket refuses to be read",
	       findings->watches & W(RECEIVE) ? "for good" : "once; then nothing arrives any more");
	printf("%-44s %s\n", "sends on a socket that is another's are",
	       strangers_are(findings->watches, SW_WATCH_SEND, W(SEND_ENTRY) | W(SEND_LENGTH)));
	printf("%-44s %s\n", "receives on a socket that is another's are",
	       strangers_are(findings->watches, SW_WATCH_RECEIVE, W(RECEIVE_ENTRY) | W(RECEIVE_LENGTH)));
	printf("\n%-44s %s\n", "WHAT KEEPS A SOCKET ALIVE", "SEEN BY");
	for (size_t i = 0; i < OPERATIONS; i++) {
		const char *by = seen_by(&operations[i], findings->watches);

		printf("%-44s %s\n", operations[i].what, by ? by : "nothing on this kernel");
	}
}

static void print_json(const struct findings *findings, const struct health *health, struct json *json)
{
	json_open(json, NULL, '{');
	health_json(health, json);
	json_string(json, "closing", closing_by_name(findings->closing));
	json_string(json, "survey", findings->all_sockets ? "sockets" : "tables");
	json_bool(json, "namespace_handles", findings->handles);
	json_bool(json, "all_processes", findings->all_processes);
	json_bool(json, "reads_refused", findings->watches & W(RECEIVE));
	json_open(json, "watches", '[');
	for (int watch = 0; watch < SW_WATCH_COUNT; watch++)
		if (findings->watches & 1U << watch)
			json_string(json, NULL, watch_name(watch));
	json_close(json, ']');
	json_open(json, "operations", '[');
	for (size_t i = 0; i < OPERATIONS; i++) {
		json_open(json, NULL, '{');
		json_string(json, "operation", operations[i].what);
		json_string(json, "seen_by", seen_by(&operations[i], findings->watches));
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
	json_end(json);
}

int cmd_doctor(struct cli *cli)
{
	struct findings findings = { 0 };
	struct health health = { 0 };
	struct fault fault;
	int err = examine(&findings, &health, &fault);

	if (!err && cli_has(cli, OPTION_JSON))
		print_json(&findings, &health, &cli->json);
	else if (!err)
		health_print(&health, false, stdout);
	if (!err && cli_has(cli, OPTION_ALL) && !cli_has(cli, OPTION_JSON)) {
		putchar('\n');
		print_table(&findings);
	}
	health_free(&health);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
