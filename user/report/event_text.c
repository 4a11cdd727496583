// SPDX-License-Identifier: GPL-2.0-only
/* A denial, or a closing, as a line for people, as JSON and as an entry of the journal. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "amount.h"
#include "calendar.h"
#include "domain.h"
#include "event.h"
#include "journal.h"
#include "names.h"
#include "plain.h"
#include "prefix.h"
#include "rule_text.h"
#include "sockopt.h"

/* Of these the type is the level, and the protocol the option, whatever was the reason. */
static bool is_option(const struct sw_denial *denial)
{
	return denial->hook == SW_HOOK_GETSOCKOPT || denial->hook == SW_HOOK_SETSOCKOPT;
}

/* A pass finds sockets that were never connected, too, and so does a watch. */
static bool has_peer(const struct sw_denial *denial)
{
	static const struct sw_addr none;

	return denial->hook < SW_HOOK_PASS || denial->flow.port || memcmp(&denial->flow.peer, &none, sizeof(none)) != 0;
}

static bool is_unix(const struct sw_denial *denial)
{
	return denial->hook == SW_HOOK_CONNECT_UNIX || denial->hook == SW_HOOK_SENDMSG_UNIX;
}

/* A kind of socket: "mptcp", "raw icmp", "inet6 seqpacket sctp". */
static void print_kind(const struct sw_denial *denial, FILE *out)
{
	char family[NUMBER_TEXT], type[NUMBER_TEXT], protocol[NUMBER_TEXT];

	if (denial->family != AF_INET)
		fprintf(out, "%s ", family_name(denial->family, family));
	if (!protocol_implies(denial->protocol, denial->type))
		fprintf(out, "%s ", type_name(denial->type, type));
	fputs(protocol_name(denial->protocol, protocol), out);
}

/* What was refused, by its kind: an option, a unix socket, a kind of socket or a peer. */
static void print_subject(const struct sw_event *event, FILE *out)
{
	const struct sw_denial *denial = &event->denial;
	char peer[SW_FLOW_TEXT], text[SOCKOPT_TEXT], protocol[NUMBER_TEXT];

	if (is_option(denial))
		fprintf(out, "option %s", sockopt_format(denial->type, denial->protocol, text));
	else if (is_unix(denial))
		fputs(*event->text ? event->text : "unix", out);
	else if (denial->hook == SW_HOOK_SOCK_CREATE)
		print_kind(denial, out);
	else if (denial->hook == SW_HOOK_SOCKOPS)
		fprintf(out, "tcp port %u", denial->flow.port);
	else if (!has_peer(denial))
		fprintf(out, "%s, no peer", protocol_name(denial->protocol, protocol));
	else if (denial->flow.proto == SW_PROTOS)
		fprintf(out, "%s %s", protocol_name(denial->protocol, protocol), addr_format(&denial->flow.peer, peer));
	else
		fputs(flow_format(&denial->flow, peer), out);
}

/* "rule 3 (no-mail), shop:7 deny: {port: 25} # why" */
static void print_rule(const struct sw_event *event, FILE *out)
{
	const char *id = rule_part(event->text, RULE_ID), *why = rule_part(event->text, RULE_DESCRIPTION);

	fprintf(out, "rule %u%s%s%s, %s:%u%s%s%s%s", event->denial.rule + 1, *id ? " (" : "", id, *id ? ")" : "",
		rule_file(event->text, event->policy), event->line, *event->text ? " " : "", event->text,
		*why ? " # " : "", why);
}

static void print_denial(const struct event *event, FILE *out)
{
	const struct sw_denial *denial = &event->of.denial;

	fprintf(out, " %s: ", event->of.audit ? "would be denied" : "denied");
	if (denial->reason != SW_REASON_RULE)
		fputs(reason_name(denial->reason), out);
	else if (event->of.line)
		print_rule(&event->of, out);
	else
		fprintf(out, "default of %s", event->of.policy);
}

static void print_closing(const struct sw_event *event, FILE *out)
{
	const struct sw_closing *closing = &event->closing;
	char idle[DURATION_TEXT], sent[BYTES_TEXT], received[BYTES_TEXT];

	fprintf(out, " %s: %s", event->audit ? "would be closed" : "closed", cause_name(closing->cause));
	if (closing->cause == SW_CAUSE_IDLE)
		fprintf(out, " for %s", duration_format(closing->idle, idle));
	if (closing->bytes[SW_EGRESS] != SW_NOT_KNOWN)
		fprintf(out, ", sent %s, received %s", bytes_format(closing->bytes[SW_EGRESS], sent),
			bytes_format(closing->bytes[SW_INGRESS], received));
}

/* Not beside the peer: it is what the tenant was told, and others may have told it something else. */
static void print_asked(const struct sw_event *event, FILE *out)
{
	char text[SW_DOMAIN_MAX + 2];

	if (*event->asked)
		fprintf(out, " name=%s", domain_text(event->asked, sizeof(event->asked), text));
}

static void print_line(const struct event *event, FILE *out)
{
	const struct sw_denial *denial = &event->of.denial;
	char time[CALENDAR_TEXT], comm[SW_COMM_TEXT];

	fprintf(out, "%s %s ", calendar_format_ms(event->time, time), *event->of.tenant ? event->of.tenant : "-");
	if (denial->pid)
		fprintf(out, "%s[%u] ", comm_format(denial->comm, comm), denial->pid);
	fprintf(out, "%s ", hook_name(denial->hook));
	print_subject(&event->of, out);
	if (event->of.closing.cause)
		print_closing(&event->of, out);
	else
		print_denial(event, out);
	print_asked(&event->of, out);
	if (event->of.dropped)
		fprintf(out, " (%" PRIu64 " before it not logged)", (uint64_t)event->of.dropped);
}

static char *line_of(const struct event *event)
{
	char *text = NULL;
	size_t len;
	FILE *line = open_memstream(&text, &len);

	if (!line)
		abort();
	print_line(event, line);
	fclose(line);
	return plain(text);
}

void event_print(const struct event *event, FILE *out)
{
	char *text = line_of(event);

	fprintf(out, "%s\n", text);
	free(text);
}

static void json_option(const struct sw_denial *denial, struct json *json)
{
	char name[SOCKOPT_TEXT], level[NUMBER_TEXT];

	json_string(json, "option", sockopt_format(denial->type, denial->protocol, name));
	json_string(json, "level", sockopt_level(denial->type, level));
}

static void json_subject(const struct sw_event *event, struct json *json)
{
	const struct sw_denial *denial = &event->denial;
	char peer[SW_ADDR_TEXT], type[NUMBER_TEXT], protocol[NUMBER_TEXT];

	if (is_option(denial)) {
		json_option(denial, json);
		return;
	}
	if (is_unix(denial)) {
		json_string(json, "path", event->text);
		return;
	}
	json_string(json, "protocol", protocol_name(denial->protocol, protocol));
	if (denial->hook == SW_HOOK_SOCK_CREATE) {
		json_string(json, "type", type_name(denial->type, type));
		return;
	}
	json_string(json, "peer", has_peer(denial) ? addr_format(&denial->flow.peer, peer) : NULL);
	json_number(json, "port", denial->flow.port);
}

static void json_denial(const struct event *event, struct json *json)
{
	json_string(json, "reason", reason_name(event->of.denial.reason));
	if (event->of.line)
		rule_json(event->of.denial.rule, event->of.policy, event->of.line, event->of.text, json);
}

void json_payload(const struct sw_closing *closing, struct json *json)
{
	if (closing->bytes[SW_EGRESS] == SW_NOT_KNOWN)
		return;
	json_number(json, "sent_bytes", closing->bytes[SW_EGRESS]);
	json_number(json, "received_bytes", closing->bytes[SW_INGRESS]);
}

static void json_closing(const struct sw_closing *closing, struct json *json)
{
	json_string(json, "closed", cause_name(closing->cause));
	json_number(json, "idle_ms", closing->idle);
	json_payload(closing, json);
}

void event_json(const struct event *event, struct json *json)
{
	const struct sw_denial *denial = &event->of.denial;
	char time[CALENDAR_TEXT], comm[SW_COMM_TEXT], family[NUMBER_TEXT], asked[SW_DOMAIN_MAX + 2];

	snprintf(comm, sizeof(comm), "%.16s", denial->comm);
	json_open(json, NULL, '{');
	json_string(json, "time", calendar_format_ms(event->time, time));
	json_string(json, "tenant", event->of.tenant);
	json_string(json, "policy", event->of.policy);
	json_number(json, "pid", denial->pid);
	json_string(json, "comm", comm);
	json_string(json, "hook", hook_name(denial->hook));
	json_string(json, "family", family_name(denial->family, family));
	json_subject(&event->of, json);
	if (event->of.closing.cause)
		json_closing(&event->of.closing, json);
	else
		json_denial(event, json);
	if (*event->of.asked)
		json_string(json, "name", domain_text(event->of.asked, sizeof(event->of.asked), asked));
	json_bool(json, "audit", event->of.audit);
	json_number(json, "dropped", event->of.dropped);
	json_close(json, '}');
	json_end(json);
}

/* ---- the journal: the members of the JSON, in capitals ---------------------------------------------------- */

static void journal_subject(const struct sw_event *event, struct journal_entry *entry)
{
	const struct sw_denial *denial = &event->denial;
	char text[SOCKOPT_TEXT], peer[SW_ADDR_TEXT], type[NUMBER_TEXT], protocol[NUMBER_TEXT];

	if (is_option(denial)) {
		journal_field(entry, "OPTION", sockopt_format(denial->type, denial->protocol, text));
		return;
	}
	if (is_unix(denial)) {
		journal_field(entry, "PATH", event->text);
		return;
	}
	journal_field(entry, "PROTOCOL", protocol_name(denial->protocol, protocol));
	if (denial->hook == SW_HOOK_SOCK_CREATE) {
		journal_field(entry, "TYPE", type_name(denial->type, type));
		return;
	}
	journal_field(entry, "PEER", has_peer(denial) ? addr_format(&denial->flow.peer, peer) : NULL);
	journal_number(entry, "PORT", denial->flow.port);
}

static void journal_verdict(const struct event *event, struct journal_entry *entry)
{
	if (event->of.closing.cause) {
		journal_field(entry, "CLOSED", cause_name(event->of.closing.cause));
		return;
	}
	journal_field(entry, "REASON", reason_name(event->of.denial.reason));
	if (!event->of.line)
		return;
	journal_number(entry, "RULE", event->of.denial.rule + 1);
	journal_number(entry, "LINE", event->of.line);
	journal_field(entry, "TEXT", event->of.text);
}

bool event_journal(const struct event *event, const char *program)
{
	const struct sw_denial *denial = &event->of.denial;
	bool closing = event->of.closing.cause, sent;
	char comm[SW_COMM_TEXT], asked[SW_DOMAIN_MAX + 2], *text = line_of(event);
	struct journal_entry entry;

	journal_begin(&entry, closing ? JOURNAL_CLOSED : JOURNAL_DENIED, closing ? JOURNAL_INFO : JOURNAL_NOTICE,
		      program);
	journal_field(&entry, "TENANT", event->of.tenant);
	journal_field(&entry, "POLICY", event->of.policy);
	journal_field(&entry, "HOOK", hook_name(denial->hook));
	if (denial->pid) {
		journal_number(&entry, "PID", denial->pid);
		journal_field(&entry, "COMM", comm_format(denial->comm, comm));
	}
	journal_subject(&event->of, &entry);
	journal_verdict(event, &entry);
	if (*event->of.asked)
		journal_field(&entry, "NAME", domain_text(event->of.asked, sizeof(event->of.asked), asked));
	journal_field(&entry, "AUDIT", event->of.audit ? "1" : NULL);
	if (event->of.dropped)
		journal_number(&entry, "DROPPED", event->of.dropped);
	sent = journal_send(&entry, text);
	free(text);
	return sent;
}
