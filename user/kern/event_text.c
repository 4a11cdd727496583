// SPDX-License-Identifier: GPL-2.0-only
/* A denial as a line for people, and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

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

/* What was refused, by its kind: a peer, a kind of socket or an option. */
static void print_subject(const struct sw_denial *denial, FILE *out)
{
	char peer[SW_ADDR_TEXT], text[SOCKOPT_TEXT];
	bool v4 = sw_addr_is_v4(&denial->flow.peer);

	if (denial->reason == SW_REASON_OPTION)
		fprintf(out, "option %s", sockopt_format(denial->type, denial->protocol, text));
	else if (denial->hook == SW_HOOK_SOCK_CREATE)
		fprintf(out, "family %d type %d protocol %d", denial->family, denial->type, denial->protocol);
	else if (denial->hook == SW_HOOK_SOCKOPS)
		fprintf(out, "tcp port %u", denial->flow.port);
	else if (denial->flow.proto == SW_PROTOS)
		fprintf(out, "protocol %d %s", denial->protocol, addr_format(&denial->flow.peer, peer));
	else
		fprintf(out, "%s %s%s%s:%u", proto_name(denial->flow.proto), v4 ? "" : "[",
			addr_format(&denial->flow.peer, peer), v4 ? "" : "]", denial->flow.port);
}

/* A process names itself: nothing of that may move the cursor or end the line. */
static const char *printable(const char *comm, char buf[17])
{
	snprintf(buf, 17, "%.16s", comm);
	for (char *c = buf; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '?';
	return buf;
}

/* The rule's text, or nothing: its image may be gone. */
static const char *rule_text(const struct host *host, const struct sw_event *event, struct sw_text *text)
{
	if (event->denial.rule < SW_RULES_MAX && host->settings[event->image].serial == event->serial &&
	    !published_text(host, event->image, event->denial.rule, text))
		return text->text;
	return "";
}

void event_print(const struct host *host, const struct sw_event *event, FILE *out)
{
	const struct sw_denial *denial = &event->denial;
	char time[40], comm[17];
	struct sw_text text;

	fprintf(out, "%s %s ", format_time(event->ns, time), *event->tenant ? event->tenant : "-");
	if (denial->pid)
		fprintf(out, "%s[%u] ", printable(denial->comm, comm), denial->pid);
	fprintf(out, "%s ", hook_name(denial->hook));
	print_subject(denial, out);
	fprintf(out, " %s: ", event->audit ? "would be denied" : "denied");
	if (denial->reason != SW_REASON_RULE)
		fputs(reason_name(denial->reason), out);
	else if (event->line)
		fprintf(out, "rule %u, %s:%u%s%s", denial->rule + 1, event->policy, event->line,
			*rule_text(host, event, &text) ? " " : "", rule_text(host, event, &text));
	else
		fprintf(out, "default of %s", event->policy);
	if (event->dropped)
		fprintf(out, " (%" PRIu64 " before it not logged)", (uint64_t)event->dropped);
	fputc('\n', out);
}

void event_json(const struct host *host, const struct sw_event *event, struct json *json)
{
	const struct sw_denial *denial = &event->denial;
	char time[40], peer[SW_ADDR_TEXT], name[SOCKOPT_TEXT], comm[17];
	struct sw_text text;

	snprintf(comm, sizeof(comm), "%.16s", denial->comm);
	json_open(json, NULL, '{');
	json_string(json, "time", format_time(event->ns, time));
	json_string(json, "tenant", event->tenant);
	json_string(json, "policy", event->policy);
	json_number(json, "pid", denial->pid);
	json_string(json, "comm", comm);
	json_string(json, "hook", hook_name(denial->hook));
	json_number(json, "family", denial->family);
	if (denial->reason == SW_REASON_OPTION) {
		json_string(json, "option", sockopt_format(denial->type, denial->protocol, name));
	} else {
		json_number(json, "protocol", denial->protocol);
		json_string(json, "peer", addr_format(&denial->flow.peer, peer));
		json_number(json, "port", denial->flow.port);
	}
	json_string(json, "reason", reason_name(denial->reason));
	if (event->line) {
		json_number(json, "rule", denial->rule + 1);
		json_number(json, "line", event->line);
		json_string(json, "text", rule_text(host, event, &text));
	}
	json_bool(json, "audit", event->audit);
	json_number(json, "dropped", event->dropped);
	json_close(json, '}');
	json_end(json);
}
