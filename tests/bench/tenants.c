// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to meter, book and show 10,000 tenants. They are cgroups, attached as any other; a few have a sender.
 * Ten thousand senders cannot be had, so the meters of the others are moved by writes to their map. The daemon books
 * when it is told to, and says itself what a tick took.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "detach.h"
#include "hold.h"
#include "state.h"
#include "tenants.h"

void must(int err, const struct fault *fault)
{
	if (err)
		die("%s", fault->text);
}

/* Tenant 00001 is in slot 1, and so on. */
static const char *cgroup_numbered(__u32 slot)
{
	static char name[32];

	snprintf(name, sizeof(name), "tenants/%05u", slot);
	return name;
}

/* The tenants of the parts before this one, of which nobody books anything. */
static void forget_ended(void)
{
	struct fault fault;
	struct host host;

	must(host_open(&host, HOST_LOADING, &fault), &fault);
	for_each_slot_of(slot, &host, SLOTS(ENDED))
		must(tenancy_release(&host, tenancy_in(&host, slot), &fault), &fault);
	host_close(&host);
}

static void attach_one(struct host *host, __u32 slot, const struct sw_tenant *first, const char *policy)
{
	char path[SW_PATH_MAX], name[32];
	const struct attachment as = { .name = name, .policy = policy };
	const struct terms terms = { .image = { first->image, first->serial }, .limit = first->limit };
	struct cgroup cgroup;
	struct fault fault;
	struct tenancy taken;

	snprintf(name, sizeof(name), "bench-%05u", slot);
	cgroup_add(cgroup_numbered(slot), path);
	must(cgroup_open(&cgroup, path, &fault), &fault);
	must(tenancy_hold(host, &cgroup, &as, &terms, &taken, &fault), &fault);
	if (taken.slot != slot)
		die("%s is not in slot %u", name, slot);
	cgroup_close(&cgroup);
}

static void add_budget(const char *policy)
{
	FILE *out = fopen(policy, "a");

	if (!out || fputs("budget: {bytes: 100GiB, per: month, over: refuse}\n", out) == EOF || fclose(out))
		die("%s: %s", policy, strerror(errno));
}

/*
 * The program attaches the first, and with it loads the policy that all have. Microseconds of processor time for one
 * of the others.
 */
static double attach_all(void)
{
	char path[SW_PATH_MAX], policy[SW_PATH_MAX];
	struct sw_tenant first;
	struct fault fault;
	struct host host;
	const struct process self = { .clock = CLOCK_PROCESS_CPUTIME_ID };
	double begin;

	cgroup_add("tenants", path);
	cgroup_add(cgroup_numbered(1), path);
	policy_write(10, 0, policy);
	add_budget(policy);
	forget_ended();
	attach(path, "bench-00001", policy);
	must(host_open(&host, HOST_CHANGING, &fault), &fault);
	if (host_storage(&host, cgroup_number(path), &first))
		die("%s is no tenant", path);
	begin = process_cpu(&self);
	for (__u32 slot = 2; slot <= TENANTS; slot++)
		attach_one(&host, slot, &first, policy);
	host_close(&host);
	return (process_cpu(&self) - begin) * 1e3 / (TENANTS - 1);
}

static bool has_sender(__u32 slot)
{
	return slot % 100 == 0 && slot <= SENDERS * 100;
}

/* A few MB at most, and another amount each time. */
static void add_traffic(struct sw_meter *meter)
{
	static __u64 seed;

	for (int direction = 0; direction < SW_DIRECTIONS; direction++) {
		struct sw_traffic *traffic = &meter->of[SW_BILLABLE][direction];
		__u64 packets;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		packets = 1 + (seed >> 33) % 1000;
		traffic->packets += packets;
		traffic->payload += packets * 1000;
		traffic->bytes += packets * 1052;
	}
}

/* One tenant in `every` has traffic; none if that is 0. */
void move_meters(const struct host *host, struct client *senders, unsigned every)
{
	int cpus = libbpf_num_possible_cpus(), map = host->map[MAP_meters];
	struct sw_meter per_cpu[cpus];

	for (__u32 slot = every; every && slot <= TENANTS; slot += every) {
		if (has_sender(slot))
			continue;
		if (bpf_map_lookup_elem(map, &slot, per_cpu))
			die("a meter: %s", strerror(errno));
		add_traffic(&per_cpu[slot % cpus]);
		if (bpf_map_update_elem(map, &slot, per_cpu, BPF_EXIST))
			die("a meter: %s", strerror(errno));
	}
	for (int i = 0; every && i < SENDERS; i++)
		client_turn(&senders[i], 1);
}

/* As if a rule and the default had decided something for each. */
static void add_hits(const struct host *host)
{
	for (__u32 slot = 1; slot <= TENANTS; slot++) {
		const struct sw_block *block = &host->blocks[slot];
		const __u32 counters[] = { block->first, block->first + block->count - 1 };
		__u64 hits = slot;

		for (int i = 0; i < 2; i++)
			if (bpf_map_update_elem(host->map[MAP_hits], &counters[i], &hits, BPF_ANY))
				die("a rule's counter: %s", strerror(errno));
	}
}

/* Removes the cgroups of the last tenants, and waits until the kernel has forgotten them. */
static void end_some(const struct host *host)
{
	for (__u32 slot = TENANTS - ENDING + 1; slot <= TENANTS; slot++)
		if (rmdir(host->records[slot].path))
			die("%s: %s", host->records[slot].path, strerror(errno));
	for (__u32 slot = TENANTS - ENDING + 1; slot <= TENANTS; slot++)
		while (tenancy_outlives_cgroup(host, tenancy_in(host, slot)))
			usleep(10000);
}

static void start_senders(struct client *senders)
{
	for (int i = 0; i < SENDERS; i++) {
		client_start(&senders[i], cgroup_numbered(100 * (i + 1)));
		client_open(&senders[i], LOAD_SEND_NULL);
	}
}

static void stop_senders(struct client *senders)
{
	for (int i = 0; i < SENDERS; i++)
		client_stop(&senders[i]);
}

struct rare {
	double attach, first, restart, end, daemon, exporter;
};

static void row(const char *what, double value, const char *unit)
{
	cell("%s", what);
	cell("%.0f %s", value, unit);
}

static void print_rare(const struct rare *rare)
{
	cell("what");
	cell("cost");
	row("attach, all by one process, CPU for each", rare->attach, "us");
	row("first tick, all active, CPU", rare->first, "ms");
	row("tick after a restart, renews all budgets, CPU", rare->restart, "ms");
	row("tick that ends 1,000 tenants at once, CPU", rare->end, "ms");
	row("daemon, peak in memory", rare->daemon, "MB");
	row("exporter, peak in memory", rare->exporter, "MB");
	table_print("10,000 tenants come, stay and go", 2);
}

void bench_tenants(void)
{
	struct client senders[SENDERS];
	struct rare rare = { .attach = attach_all() };
	struct process daemon = daemon_start();
	struct fault fault;
	struct host host;

	must(host_open(&host, HOST_READING, &fault), &fault);
	start_senders(senders);
	move_meters(&host, senders, 1);
	rare.first = tick(&daemon).ms;
	print_ticks(&daemon, &host, senders);
	add_hits(&host);
	rare.exporter = print_scrapes(&daemon);
	rare.daemon = process_peak(&daemon);
	process_end(&daemon);
	daemon = daemon_start();
	rare.restart = daemon_figures().tick_cpu_ns / 1e6;
	end_some(&host);
	rare.end = tick(&daemon).ms;
	print_rare(&rare);
	process_end(&daemon);
	stop_senders(senders);
	host_close(&host);
}
