// SPDX-License-Identifier: GPL-2.0-only
/* One million prefixes from a policy file into the kernel, against a bare trie filled with the same. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define PREFIXES 1000000
#define TIMES    5

static struct sw_prefix *keys;
static struct sw_class *values;

static void make_elements(void)
{
	keys = calloc(PREFIXES, sizeof(*keys));
	values = calloc(PREFIXES, sizeof(*values));
	if (!keys || !values)
		die("no memory");
	for (unsigned i = 0; i < PREFIXES; i++) {
		keys[i] = prefix_of(i);
		values[i].count = 1;
	}
}

static int new_trie(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "bench", sizeof(*keys), sizeof(*values), PREFIXES, &create);

	if (fd < 0)
		die("an LPM trie: %s", strerror(errno));
	return fd;
}

static void one_by_one(void)
{
	int fd = new_trie();

	for (unsigned i = 0; i < PREFIXES; i++)
		if (bpf_map_update_elem(fd, &keys[i], &values[i], BPF_ANY))
			die("an element: %s", strerror(errno));
	close(fd);
}

static void in_a_batch(void)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	__u32 n = PREFIXES;
	int fd = new_trie();

	if (bpf_map_update_batch(fd, keys, values, &n, &options))
		die("a batch: %s", strerror(errno));
	close(fd);
}

static double ms_of(struct timeval t)
{
	return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

static struct cost cost_of(void (*fill)(void))
{
	struct rusage before, after;
	double begin = now_ns();

	getrusage(RUSAGE_SELF, &before);
	fill();
	getrusage(RUSAGE_SELF, &after);
	return (struct cost){ (now_ns() - begin) / 1e6, ms_of(after.ru_utime) - ms_of(before.ru_utime),
			      ms_of(after.ru_stime) - ms_of(before.ru_stime) };
}

/* The kernel gives a trie's memory back some time after it was let go. */
static void settle(void)
{
	sleep(1);
}

static char cgroup[SW_PATH_MAX], policy[SW_PATH_MAX];

static struct cost of_attach(void)
{
	struct cost cost = sockwarden((const char *[]){ getenv("BENCH_SOCKWARDEN"), "attach", "--tenant", "bench-load",
							"--policy", policy, cgroup, NULL });
	detach("bench-load");
	return cost;
}

static struct cost of_check(void)
{
	return sockwarden((const char *[]){ getenv("BENCH_SOCKWARDEN"), "policy", "check", policy, NULL });
}

static struct cost of_one_by_one(void)
{
	return cost_of(one_by_one);
}

static struct cost of_batch(void)
{
	return cost_of(in_a_batch);
}

static const struct way {
	const char *name;
	struct cost (*measure)(void);
} ways[] = {
	{ "bare trie, one by one", of_one_by_one },
	{ "bare trie, one batch", of_batch },
	{ "sockwarden policy check: compile only", of_check },
	{ "sockwarden attach: compile and load", of_attach },
};

#define WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

static void print(struct cost costs[WAYS][TIMES])
{
	double wall[WAYS][ROUNDS], cpu[WAYS][ROUNDS], user[TIMES], kernel[TIMES];

	for (int direction = 0; direction < WAYS; direction++) {
		for (int i = 0; i < TIMES; i++) {
			wall[direction][i] = costs[direction][i].wall;
			user[i] = costs[direction][i].user;
			kernel[i] = costs[direction][i].system;
			cpu[direction][i] = user[i] + kernel[i];
		}
		cell("%s", ways[direction].name);
		cell("%.0f", quartiles(wall[direction], TIMES).median);
		cell("%.0f", quartiles(user, TIMES).median);
		cell("%.0f", quartiles(kernel, TIMES).median);
		cell("%.3f", ratios(wall[direction], wall[0], TIMES).median);
		cell("%.3f", ratios(cpu[direction], cpu[0], TIMES).median);
		cell("%s", direction == WAYS - 1 ? "1.5" : "-");
	}
}

void bench_loading(void)
{
	static const char *const heading[] = { "way",        "wall ms",   "user ms", "system ms",
					       "wall ratio", "CPU ratio", "aim" };
	static struct cost costs[WAYS][TIMES];

	make_elements();
	cgroup_add("loading", cgroup);
	policy_write(PREFIXES, 0, policy);
	for (int i = 0; i < 7; i++)
		cell("%s", heading[i]);
	for (int i = 0; i < TIMES; i++) {
		for (int direction = 0; direction < WAYS; direction++) {
			costs[direction][i] = ways[direction].measure();
			settle();
		}
	}
	print(costs);
	table_print("One million prefixes", 7);
}
