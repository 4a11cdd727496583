// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "calendar.h"
#include "meter.h"
#include "names.h"
#include "plain.h"
#include "prefix.h"
#include "report.h"
#include "rule_text.h"
#include "sha256.h"

const char *tenant_state_name(enum tenant_state state)
{
	static const char *const names[] = { "enforced", "audited", "incomplete", "gone", "unprotected" };

	return state < TENANT_STATES ? names[state] : "?";
}

const char *closing_by_name(enum closing_by by)
{
	static const char *const names[] = { "none yet", "bpf_sock_destroy", "SOCK_DESTROY" };

	return by < CLOSING_BYS ? names[by] : "?";
}

void report_free(struct report *report)
{
	free(report->rules.v);
	free(report->refused.v);
	free(report->learned.v);
}

void reports_free(struct reports *reports)
{
	for (size_t i = 0; i < reports->of.n; i++)
		report_free(&reports->of.v[i]);
	free(reports->of.v);
	*reports = (struct reports){ 0 };
}

__u64 report_denied(const struct report *report)
{
	__u64 sum = 0;

	for (int reason = 0; reason < SW_REASON_COUNT; reason++)
		sum += report->counts.denied[reason];
	return sum;
}

__u64 report_closed(const struct report *report)
{
	__u64 sum = 0;

	for (int cause = 0; cause < SW_CAUSE_COUNT; cause++)
		sum += report->counts.closed[cause];
	return sum;
}

__u64 report_budget_left(const struct report *report)
{
	if (report->settings.budget == SW_NO_LIMIT || !report->settings.serial)
		return SW_NO_LIMIT;
	return report->limit > report->counts.spent ? report->limit - report->counts.spent : 0;
}

static void print_traffic(const char *label, const struct sw_meter *meter, enum sw_direction direction, FILE *out)
{
	struct sw_traffic traffic = meter_direction(meter, direction);
	__u64 exempt = meter->of[SW_EXEMPT][direction].bytes;
	char text[BYTES_TEXT];

	fprintf(out, "  %-10s %10s in %" PRIu64 " packet%s", label, bytes_format(traffic.bytes, text),
		(uint64_t)traffic.packets, plural(traffic.packets));
	if (exempt)
		fprintf(out, ", %s of them exempt", bytes_format(exempt, text));
	fputc('\n', out);
}

static void print_budget(const struct report *report, FILE *out)
{
	char left[BYTES_TEXT], budget[BYTES_TEXT];

	if (report_budget_left(report) != SW_NO_LIMIT)
		fprintf(out, "  %-10s %10s left of %s a %s\n", "budget", bytes_format(report_budget_left(report), left),
			bytes_format(report->settings.budget, budget), period_name(report->settings.budget_period));
}

static void print_rule(const struct rule_hits *rule, FILE *out)
{
	char *told = rule_told(rule->rule, NULL, &rule->text);

	plain_line(out, "%s", told);
	free(told);
}

static void print_rules(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->rules.n; i++) {
		const struct rule_hits *rule = &report->rules.v[i];

		fprintf(out, "  %10" PRIu64 "  ", (uint64_t)rule->hits);
		if (rule->rule == SW_RULE_DEFAULT)
			fprintf(out, "default: %s\n", report->settings.allow ? "allow" : "deny");
		else
			print_rule(rule, out);
	}
}

#define REFUSED_SHOWN 10
#define DNS_PORT      53

/* What to write, where a program could ask no name server. */
static void print_hint(const struct refused *refused, FILE *out)
{
	char peer[SW_ADDR_TEXT];
	bool bare = sw_addr_is_v4(&refused->flow.peer); /* else it needs quotes */

	if (refused->resolver)
		fputs("              a name server of this host: allow: {net: resolvers, port: 53}\n", out);
	else if (refused->flow.port == DNS_PORT)
		fprintf(out, "              a name server? allow: {net: %s%s%s, port: 53}\n", bare ? "" : "\"",
			addr_format(&refused->flow.peer, peer), bare ? "" : "\"");
}

static void print_refused(const struct report *report, FILE *out)
{
	char peer[SW_FLOW_TEXT];

	if (report->refused.n)
		fputs("  denied most often\n", out);
	for (size_t i = 0; i < report->refused.n && i < REFUSED_SHOWN; i++) {
		const struct refused *refused = &report->refused.v[i];

		fprintf(out, "  %10" PRIu64 "  %s: ", (uint64_t)refused->times, flow_format(&refused->flow, peer));
		if (refused->rule == SW_RULE_DEFAULT)
			fputs("default\n", out);
		else
			fprintf(out, "rule %u\n", refused->rule + 1);
		print_hint(refused, out);
	}
}

static void print_denied(const struct report *report, FILE *out)
{
	fprintf(out, "  %-10s %10" PRIu64 "\n", report->settings.audit ? "would deny" : "denied",
		(uint64_t)report_denied(report));
	for (int reason = 0; reason < SW_REASON_COUNT; reason++)
		if (report->counts.denied[reason])
			fprintf(out, "  %10" PRIu64 "  %s: %s\n", (uint64_t)report->counts.denied[reason],
				reason_name(reason), reason_help(reason));
}

static void print_closed(const struct report *report, FILE *out)
{
	fprintf(out, "  %-10s %10" PRIu64 "\n", "closed", (uint64_t)report_closed(report));
	for (int cause = 0; cause < SW_CAUSE_COUNT; cause++)
		if (report->counts.closed[cause])
			fprintf(out, "  %10" PRIu64 "  %s: %s\n", (uint64_t)report->counts.closed[cause],
				cause_name(cause), cause_help(cause));
}

static void print_names(const struct report *report, FILE *out)
{
	char addr[SW_ADDR_TEXT];

	if (!report->settings.named)
		return;
	fprintf(out, "  %-10s %10" PRIu64 " addresses learned\n", "names",
		(uint64_t)report->names.n[SW_NAMING_LEARNED]);
	for (int what = 0; what < SW_NAMING_COUNT; what++)
		if (report->names.n[what] && what != SW_NAMING_LEARNED)
			fprintf(out, "  %10" PRIu64 "  %s: %s\n", (uint64_t)report->names.n[what], naming_name(what),
				naming_help(what));
	for (size_t i = 0; i < report->learned.n; i++) {
		const struct learned *learned = &report->learned.v[i];
		bool other = strcmp(learned->asked, learned->pattern);

		plain_line(out, "              %s: %s for another %us%s%s", learned->asked,
			   addr_format(&learned->addr, addr), learned->left, other ? ", by " : "",
			   other ? learned->pattern : "");
	}
}

static bool is_known(const struct support *support)
{
	return support && support->closing != CLOSING_UNKNOWN;
}

static void print_idle(const struct report *report, const struct support *support, FILE *out)
{
	char timeout[TIMEOUT_TEXT];

	if (!report->settings.serial)
		return;
	if (!report->settings.idle_timeout)
		fprintf(out, "  %-10s %10s closed\n", "idle", "never");
	else
		fprintf(out, "  %-10s %10s until %s%s\n", "idle",
			timeout_canonical(report->settings.idle_timeout, timeout),
			is_known(support) ? "closed by " : "the daemon closes it",
			is_known(support) ? closing_by_name(support->closing) : "");
}

void report_print(const struct report *report, const struct support *support, FILE *out)
{
	plain_line(out, "tenant %s, policy %s, %s", report->record.name,
		   *report->settings.policy ? report->settings.policy : "-", tenant_state_name(report->state));
	print_traffic("sent", &report->meter, SW_EGRESS, out);
	print_traffic("received", &report->meter, SW_INGRESS, out);
	print_budget(report, out);
	fprintf(out, "  %-10s %10" PRIu64 "\n", "allowed", (uint64_t)report->counts.allowed);
	print_denied(report, out);
	print_refused(report, out);
	print_closed(report, out);
	print_names(report, out);
	print_idle(report, support, out);
	if (report->rules.n)
		fputs("  decided by\n", out);
	print_rules(report, out);
	if (report->counts.log_dropped)
		fprintf(out, "  %" PRIu64 " denial%s not logged, but counted\n", (uint64_t)report->counts.log_dropped,
			plural(report->counts.log_dropped));
}

static void json_rules(const struct report *report, struct json *json)
{
	json_open(json, "rules", '[');
	for (size_t i = 0; i < report->rules.n; i++) {
		const struct rule_hits *rule = &report->rules.v[i];

		json_open(json, NULL, '{');
		if (rule->rule != SW_RULE_DEFAULT)
			rule_json(rule->rule, report->settings.policy, rule->text.line, rule->text.text, json);
		else
			json_string(json, "text", rule->text.text);
		json_number(json, "hits", rule->hits);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_refused(const struct report *report, struct json *json)
{
	char peer[SW_ADDR_TEXT];

	json_open(json, "refused", '[');
	for (size_t i = 0; i < report->refused.n; i++) {
		const struct refused *refused = &report->refused.v[i];

		json_open(json, NULL, '{');
		json_string(json, "protocol", proto_name(refused->flow.proto));
		json_string(json, "peer", addr_format(&refused->flow.peer, peer));
		json_number(json, "port", refused->flow.port);
		if (refused->rule != SW_RULE_DEFAULT)
			json_number(json, "rule", refused->rule + 1);
		json_number(json, "times", refused->times);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_learned(const struct report *report, struct json *json)
{
	char addr[SW_ADDR_TEXT];

	json_open(json, "learned", '[');
	for (size_t i = 0; i < report->learned.n; i++) {
		const struct learned *learned = &report->learned.v[i];

		json_open(json, NULL, '{');
		json_string(json, "name", learned->asked);
		json_string(json, "pattern", learned->pattern);
		json_string(json, "address", addr_format(&learned->addr, addr));
		json_number(json, "age_seconds", learned->age);
		json_number(json, "left_seconds", learned->left);
		json_number(json, "ttl_seconds", learned->ttl);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_names(const struct report *report, struct json *json)
{
	if (!report->settings.named)
		return;
	json_open(json, "names", '{');
	for (int what = 0; what < SW_NAMING_COUNT; what++)
		json_number(json, naming_name(what), report->names.n[what]);
	json_close(json, '}');
	json_learned(report, json);
}

static void json_traffic(struct json *json, const char *direction, struct sw_traffic traffic)
{
	char key[40];

	snprintf(key, sizeof(key), "%s_bytes", direction);
	json_number(json, key, traffic.bytes);
	snprintf(key, sizeof(key), "%s_payload_bytes", direction);
	json_number(json, key, traffic.payload);
	snprintf(key, sizeof(key), "%s_packets", direction);
	json_number(json, key, traffic.packets);
}

static void json_budget(const struct report *report, struct json *json)
{
	if (report_budget_left(report) == SW_NO_LIMIT)
		return;
	json_open(json, "budget", '{');
	json_number(json, "bytes", report->settings.budget);
	json_string(json, "per", period_name(report->settings.budget_period));
	json_number(json, "left_bytes", report_budget_left(report));
	json_close(json, '}');
}

static void json_closed(const struct report *report, const struct support *support, struct json *json)
{
	json_open(json, "closed", '{');
	for (int cause = SW_CAUSE_NONE + 1; cause < SW_CAUSE_COUNT; cause++)
		json_number(json, cause_name(cause), report->counts.closed[cause]);
	json_close(json, '}');
	json_number(json, "idle_timeout_seconds", report->settings.idle_timeout);
	if (support)
		json_string(json, "closing", is_known(support) ? closing_by_name(support->closing) : NULL);
}

void report_json(const struct report *report, const struct support *support, struct json *json)
{
	char hash[SHA256_TEXT], since[CALENDAR_TEXT];

	json_open(json, NULL, '{');
	json_string(json, "tenant", report->record.name);
	json_string(json, "cgroup", report->record.path);
	json_number(json, "cgroup_id", report->record.cgroup);
	json_string(json, "since", report->record.since ? calendar_format(report->record.since, since) : NULL);
	json_string(json, "state", tenant_state_name(report->state));
	json_string(json, "policy", *report->settings.policy ? report->settings.policy : NULL);
	json_string(json, "policy_hash", report->settings.serial ? sha256_format(report->settings.hash, hash) : NULL);
	json_traffic(json, "sent", meter_direction(&report->meter, SW_EGRESS));
	json_traffic(json, "received", meter_direction(&report->meter, SW_INGRESS));
	json_open(json, "exempt", '{');
	json_traffic(json, "sent", report->meter.of[SW_EXEMPT][SW_EGRESS]);
	json_traffic(json, "received", report->meter.of[SW_EXEMPT][SW_INGRESS]);
	json_close(json, '}');
	json_budget(report, json);
	json_number(json, "allowed", report->counts.allowed);
	json_open(json, "denied", '{');
	for (int reason = 0; reason < SW_REASON_COUNT; reason++)
		json_number(json, reason_name(reason), report->counts.denied[reason]);
	json_close(json, '}');
	json_closed(report, support, json);
	json_number(json, "audited", report->counts.audited);
	json_number(json, "log_dropped", report->counts.log_dropped);
	json_rules(report, json);
	json_refused(report, json);
	json_names(report, json);
	json_close(json, '}');
}
