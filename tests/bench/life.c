// SPDX-License-Identifier: GPL-2.0-only
/* A small policy comes, changes and goes, beside a tenant that stays: the first one of a host has more to do. */
#include <stdlib.h>

#include "bench.h"

enum step { ATTACH, SWAP, DETACH, VERSION, STEPS };

static const char *const names[] = {
	[ATTACH] = "attach",
	[SWAP] = "attach --replace",
	[DETACH] = "detach",
	[VERSION] = "sockwarden --version: the process alone",
};

void bench_life(void)
{
	static double us[STEPS][ROUNDS];
	char cgroup[SW_PATH_MAX], beside[SW_PATH_MAX], own[SW_PATH_MAX], one[SW_PATH_MAX], two[SW_PATH_MAX];
	const char *self = getenv("BENCH_SOCKWARDEN");
	const char *const args[STEPS][9] = {
		[ATTACH] = { self, "attach", "--tenant", "bench-life", "--policy", one, cgroup },
		[SWAP] = { self, "attach", "--tenant", "bench-life", "--policy", two, "--replace", cgroup },
		[DETACH] = { self, "detach", "bench-life" },
		[VERSION] = { self, "--version" },
	};

	cgroup_add("life", cgroup);
	cgroup_add("beside", beside);
	policy_write(10, 1, one);
	policy_write(10, 2, two);
	policy_write(10, 3, own);
	attach(beside, "bench-beside", own);
	for (int round = 0; round < ROUNDS; round++)
		for (int step = 0; step < STEPS; step++)
			us[step][round] = sockwarden(args[step]).wall * 1e3;
	detach("bench-beside");
	cell("step");
	cell("us");
	cell("quartiles");
	for (int step = 0; step < STEPS; step++) {
		struct quartiles q = quartiles(us[step], ROUNDS);

		cell("%s", names[step]);
		cell("%.0f", q.median);
		cell("%.0f-%.0f", q.low, q.high);
	}
	table_print("A policy of ten prefixes, wall time of the command", 3);
}
