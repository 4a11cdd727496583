// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "report.h"

static void read_rule(const struct host *host, __u32 slot, const struct sw_tenant *tenant, __u32 rule,
		      struct report *report)
{
	struct rule_hits hits = { .rule = rule, .hits = tenant_hits(host, slot, rule, tenant->serial) };

	if (!hits.hits)
		return;
	if (rule == SW_RULE_DEFAULT || published_text(host, tenant->image, rule, &hits.text))
		snprintf(hits.text.text, sizeof(hits.text.text), rule == SW_RULE_DEFAULT ? "default" : "?");
	*list_add(&report->rules) = hits;
}

int report_read(const struct host *host, __u32 slot, struct report *report, struct fault *fault)
{
	struct sw_tenant tenant;

	*report = (struct report){
		.record = host->records[slot],
		.state = tenant_state(host, slot),
		.counts = host->counts[slot],
	};
	if (!host_storage(host, report->record.cgroup, &tenant) && tenant.slot == slot) {
		report->settings = host->settings[tenant.image];
		for (__u32 rule = 0; rule < report->settings.rules; rule++)
			read_rule(host, slot, &tenant, rule, report);
		read_rule(host, slot, &tenant, SW_RULE_DEFAULT, report);
	}
	return tenant_meter(host, slot, &report->meter, fault);
}

void report_free(struct report *report)
{
	free(report->rules.v);
}

__u64 report_denied(const struct report *report)
{
	__u64 sum = 0;

	for (int reason = 0; reason < SW_REASON_COUNT; reason++)
		sum += report->counts.denied[reason];
	return sum;
}

const char *format_bytes(__u64 bytes, char buf[16])
{
	static const char units[] = "KMGTPE";
	double value = bytes;
	int unit = -1;

	while (value >= 1024 && unit < 5) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, 16, "%" PRIu64 " B", (uint64_t)bytes);
	else
		snprintf(buf, 16, "%.1f %ciB", value, units[unit]);
	return buf;
}

static void print_traffic(const char *label, __u64 bytes, __u64 packets, FILE *out)
{
	char text[16];

	fprintf(out, "  %-10s %10s in %" PRIu64 " packets\n", label, format_bytes(bytes, text), (uint64_t)packets);
}

static void print_rules(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->rules.n; i++) {
		const struct rule_hits *rule = &report->rules.v[i];

		fprintf(out, "  %10" PRIu64 "  ", (uint64_t)rule->hits);
		if (rule->rule == SW_RULE_DEFAULT)
			fprintf(out, "default: %s\n", report->settings.allow ? "allow" : "deny");
		else
			fprintf(out, "rule %u, line %u: %s\n", rule->rule + 1, rule->text.line, rule->text.text);
	}
}

void report_print(const struct report *report, FILE *out)
{
	fprintf(out, "tenant %s, policy %s, %s\n", report->record.name,
		*report->settings.policy ? report->settings.policy : "-", tenant_state_name(report->state));
	print_traffic("sent", report->meter.tx_bytes, report->meter.tx_packets, out);
	print_traffic("received", report->meter.rx_bytes, report->meter.rx_packets, out);
	fprintf(out, "  %-10s %10" PRIu64 "\n", "allowed", (uint64_t)report->counts.allowed);
	fprintf(out, "  %-10s %10" PRIu64 "\n", report->settings.audit ? "would deny" : "denied",
		(uint64_t)report_denied(report));
	for (int reason = 0; reason < SW_REASON_COUNT; reason++)
		if (report->counts.denied[reason])
			fprintf(out, "  %10" PRIu64 "  %s: %s\n", (uint64_t)report->counts.denied[reason],
				reason_name(reason), reason_help(reason));
	if (report->rules.n)
		fputs("  decided by\n", out);
	print_rules(report, out);
	if (report->counts.log_dropped)
		fprintf(out, "  %" PRIu64 " denials were counted, but not logged\n",
			(uint64_t)report->counts.log_dropped);
}

static void json_rules(const struct report *report, struct json *json)
{
	json_open(json, "rules", '[');
	for (size_t i = 0; i < report->rules.n; i++) {
		const struct rule_hits *rule = &report->rules.v[i];

		json_open(json, NULL, '{');
		if (rule->rule != SW_RULE_DEFAULT) {
			json_number(json, "rule", rule->rule + 1);
			json_number(json, "line", rule->text.line);
		}
		json_string(json, "text", rule->text.text);
		json_number(json, "hits", rule->hits);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static const char *hex(const __u8 hash[32], char text[65])
{
	for (int i = 0; i < 32; i++)
		sprintf(text + 2 * i, "%02x", hash[i]);
	return text;
}

void report_json(const struct report *report, struct json *json)
{
	char hash[65];

	json_open(json, NULL, '{');
	json_string(json, "tenant", report->record.name);
	json_string(json, "cgroup", report->record.path);
	json_number(json, "cgroup_id", report->record.cgroup);
	json_number(json, "since", report->record.since);
	json_string(json, "state", tenant_state_name(report->state));
	json_string(json, "policy", *report->settings.policy ? report->settings.policy : NULL);
	json_string(json, "policy_hash", report->settings.serial ? hex(report->settings.hash, hash) : NULL);
	json_number(json, "sent_bytes", report->meter.tx_bytes);
	json_number(json, "sent_packets", report->meter.tx_packets);
	json_number(json, "received_bytes", report->meter.rx_bytes);
	json_number(json, "received_packets", report->meter.rx_packets);
	json_number(json, "allowed", report->counts.allowed);
	json_open(json, "denied", '{');
	for (int reason = 0; reason < SW_REASON_COUNT; reason++)
		json_number(json, reason_name(reason), report->counts.denied[reason]);
	json_close(json, '}');
	json_number(json, "audited", report->counts.audited);
	json_number(json, "log_dropped", report->counts.log_dropped);
	json_rules(report, json);
	json_close(json, '}');
}

void report_show(const struct report *report, const struct cli *cli, FILE *out)
{
	struct json json = { .out = out, .pretty = cli_has(cli, OPTION_PRETTY) };

	if (!cli_has(cli, OPTION_JSON)) {
		report_print(report, out);
		return;
	}
	report_json(report, &json);
	json_end(&json);
}
