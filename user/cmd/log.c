// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cli.h"
#include "events.h"
#include "names.h"
#include "publish.h"
#include "sockopt.h"

struct logger {
	struct cli *cli;
	const struct host *host;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

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
static void print_subject(const struct sw_denial *denial)
{
	char peer[SW_ADDR_TEXT], text[SOCKOPT_TEXT];
	bool v4 = sw_addr_is_v4(&denial->flow.peer);

	if (denial->reason == SW_REASON_OPTION)
		printf("option %s", sockopt_format(denial->type, denial->protocol, text));
	else if (denial->hook == SW_HOOK_SOCK_CREATE)
		printf("family %d type %d protocol %d", denial->family, denial->type, denial->protocol);
	else if (denial->hook == SW_HOOK_SOCKOPS)
		printf("tcp port %u", denial->flow.port);
	else if (denial->flow.proto == SW_PROTOS)
		printf("protocol %d %s", denial->protocol, addr_format(&denial->flow.peer, peer));
	else
		printf("%s %s%s%s:%u", proto_name(denial->flow.proto), v4 ? "" : "[",
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
static const char *rule_text(const struct logger *log, const struct sw_event *event, struct sw_text *text)
{
	if (event->denial.rule < SW_RULES_MAX && log->host->settings[event->image].serial == event->serial &&
	    !published_text(log->host, event->image, event->denial.rule, text))
		return text->text;
	return "";
}

static void print_event(const struct logger *log, const struct sw_event *event)
{
	const struct sw_denial *denial = &event->denial;
	char time[40], comm[17];
	struct sw_text text;

	printf("%s %s ", format_time(event->ns, time), *event->tenant ? event->tenant : "-");
	if (denial->pid)
		printf("%s[%u] ", printable(denial->comm, comm), denial->pid);
	printf("%s ", hook_name(denial->hook));
	print_subject(denial);
	printf(" %s: ", event->audit ? "would be denied" : "denied");
	if (denial->reason != SW_REASON_RULE)
		fputs(reason_name(denial->reason), stdout);
	else if (event->line)
		printf("rule %u, %s:%u%s%s", denial->rule + 1, event->policy, event->line,
		       *rule_text(log, event, &text) ? " " : "", rule_text(log, event, &text));
	else
		printf("default of %s", event->policy);
	if (event->dropped)
		printf(" (%" PRIu64 " before it not logged)", (uint64_t)event->dropped);
	putchar('\n');
}

static void json_event(const struct logger *log, const struct sw_event *event, struct json *json)
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
		json_string(json, "text", rule_text(log, event, &text));
	}
	json_bool(json, "audit", event->audit);
	json_number(json, "dropped", event->dropped);
	json_close(json, '}');
	json_end(json);
}

static void each(const struct sw_event *event, void *data)
{
	struct logger *log = data;
	const char *wanted = log->cli->value[OPTION_TENANT];

	if (event->image >= SW_IMAGES_MAX || (wanted && strcmp(wanted, event->tenant)))
		return;
	if (cli_has(log->cli, OPTION_JSON))
		json_event(log, event, &log->cli->json);
	else
		print_event(log, event);
}

int cmd_log(struct cli *cli)
{
	struct logger log;
	struct events *events;
	struct fault fault;
	struct host host;
	int err = host_open(&host, HOST_READING, &fault);

	if (err)
		return fail("%s", fault.text);
	log = (struct logger){ .cli = cli, .host = &host };
	events = events_open(&host, each, &log, &fault);
	if (!events) {
		host_close(&host);
		return fail("%s", fault.text);
	}
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = stop }, NULL);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = stop }, NULL);
	do {
		err = events_read(events, cli_has(cli, OPTION_FOLLOW) ? -1 : 0);
		fflush(stdout);
	} while (cli_has(cli, OPTION_FOLLOW) && !stopped && !ferror(stdout) && (!err || err == -EINTR));
	events_close(events);
	host_close(&host);
	return err && err != -EINTR ? fail("cannot read the ring of denials: %s", strerror(-err)) : EXIT_OK;
}
