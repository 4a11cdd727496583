// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a question to a name server and its answer cost a tenant whose policy has names, beside one whose policy has none,
 * and beside nobody's. That an answer did what the row says is seen by what was counted.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define TURN_MS 8
#define TURNS   3 /* of a round */
#define SIDES   3 /* of a row: NONE, PLAIN, and whose it is */

enum who { NONE, PLAIN, NAMES, GATE, WHO_COUNT };

static const char *const names[] = {
	[NONE] = "names-none",
	[PLAIN] = "names-plain",
	[NAMES] = "names",
	[GATE] = "names-gate",
};

#define POLICY_HEAD "resolvers: [" NAME_SERVER "]\nkeep: 1s\nsockopts: {other: allow}\ndefault: deny\n"
#define POLICY_RULE "rules:\n  - allow: {net: " NAME_SERVER ", port: 53}\n"
#define POLICY_NAME "  - allow: {name: [" NAME_NAMED ", '*.example.net'], port: [443, 7001, 7003]}\n"

static const char *const policies[] = {
	[PLAIN] = "sockopts: {other: allow}\ndefault: deny\n" POLICY_RULE "  - allow: {net: " FAR4
		  ", port: [7001, 7003]}\n",
	[NAMES] = POLICY_HEAD POLICY_RULE POLICY_NAME,
	[GATE] = POLICY_HEAD "gate: dns\nsearch: none\n" POLICY_RULE POLICY_NAME,
};

/* What one operation must add to the tenant's counters; to no other does it add anything. */
static const struct row {
	enum load_id load;
	enum who who;
	const char *note;
	int asked, answered, learned, renewed;
} rows[] = {
	{ LOAD_ASK_NEGATIVE, NAMES, "", 1, 1, 0, 0 },
	{ LOAD_ASK_NEGATIVE, GATE, ", gate: dns", 1, 1, 0, 0 },
	{ LOAD_ASK_ANEW, NAMES, "", 1, 1, 0, 0 },
	{ LOAD_ASK_RENEWED, NAMES, "", 1, 1, 0, 1 },
	{ LOAD_ASK_RENEWED, GATE, ", gate: dns", 1, 1, 0, 1 },
	{ LOAD_ASK_NEW, NAMES, "", 1, 1, 1, 0 },
	{ LOAD_ASK_NEW_MANY, NAMES, "", 1, 1, 60, 0 },
	{ LOAD_ASK_ALIASES, NAMES, "", 1, 1, 0, 1 },
	{ LOAD_ASK_STRANGE, NAMES, "", 0, 0, 0, 0 },
	{ LOAD_ASK_STREAM, NAMES, "", 0, 1, 0, 1 },
	{ LOAD_ASK_STREAM, GATE, ", gate: dns", 0, 1, 0, 1 },
	{ LOAD_NAMED_CONNECT, NAMES, ", opened by name", 0, 0, 0, 0 },
	{ LOAD_NAMED_SEND, NAMES, ", opened by name", 0, 0, 0, 0 },
	{ LOAD_NAMED_SENDTO, NAMES, ", opened by name", 0, 0, 0, 0 },
};

static struct client clients[WHO_COUNT];
static struct sw_tenant tenants[WHO_COUNT];

static struct {
	int tenants, namings, grants, turns;
} maps;

static void start(enum who who)
{
	char path[SW_PATH_MAX], cgroup[SW_PATH_MAX];
	FILE *out;

	if (policies[who]) {
		snprintf(path, sizeof(path), "/run/bench-%s.yaml", names[who]);
		out = fopen(path, "w");
		if (!out || fputs(policies[who], out) < 0 || fclose(out))
			die("%s: %s", path, strerror(errno));
		cgroup_add(names[who], cgroup);
		attach(cgroup, names[who], path);
	}
	client_start(&clients[who], names[who]);
}

static void maps_open(void)
{
	maps.tenants = pinned("", "tenants");
	maps.namings = pinned("", "namings");
	maps.grants = pinned("", "grants");
	maps.turns = pinned("", "turns");
	for (int who = PLAIN; who < WHO_COUNT; who++) {
		__u64 id = cgroup_number(clients[who].cgroup);

		if (bpf_map_lookup_elem(maps.tenants, &id, &tenants[who]))
			die("the tenant's storage: %s", strerror(errno));
	}
}

static struct sw_naming_counts counts_read(enum who who)
{
	struct sw_naming_counts counts;

	if (bpf_map_lookup_elem(maps.namings, &tenants[who].slot, &counts))
		die("what was counted of names: %s", strerror(errno));
	return counts;
}

/* As if the time of all that is open were over, and so that there is room for as much again. */
static void forget(enum who who)
{
	struct sw_turn turn = { .tenancy = tenants[who].tenancy };
	struct sw_grant_key key = { .tenancy = tenants[who].tenancy };

	for (turn.at = 0; turn.at < SW_GRANTS_EACH; turn.at++) {
		if (bpf_map_lookup_elem(maps.turns, &turn, &key.addr))
			continue;
		bpf_map_delete_elem(maps.grants, &key);
		bpf_map_delete_elem(maps.turns, &turn);
	}
}

static void check(const struct row *row, const struct sw_naming_counts *before, long done)
{
	const long each[SW_NAMING_COUNT] = {
		[SW_NAMING_ASKED] = row->asked,
		[SW_NAMING_ANSWERED] = row->answered,
		[SW_NAMING_LEARNED] = row->learned,
		[SW_NAMING_RENEWED] = row->renewed,
	};
	struct sw_naming_counts after = counts_read(row->who);

	for (int i = 0; i < SW_NAMING_COUNT; i++)
		if ((long)(after.n[i] - before->n[i]) != each[i] * done)
			die("'%s%s': %ld times should be %ld of counter %d, and are %ld", loads[row->load].name,
			    row->note, done, each[i] * done, i, (long)(after.n[i] - before->n[i]));
}

static void take_round(const struct row *row, const enum who sides[SIDES], double ns[SIDES])
{
	for (int i = 0; i < SIDES; i++)
		ns[i] = 0;
	for (int turn = 0; turn < TURNS; turn++) {
		for (int i = 0; i < SIDES; i++) {
			int side = (i + turn) % SIDES;

			ns[side] += client_turn(&clients[sides[side]], TURN_MS) / TURNS;
			if (sides[side] == row->who && loads[row->load].answer->fresh)
				forget(row->who);
		}
	}
}

/* Of each round: a round may be slow. */
static double difference(const double *over, const double *under)
{
	double v[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		v[i] = over[i] - under[i];
	return quartiles(v, ROUNDS).median;
}

static void print(const struct row *row, double ns[SIDES][ROUNDS])
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s", loads[row->load].name, row->note);
	cell("%s", text);
	for (int i = 0; i < SIDES; i++)
		cell("%.0f", quartiles(ns[i], ROUNDS).median);
	for (int i = 0; i < SIDES - 1; i++) {
		struct quartiles q = ratios(ns[SIDES - 1], ns[i], ROUNDS);

		cell("%.0f", difference(ns[SIDES - 1], ns[i]));
		cell("%.3f (%.3f-%.3f)", q.median, q.low, q.high);
	}
}

static void measure(const struct row *row)
{
	const enum who sides[SIDES] = { NONE, PLAIN, row->who };
	static double ns[SIDES][ROUNDS];
	struct client *client = &clients[row->who];
	struct sw_naming_counts before;
	double once[SIDES];

	for (int i = 0; i < SIDES; i++)
		client_open(&clients[sides[i]], row->load);
	take_round(row, sides, once);
	before = counts_read(row->who);
	client->done = 0;
	for (int round = 0; round < ROUNDS; round++) {
		take_round(row, sides, once);
		for (int i = 0; i < SIDES; i++)
			ns[i][round] = once[i];
	}
	check(row, &before, client->done);
	for (int i = 0; i < SIDES; i++)
		client_close(&clients[sides[i]]);
	print(row, ns);
}

void bench_names(void)
{
	static const char *const heading[] = { "answer",         "none, ns",   "no names, ns",       "names, ns",
					       "more than none", "names/none", "more than no names", "names/no names" };

	answers_open();
	for (int who = 0; who < WHO_COUNT; who++)
		start(who);
	maps_open();
	for (int i = 0; i < 8; i++)
		cell("%s", heading[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		measure(&rows[i]);
	for (int who = 0; who < WHO_COUNT; who++) {
		client_stop(&clients[who]);
		if (policies[who])
			detach(names[who]);
	}
	table_print("A question to a name server and its answer", 8);
}
