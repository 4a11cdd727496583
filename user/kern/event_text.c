// SPDX-License-Identifier: GPL-2.0-only
/* A denial, or a closing, as a line for people, and as JSON. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "amount.h"
#include "events.h"
#include "names.h"
#include "publish.h"
#include "sockopt.h"

/* The boot clock's reading as a date. */
static const char *format_time(__u64 ns, char buf[40])
{
	struct timespec boot, real;
	__s64 then;
	time_t seconds;
	struct tm tm;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &real);
	then = (real.tv_sec - boot.tv_sec) * 1000000000LL + real.tv_nsec - boot.tv_nsec + (__s64)ns;
	seconds = then / 1000000000;
	gmtime_r(&seconds, &tm);
	strftime(buf, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	sprintf(buf + strlen(buf), ".%03dZ", (int)(then % 1000000000 / 1000000));
	return buf;
}

/* A pass finds sockets that were never connected, too. */
static bool has_peer(const struct sw_denial *denial)
{
	static const struct sw_addr none;

	return denial->hook != SW_HOOK_PASS || denial->flow.port ||
	       memcmp(&denial->flow.peer, &none, sizeof(none)) != 0;
}

/* What was refused, by its kind: a peer, a kind of socket or an option. */
static void print_subject(const struct sw_denial *denial, FILE *out)
{
	char peer[SW_FLOW_TEXT], text[SOCKOPT_TEXT];

	if (denial->reason == SW_REASON_OPTION)
		fprintf(out, "option %s", sockopt_format(denial->type, denial->protocol, text));
	else if (denial->hook == SW_HOOK_SOCK_CREATE)
		fprintf(out, "family %d type %d protocol %d", denial->family, denial->type, denial->protocol);
	else if (denial->hook == SW_HOOK_SOCKOPS)
		fprintf(out, "tcp port %u", denial->flow.port);
	else if (!has_peer(denial))
		fprintf(out, "%s, no peer", denial->protocol == IPPROTO_UDP ? "udp" : "tcp");
	else if (denial->flow.proto == SW_PROTOS)
		fprintf(out, "protocol %d %s", denial->protocol, addr_format(&denial->flow.peer, peer));
	else
		fputs(flow_format(&denial->flow, peer), out);
}

/* The rule's text, or nothing: its image may be gone. */
static const char *rule_text(const struct host *host, const struct sw_event *event, struct sw_text *text)
{
	if (event->denial.rule < SW_RULES_MAX && host->settings[event->image].serial == event->serial &&
	    !published_text(host, event->image, event->denial.rule, text))
		return text->text;
	return "";
}

static void print_denial(const struct host *host, const struct sw_event *event, FILE *out)
{
	const struct sw_denial *denial = &event->denial;
	struct sw_text text;

	fprintf(out, " %s: ", event->audit ? "would be denied" : "denied");
	if (denial->reason != SW_REASON_RULE)
		fputs(reason_name(denial->reason), out);
	else if (event->line)
		fprintf(out, "rule %u, %s:%u%s%s", denial->rule + 1, event->policy, event->line,
			*rule_text(host, event, &text) ? " " : "", rule_text(host, event, &text));
	else
		fprintf(out, "default of %s", event->policy);
}

static void print_closing(const struct sw_event *event, FILE *out)
{
	const struct sw_closing *closing = &event->closing;
	char idle[DURATION_TEXT], sent[BYTES_TEXT], received[BYTES_TEXT];

	fprintf(out, " %s: %s", event->audit ? "would be closed" : "closed", cause_name(closing->cause));
	if (closing->cause == SW_CAUSE_IDLE)
		fprintf(out, " for %s", duration_format(closing->idle, idle));
	fprintf(out, ", sent %s, received %s", bytes_format(closing->bytes[SW_TX], sent),
		bytes_format(closing->bytes[SW_RX], received));
}

void event_print(const struct host *host, const struct sw_event *event, FILE *out)
{
	const struct sw_denial *denial = &event->denial;
	char time[40], comm[17];

	fprintf(out, "%s %s ", format_time(event->ns, time), *event->tenant ? event->tenant : "-");
	if (denial->pid)
		fprintf(out, "%s[%u] ", comm_format(denial->comm, comm), denial->pid);
	fprintf(out, "%s ", hook_name(denial->hook));
	print_subject(denial, out);
	if (event->closing.cause)
		print_closing(event, out);
	else
		print_denial(host, event, out);
	if (event->dropped)
		fprintf(out, " (%" PRIu64 " before it not logged)", (uint64_t)event->dropped);
	fputc('\n', out);
}

static void json_subject(const struct sw_denial *denial, struct json *json)
{
	char peer[SW_ADDR_TEXT], name[SOCKOPT_TEXT];

	if (denial->reason == SW_REASON_OPTION) {
		json_string(json, "option", sockopt_format(denial->type, denial->protocol, name));
		return;
	}
	json_number(json, "protocol", denial->protocol);
	json_string(json, "peer", has_peer(denial) ? addr_format(&denial->flow.peer, peer) : NULL);
	json_number(json, "port", denial->flow.port);
}

static void json_denial(const struct host *host, const struct sw_event *event, struct json *json)
{
	struct sw_text text;

	json_string(json, "reason", reason_name(event->denial.reason));
	if (event->line) {
		json_number(json, "rule", event->denial.rule + 1);
		json_number(json, "line", event->line);
		json_string(json, "text", rule_text(host, event, &text));
	}
}

static void json_closing(const struct sw_closing *closing, struct json *json)
{
	json_string(json, "closed", cause_name(closing->cause));
	json_number(json, "idle_ms", closing->idle);
	json_number(json, "sent_bytes", closing->bytes[SW_TX]);
	json_number(json, "received_bytes", closing->bytes[SW_RX]);
}

void event_json(const struct host *host, const struct sw_event *event, struct json *json)
{
	const struct sw_denial *denial = &event->denial;
	char time[40], comm[17];

	snprintf(comm, sizeof(comm), "%.16s", denial->comm);
	json_open(json, NULL, '{');
	json_string(json, "time", format_time(event->ns, time));
	json_string(json, "tenant", event->tenant);
	json_string(json, "policy", event->policy);
	json_number(json, "pid", denial->pid);
	json_string(json, "comm", comm);
	json_string(json, "hook", hook_name(denial->hook));
	json_number(json, "family", denial->family);
	json_subject(denial, json);
	if (event->closing.cause)
		json_closing(&event->closing, json);
	else
		json_denial(host, event, json);
	json_bool(json, "audit", event->audit);
	json_number(json, "dropped", event->dropped);
	json_close(json, '}');
	json_end(json);
}
