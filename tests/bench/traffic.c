// SPDX-License-Identifier: GPL-2.0-only
/* Real traffic over a veth pair: one client without a policy, and one for each size of policy. */
#include <stdio.h>

#include "bench.h"

static const unsigned sizes[] = { 10, 1000, 100000, 1000000 };

#define SIZES   ((int)(sizeof(sizes) / sizeof(sizes[0])))
#define CLIENTS (SIZES + 1)

static const struct row {
	enum load_id load;
	const char *aim;   /* at any size, against no policy */
	const char *scale; /* the largest size against the smallest */
	int weight;        /* share of the time: TCP varies the more */
} rows[] = {
	{ LOAD_TCP_FAR, "1.03", "1.1", 2 },  { LOAD_STREAM, "1.02", "1.1", 4 },    { LOAD_SEND_FAR, "1.08", "1.1", 1 },
	{ LOAD_SENDTO_FAR, "1.15", "-", 1 }, { LOAD_SENDTO_FAR_TWO, "-", "-", 1 },
};

static void start(struct client clients[])
{
	char name[32], policy[SW_PATH_MAX];

	client_start(&clients[0], "open");
	for (int i = 0; i < SIZES; i++) {
		snprintf(name, sizeof(name), "prefixes-%u", sizes[i]);
		client_start(&clients[i + 1], name);
		policy_write(sizes[i], 0, policy);
		attach(clients[i + 1].cgroup, name, policy);
	}
}

static void stop(struct client clients[])
{
	char name[32];

	for (int i = 0; i < SIZES; i++) {
		snprintf(name, sizeof(name), "prefixes-%u", sizes[i]);
		detach(name);
	}
	for (int i = 0; i < CLIENTS; i++)
		client_stop(&clients[i]);
}

static void print(const struct row *row, double ns[CLIENTS][ROUNDS])
{
	for (int i = 1; i < CLIENTS; i++) {
		cell("%s", loads[row->load].name);
		cell("%u", sizes[i - 1]);
		cell("%.0f", quartiles(ns[0], ROUNDS).median);
		cell("%.0f", quartiles(ns[i], ROUNDS).median);
		cell_ratio(ratios(ns[i], ns[0], ROUNDS));
		cell("%s", row->aim);
		if (i < CLIENTS - 1) {
			cell(" ");
			cell(" ");
			continue;
		}
		cell("%.3f", ratios(ns[i], ns[1], ROUNDS).median);
		cell("%s", row->scale);
	}
}

void bench_traffic(int ms)
{
	static const char *const heading[] = { "operation", "prefixes", "no policy",        "policy", "ratio",
					       "quartiles", "aim",      "largest/smallest", "aim" };
	static double ns[CLIENTS][ROUNDS];
	struct client clients[CLIENTS];

	far_listen();
	start(clients);
	for (int i = 0; i < 9; i++)
		cell("%s", heading[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int who = 0; who < CLIENTS; who++)
			client_open(&clients[who], rows[i].load);
		take_turns(clients, CLIENTS, ms * rows[i].weight, ns);
		for (int who = 0; who < CLIENTS; who++)
			client_close(&clients[who]);
		print(&rows[i], ns);
	}
	stop(clients);
	table_print("Traffic under a whole policy against none, ns per operation", 9);
}
