// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stand-in for the daemon, with tenants that never change: it answers on a socket what snapshot_write() writes.
 * Usage: standin-daemon SOCKET [TENANTS], the first four of which are those the cases know; the rest are alike.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "mem.h"
#include "rule_text.h"

static struct report *add(struct snapshot *snapshot, const char *name, enum tenant_state state)
{
	struct report *report = list_add(&snapshot->reports.of);

	report->record.cgroup = 4096 + snapshot->reports.of.n;
	report->record.tenancy = snapshot->reports.of.n;
	report->record.since = 1790000000;
	report->limit = SW_NO_LIMIT;
	report->settings.budget = SW_NO_LIMIT;
	report->settings.serial = state == TENANT_INCOMPLETE ? 0 : 3;
	report->settings.protocols = 3;
	report->settings.idle_timeout = 600;
	report->settings.rules = 9;
	report->state = state;
	snprintf(report->record.name, sizeof(report->record.name), "%s", name);
	snprintf(report->record.path, sizeof(report->record.path), "/sys/fs/cgroup/sockwarden/%s", name);
	strcpy(report->record.policy, "appengine");
	if (report->settings.serial)
		strcpy(report->settings.policy, "appengine");
	return report;
}

static void add_rule(struct report *report, __u32 number, __u64 hits, const char *text, const char *id)
{
	struct rule_hits *rule = list_add(&report->rules);

	rule->rule = number;
	rule->hits = hits;
	rule->text.line = 10 + number % 100;
	rule_pack(rule->text.text, (const char *const[RULE_PARTS]){ text, "", id, "" });
}

/* More bytes than a double keeps apart would do no good here: Prometheus has doubles. */
static void add_busy(struct snapshot *snapshot)
{
	struct report *report = add(snapshot, "busy", TENANT_ENFORCED);

	report->meter.of[SW_BILLABLE][SW_EGRESS] = (struct sw_traffic){ 9007199254740991, 9007199254000000, 123456789 };
	report->meter.of[SW_BILLABLE][SW_INGRESS] = (struct sw_traffic){ 52000, 48000, 100 };
	report->meter.of[SW_EXEMPT][SW_EGRESS] = (struct sw_traffic){ 1040, 1000, 1 };
	report->settings.budget = 1000;
	report->limit = 5000;
	report->counts.spent = 4950;
	report->counts.allowed = 17;
	report->counts.denied[SW_REASON_RULE] = 5;
	report->counts.denied[SW_REASON_OVER_BUDGET] = 2;
	report->counts.closed[SW_CAUSE_IDLE] = 6;
	report->counts.closed[SW_CAUSE_TRANSFER] = 1;
	report->counts.log_dropped = 1;
	report->settings.named = 1;
	report->names.n[SW_NAMING_LEARNED] = 21;
	report->names.n[SW_NAMING_CLOSED] = 3;
	add_rule(report, 3, 5, "deny: {port: 25}", "");
	add_rule(report, 4, 3, "deny: {net: special}", "inside");
	add_rule(report, SW_RULE_DEFAULT, 17, "", "");
}

static void add_odd(struct snapshot *snapshot)
{
	struct report *report = add(snapshot, "a \"quoted\\\"\nname \xc3\xa9", TENANT_AUDITED);

	report->meter.of[SW_BILLABLE][SW_EGRESS] = (struct sw_traffic){ 1500, 1460, 1 };
	report->counts.denied[SW_REASON_OPTION] = 4;
	report->counts.audited = 4;
	report->counts.closed[SW_CAUSE_REVOKED] = 2;
}

static void add_plain(struct snapshot *snapshot)
{
	char name[32];
	struct report *report;

	snprintf(name, sizeof(name), "tenant-%05zu", snapshot->reports.of.n);
	report = add(snapshot, name, TENANT_ENFORCED);
	for (int direction = 0; direction < SW_DIRECTIONS; direction++)
		report->meter.of[SW_BILLABLE][direction] =
			(struct sw_traffic){ 1000000007 + snapshot->reports.of.n, 900000001, 1000003 };
	report->counts.allowed = 1000;
	report->counts.denied[SW_REASON_RULE] = 10;
	add_rule(report, 6, 10, "deny: {net: special}", "");
	add_rule(report, 3, 3, "deny: {port: 25}", "");
	add_rule(report, SW_RULE_DEFAULT, 1000, "", "");
}

static void fill(struct snapshot *snapshot, size_t tenants)
{
	snapshot->daemon = (struct daemon_state){
		.started = 1790000000123,
		.ticked = 1790000060456,
		.ticks = 7,
		.rows = 21,
		.postponed = 1,
		.reloads = 2,
		.events = 9,
		.tick_cpu_ns = 1234567890,
		.ledger_size = 40960,
		.waiting = 3,
		.published = 1789948800000,
		.interval = 60,
		.booking = 1,
		.reaper = {
			.passed = 1790000059789,
			.passes = 12,
			.errors = 1,
			.cpu_ns = 4567891234,
			.longest_ns = 345678,
			.seen = 200000,
			.stuck = 2,
			.n_held = 1,
			.held = { { .since = 1790000000000, .sockets = 2, .tenant = "half" } },
		},
	};
	snapshot->reports.support = (struct support){ CLOSING_BY_ITERATOR, 1U << SW_WATCH_RECEIVE };
	add(snapshot, "busy", TENANT_GONE)->meter.of[SW_BILLABLE][SW_EGRESS].bytes =
		1; /* the name was given out again */
	add_busy(snapshot);
	add_odd(snapshot);
	add(snapshot, "half", TENANT_INCOMPLETE);
	while (snapshot->reports.of.n < tenants)
		add_plain(snapshot);
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || chmod(path, 0666) || listen(fd, 16))
		return -1;
	return fd;
}

static void answer(int fd, const struct snapshot *snapshot)
{
	char question[sizeof(SNAPSHOT_ASK)] = "";
	FILE *out = fdopen(fd, "r+");

	if (!out)
		abort();
	if (fgets(question, sizeof(question), out) && !strcmp(question, SNAPSHOT_ASK)) {
		fseek(out, 0, SEEK_CUR);
		snapshot_write(snapshot, out);
	}
	fclose(out);
}

int main(int argc, char **argv)
{
	struct snapshot snapshot = { 0 };
	int fd = argc > 1 ? listen_at(argv[1]) : -1, peer;

	if (fd < 0) {
		perror("standin-daemon: SOCKET");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	fill(&snapshot, argc > 2 ? strtoul(argv[2], NULL, 10) : 0);
	while ((peer = accept(fd, NULL, NULL)) >= 0)
		answer(peer, &snapshot);
	return 1;
}
