// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same under another build, $BENCH_BEFORE, and under this one, in one run: what a change costs that is less than the
 * difference between two runs. Each build has its programs in a BPF file system of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "bench.h"

#define BPFFS "/sys/fs/bpf"

enum who { NONE, BEFORE, OURS, WHO_COUNT };

static const char *const names[] = { [NONE] = "builds-none", [BEFORE] = "builds-before", [OURS] = "builds" };

static void start(struct client *client, enum who who, const char *build, const char *policy)
{
	char cgroup[SW_PATH_MAX];

	cgroup_add(names[who], cgroup);
	if (build)
		sockwarden(
			(const char *[]){ build, "attach", "--tenant", names[who], "--policy", policy, cgroup, NULL });
	client_start(client, names[who]);
}

static void measure(struct client clients[], enum load_id load, int ms)
{
	static double ns[WHO_COUNT][ROUNDS];

	for (int who = 0; who < WHO_COUNT; who++)
		client_open(&clients[who], load);
	take_turns(clients, WHO_COUNT, ms, ns);
	for (int who = 0; who < WHO_COUNT; who++)
		client_close(&clients[who]);
	cell("%s", loads[load].name);
	cell("%s", loads[load].peer);
	for (int who = 0; who < WHO_COUNT; who++)
		cell("%.0f", quartiles(ns[who], ROUNDS).median);
	cell_ratio(ratios(ns[OURS], ns[BEFORE], ROUNDS));
}

void bench_builds(int ms)
{
	static const char *const heading[] = { "operation", "to",         "none, ns", "before, ns",
					       "now, ns",   "now/before", "quartiles" };
	const char *before = getenv("BENCH_BEFORE");
	struct client clients[WHO_COUNT];
	char policy[SW_PATH_MAX];

	if (!before)
		return;
	far_listen();
	policy_write(10, 0, policy);
	start(&clients[NONE], NONE, NULL, NULL);
	start(&clients[OURS], OURS, program(), policy);
	if (mount("bpf", BPFFS, "bpf", 0, NULL))
		die("a second BPF file system: %s", strerror(errno));
	start(&clients[BEFORE], BEFORE, before, policy);
	for (int i = 0; i < 7; i++)
		cell("%s", heading[i]);
	for (int load = 0; load < LOAD_HOLD_IDLE; load++)
		measure(clients, load, ms);
	for (int who = 0; who < WHO_COUNT; who++)
		client_stop(&clients[who]);
	sockwarden((const char *[]){ before, "detach", names[BEFORE], NULL });
	if (umount(BPFFS))
		die("the second BPF file system: %s", strerror(errno));
	detach(names[OURS]);
	table_print("Under another build and under this one", 7);
}
