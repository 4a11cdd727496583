// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"
#include "names.h"
#include "rule_text.h"
#include "scrape.h"

/* The tenants that are shown. */
struct shown {
	const struct report **v;
	size_t n;
};

static void family(struct metrics *metrics, const char *name, enum metrics_type type, const char *help)
{
	metrics_family(metrics, name, type, NULL, help);
}

static void single(struct metrics *metrics, const char *name, enum metrics_type type, const char *unit,
		   const char *help, __u64 value)
{
	metrics_family(metrics, name, type, unit, help);
	metrics_sample(metrics, NULL, value);
}

static void single_seconds(struct metrics *metrics, const char *name, enum metrics_type type, const char *help,
			   __u64 milliseconds)
{
	metrics_family(metrics, name, type, "seconds", help);
	metrics_sample_seconds(metrics, NULL, milliseconds);
}

static void single_nanoseconds(struct metrics *metrics, const char *name, enum metrics_type type, const char *help,
			       __u64 nanoseconds)
{
	metrics_family(metrics, name, type, "seconds", help);
	metrics_sample_nanoseconds(metrics, NULL, nanoseconds);
}

static void write_exporter(struct metrics *metrics, bool up)
{
	struct label version[] = { { "version", SW_VERSION }, { 0 } };

	single(metrics, "sockwarden_up", METRICS_GAUGE, NULL, "1 if the daemon answered this scrape, else 0.", up);
	family(metrics, "sockwarden_build_info", METRICS_INFO, "The version of the exporter.");
	metrics_sample(metrics, version, 1);
}

static void write_daemon(struct metrics *metrics, const struct daemon_state *daemon)
{
	single_seconds(metrics, "sockwarden_daemon_start_time_seconds", METRICS_GAUGE,
		       "When the daemon started, since 1970.", daemon->started);
	single_seconds(metrics, "sockwarden_daemon_tick_cpu_seconds_total", METRICS_COUNTER,
		       "Processor time the daemon spent on ticks.", daemon->tick_cpu_ns / 1000000);
	single(metrics, "sockwarden_daemon_events_total", METRICS_COUNTER, NULL,
	       "Denials the daemon read from the kernel's buffer.", daemon->events);
	single(metrics, "sockwarden_policy_reloads_total", METRICS_COUNTER, NULL, "Times policies were loaded anew.",
	       daemon->reloads);
	single(metrics, "sockwarden_policy_reload_errors_total", METRICS_COUNTER, NULL,
	       "Policies that could not be loaded anew, so that the old one stayed in force.", daemon->reload_errors);
}

static void write_sets(struct metrics *metrics, const struct daemon_state *daemon)
{
	struct label google[] = { { "set", "google" }, { 0 } };

	if (daemon->published <= 0)
		return;
	metrics_family(metrics, "sockwarden_set_published_timestamp_seconds", METRICS_GAUGE, "seconds",
		       "When the list was published that a set is made of, since 1970.");
	metrics_sample_seconds(metrics, google, daemon->published);
}

static void write_ledger(struct metrics *metrics, const struct daemon_state *daemon)
{
	single(metrics, "sockwarden_ledger_ticks_total", METRICS_COUNTER, NULL, "Intervals booked.", daemon->ticks);
	single(metrics, "sockwarden_ledger_rows_total", METRICS_COUNTER, NULL, "Rows booked.", daemon->rows);
	single(metrics, "sockwarden_ledger_postponed_total", METRICS_COUNTER, NULL,
	       "Ticks that could not be booked; a later one makes up for them.", daemon->postponed);
	single(metrics, "sockwarden_ledger_booking", METRICS_GAUGE, NULL, "1 if the last tick was booked, else 0.",
	       daemon->booking);
	single_seconds(metrics, "sockwarden_ledger_interval_seconds", METRICS_GAUGE, "From one tick to the next.",
		       1000 * (__u64)daemon->interval);
	if (daemon->ticked > 0)
		single_seconds(metrics, "sockwarden_ledger_last_tick_timestamp_seconds", METRICS_GAUGE,
			       "End of the last interval that was booked, since 1970.", daemon->ticked);
	single(metrics, "sockwarden_ledger_bytes", METRICS_GAUGE, "bytes", "Size of the ledger's file.",
	       daemon->ledger_size);
	single(metrics, "sockwarden_ledger_waiting", METRICS_GAUGE, NULL,
	       "Tenants that have ended and whose last bytes are not booked yet.", daemon->waiting);
}

/* By tenant, where all are shown; else together. */
static void write_held(struct metrics *metrics, const struct reaper_state *reaper, bool by_tenant)
{
	const struct label none[] = { { 0 } };
	__u64 all = 0;

	metrics_family(metrics, "sockwarden_sockets_held", METRICS_GAUGE, NULL,
		       "Closed sockets that their tenant holds locked, so that they stay in the kernel's tables.");
	for (__u64 i = 0; i < reaper->n_held && i < SW_HELD_NOTES; i++) {
		const struct label labels[] = { { "tenant", reaper->held[i].tenant }, { 0 } };

		all += reaper->held[i].sockets;
		if (by_tenant)
			metrics_sample(metrics, labels, reaper->held[i].sockets);
	}
	if (!by_tenant)
		metrics_sample(metrics, none, all);
}

static void write_passes(struct metrics *metrics, const struct reaper_state *reaper)
{
	single(metrics, "sockwarden_passes_total", METRICS_COUNTER, NULL,
	       "Passes over the sockets, which close those that may not stay open.", reaper->passes);
	single(metrics, "sockwarden_pass_errors_total", METRICS_COUNTER, NULL, "Passes that failed.", reaper->errors);
	single_nanoseconds(metrics, "sockwarden_pass_cpu_seconds_total", METRICS_COUNTER,
			   "Processor time of all passes.", reaper->cpu_ns);
	single_nanoseconds(metrics, "sockwarden_pass_longest_seconds", METRICS_GAUGE,
			   "Longest that any pass kept the processor before it gave it back.", reaper->longest_ns);
	if (reaper->passed > 0)
		single_seconds(metrics, "sockwarden_pass_timestamp_seconds", METRICS_GAUGE,
			       "When the last pass ended, since 1970.", reaper->passed);
	single(metrics, "sockwarden_sockets_seen", METRICS_GAUGE, NULL, "Sockets the last pass looked at.",
	       reaper->seen);
	single(metrics, "sockwarden_sockets_stuck", METRICS_GAUGE, NULL,
	       "Sockets that are closed for their tenants, and could not be taken out of the kernel's tables.",
	       reaper->stuck);
}

static void write_states(struct metrics *metrics, const struct reports *reports)
{
	__u64 count[TENANT_STATES] = { 0 };

	for (size_t i = 0; i < reports->of.n; i++)
		count[reports->of.v[i].state]++;
	family(metrics, "sockwarden_tenants", METRICS_GAUGE, "Tenants by state.");
	for (int state = 0; state < TENANT_STATES; state++) {
		struct label labels[] = { { "state", tenant_state_name(state) }, { 0 } };

		metrics_sample(metrics, labels, count[state]);
	}
}

enum quantity { BYTES, PAYLOAD, PACKETS };

static __u64 quantity_of(const struct sw_traffic *traffic, enum quantity quantity)
{
	return quantity == BYTES ? traffic->bytes : quantity == PAYLOAD ? traffic->payload : traffic->packets;
}

/* Both ways of each kind of billing; of the exempt only what there is, for few tenants have such rules. */
static void write_meter(struct metrics *metrics, const char *tenant, const struct sw_meter *meter,
			enum quantity quantity)
{
	for (int billing = 0; billing < SW_BILLINGS; billing++) {
		if (billing == SW_EXEMPT && meter_is_zero(meter, SW_EXEMPT))
			continue;
		for (int direction = 0; direction < SW_DIRECTIONS; direction++) {
			struct label labels[] = { { "tenant", tenant },
						  { "class", billing_name(billing) },
						  { "direction", direction_name(direction) },
						  { 0 } };

			metrics_sample(metrics, labels, quantity_of(&meter->of[billing][direction], quantity));
		}
	}
}

static void write_meters(struct metrics *metrics, const struct shown *shown, const char *name, const char *unit,
			 const char *help, enum quantity quantity)
{
	metrics_family(metrics, name, METRICS_COUNTER, unit, help);
	for (size_t i = 0; i < shown->n; i++)
		write_meter(metrics, shown->v[i]->record.name, &shown->v[i]->meter, quantity);
}

static void write_traffic(struct metrics *metrics, const struct shown *shown)
{
	write_meters(metrics, shown, "sockwarden_tenant_bytes_total", "bytes",
		     "Bytes that passed, from the IP header on.", BYTES);
	write_meters(metrics, shown, "sockwarden_tenant_payload_bytes_total", "bytes",
		     "Of these bytes, what TCP or UDP carries.", PAYLOAD);
	write_meters(metrics, shown, "sockwarden_tenant_packets_total", NULL, "Packets that passed.", PACKETS);
}

static void write_denied(struct metrics *metrics, const char *tenant, const struct sw_counts *counts)
{
	for (int reason = 0; reason < SW_REASON_COUNT; reason++) {
		struct label labels[] = { { "tenant", tenant }, { "reason", reason_name(reason) }, { 0 } };

		if (counts->denied[reason] || reason == SW_REASON_RULE)
			metrics_sample(metrics, labels, counts->denied[reason]);
	}
}

/* Idle sockets are what there is to count wherever there is a timeout; the rest is rare. */
static void write_closed(struct metrics *metrics, const char *tenant, const struct sw_counts *counts)
{
	for (int cause = SW_CAUSE_NONE + 1; cause < SW_CAUSE_COUNT; cause++) {
		struct label labels[] = { { "tenant", tenant }, { "cause", cause_name(cause) }, { 0 } };

		if (counts->closed[cause] || cause == SW_CAUSE_IDLE)
			metrics_sample(metrics, labels, counts->closed[cause]);
	}
}

/* Of tenants whose policies have names: what there is to count, and what an alert waits for. */
static void write_names(struct metrics *metrics, const struct report *report)
{
	for (int what = 0; what < SW_NAMING_COUNT && report->settings.named; what++) {
		struct label labels[] = { { "tenant", report->record.name }, { "what", naming_name(what) }, { 0 } };

		if (report->names.n[what] || what == SW_NAMING_LEARNED || what == SW_NAMING_CAP ||
		    what == SW_NAMING_NO_ROOM)
			metrics_sample(metrics, labels, report->names.n[what]);
	}
}

static void write_count(struct metrics *metrics, const struct shown *shown, const char *name, const char *help,
			size_t offset)
{
	family(metrics, name, METRICS_COUNTER, help);
	for (size_t i = 0; i < shown->n; i++) {
		struct label labels[] = { { "tenant", shown->v[i]->record.name }, { 0 } };

		metrics_sample(metrics, labels, *(const __u64 *)((const char *)&shown->v[i]->counts + offset));
	}
}

static void write_counts(struct metrics *metrics, const struct shown *shown)
{
	write_count(metrics, shown, "sockwarden_tenant_allowed_total", "Decisions that allowed a peer.",
		    offsetof(struct sw_counts, allowed));
	family(metrics, "sockwarden_tenant_denied_total", METRICS_COUNTER, "What was denied, by reason.");
	for (size_t i = 0; i < shown->n; i++)
		write_denied(metrics, shown->v[i]->record.name, &shown->v[i]->counts);
	family(metrics, "sockwarden_closed_sockets_total", METRICS_COUNTER, "Sockets closed for good, by cause.");
	for (size_t i = 0; i < shown->n; i++)
		write_closed(metrics, shown->v[i]->record.name, &shown->v[i]->counts);
	family(metrics, "sockwarden_tenant_names_total", METRICS_COUNTER,
	       "What became of questions for names and of their answers, of tenants whose policies have names.");
	for (size_t i = 0; i < shown->n; i++)
		write_names(metrics, shown->v[i]);
	write_count(metrics, shown, "sockwarden_tenant_audited_total",
		    "Of the denied, what was let pass because the policy only audits.",
		    offsetof(struct sw_counts, audited));
	write_count(metrics, shown, "sockwarden_tenant_log_dropped_total", "Denials that were counted, but not logged.",
		    offsetof(struct sw_counts, log_dropped));
}

static void write_rule(struct metrics *metrics, const struct report *report, const struct rule_hits *rule)
{
	const char *id = rule_part(rule->text.text, RULE_ID);
	char text[SW_TEXT_MAX + 16] = "default";
	struct label labels[] = { { "tenant", report->record.name }, { "rule", *id ? id : text }, { 0 } };

	if (rule->rule != SW_RULE_DEFAULT)
		snprintf(text, sizeof(text), "%u %s", rule->rule + 1, rule->text.text);
	metrics_sample(metrics, labels, rule->hits);
}

static void write_rules(struct metrics *metrics, const struct shown *shown)
{
	family(metrics, "sockwarden_tenant_rule_decisions_total", METRICS_COUNTER,
	       "Decisions by the rule that made them, of the policy in force.");
	for (size_t i = 0; i < shown->n; i++)
		for (size_t j = 0; j < shown->v[i]->rules.n; j++)
			write_rule(metrics, shown->v[i], &shown->v[i]->rules.v[j]);
}

static void write_infos(struct metrics *metrics, const struct shown *shown)
{
	family(metrics, "sockwarden_tenant_info", METRICS_INFO, "The tenant's policy and state.");
	for (size_t i = 0; i < shown->n; i++) {
		struct label labels[] = { { "tenant", shown->v[i]->record.name },
					  { "policy", shown->v[i]->settings.policy },
					  { "state", tenant_state_name(shown->v[i]->state) },
					  { 0 } };

		metrics_sample(metrics, labels, 1);
	}
}

static __u64 budget(const struct report *report)
{
	return report->settings.budget;
}

static void write_budget(struct metrics *metrics, const struct shown *shown, const char *name, const char *help,
			 __u64 (*value)(const struct report *))
{
	metrics_family(metrics, name, METRICS_GAUGE, "bytes", help);
	for (size_t i = 0; i < shown->n; i++) {
		const struct report *report = shown->v[i];
		struct label labels[] = { { "tenant", report->record.name },
					  { "period", period_name(report->settings.budget_period) },
					  { 0 } };

		if (report_budget_left(report) != SW_NO_LIMIT)
			metrics_sample(metrics, labels, value(report));
	}
}

static void write_tenants(struct metrics *metrics, const struct shown *shown)
{
	write_traffic(metrics, shown);
	write_counts(metrics, shown);
	write_rules(metrics, shown);
	write_infos(metrics, shown);
	write_budget(metrics, shown, "sockwarden_tenant_budget_bytes",
		     "Billable bytes the tenant may send in a period, for tenants that have a budget.", budget);
	write_budget(metrics, shown, "sockwarden_tenant_budget_left_bytes", "What is left of the budget.",
		     report_budget_left);
}

/* Gauges: a sum over the tenants there are falls when one of them ends. */
static void write_sums(struct metrics *metrics, const struct shown *all)
{
	struct sw_counts counts = { 0 };
	struct sw_meter meter = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		meter_add(&meter, &all->v[i]->meter);
		for (int reason = 0; reason < SW_REASON_COUNT; reason++)
			counts.denied[reason] += all->v[i]->counts.denied[reason];
		for (int cause = 0; cause < SW_CAUSE_COUNT; cause++)
			counts.closed[cause] += all->v[i]->counts.closed[cause];
	}
	metrics_family(metrics, "sockwarden_tenants_bytes", METRICS_GAUGE, "bytes",
		       "Bytes that passed, of all the tenants there are.");
	write_meter(metrics, NULL, &meter, BYTES);
	family(metrics, "sockwarden_tenants_denied", METRICS_GAUGE, "What was denied to all the tenants there are.");
	write_denied(metrics, NULL, &counts);
	family(metrics, "sockwarden_tenants_closed_sockets", METRICS_GAUGE,
	       "Sockets closed for good, of all the tenants there are.");
	write_closed(metrics, NULL, &counts);
}

static int by_name(const void *a, const void *b)
{
	const struct report *x = *(const struct report *const *)a, *y = *(const struct report *const *)b;
	int order = strcmp(x->record.name, y->record.name);

	return order ? order : x->record.tenancy > y->record.tenancy ? -1 : x->record.tenancy < y->record.tenancy;
}

static int by_sent(const void *a, const void *b)
{
	const struct report *x = *(const struct report *const *)a, *y = *(const struct report *const *)b;
	__u64 sent_x = x->meter.of[SW_BILLABLE][SW_EGRESS].bytes, sent_y = y->meter.of[SW_BILLABLE][SW_EGRESS].bytes;

	return sent_x > sent_y ? -1 : sent_x < sent_y ? 1 : by_name(a, b);
}

/* Of a name that was given out again while its last holder waits to be booked, the holder of now. */
static struct shown all_tenants(const struct reports *reports)
{
	struct shown all = { .v = mem_alloc(reports->of.n, sizeof(*all.v)) };
	size_t n = 0;

	for (size_t i = 0; i < reports->of.n; i++)
		all.v[i] = &reports->of.v[i];
	qsort(all.v, reports->of.n, sizeof(*all.v), by_name);
	for (size_t i = 0; i < reports->of.n; i++)
		if (!n || strcmp(all.v[n - 1]->record.name, all.v[i]->record.name))
			all.v[n++] = all.v[i];
	all.n = n;
	return all;
}

static void write_reports(struct metrics *metrics, const struct reports *reports, size_t tenants)
{
	struct shown shown = all_tenants(reports);

	write_states(metrics, reports);
	if (tenants != SCRAPE_ALL) {
		write_sums(metrics, &shown);
		qsort(shown.v, shown.n, sizeof(*shown.v), by_sent);
		shown.n = tenants < shown.n ? tenants : shown.n;
	}
	if (tenants)
		write_tenants(metrics, &shown);
	free(shown.v);
}

int scrape_write(const struct snapshot *snapshot, size_t tenants, enum metrics_format format, FILE *out,
		 struct fault *fault)
{
	struct metrics *metrics = metrics_new(out, format);

	write_exporter(metrics, snapshot);
	if (snapshot) {
		write_daemon(metrics, &snapshot->daemon);
		write_sets(metrics, &snapshot->daemon);
		write_ledger(metrics, &snapshot->daemon);
		write_passes(metrics, &snapshot->daemon.reaper);
		write_held(metrics, &snapshot->daemon.reaper, snapshot->reports.of.n <= tenants);
		write_reports(metrics, &snapshot->reports, tenants);
	}
	return metrics_end(metrics, fault);
}
