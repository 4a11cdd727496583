// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real traffic over a veth pair: clients that do the same work, one held back by nothing, one by sockwarden, and one each
 * by what else can hold a cgroup back from some prefixes and count its packets (tests/bench/peer).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum who {
	NONE,
	FLOOR, /* empty programs, wherever sockwarden has one */
	OURS,
	NFTABLES,
	SYSTEMD,
	BPFILTER,
	FEWEST, /* sockwarden with the smallest of `sizes`, beside `OURS` with more; it has no column */
	WHO_COUNT,
};

#define COLUMNS FEWEST

static const char *const names[] = {
	[NONE] = "none",       [FLOOR] = "floor",       [OURS] = "sockwarden", [NFTABLES] = "nftables",
	[SYSTEMD] = "systemd", [BPFILTER] = "bpfilter", [FEWEST] = "fewest",
};

static const unsigned sizes[] = { 10, 10000, 1000000 };

#define SIZES ((int)(sizeof(sizes) / sizeof(sizes[0])))

static const struct row {
	enum load_id load;
	const char *aim; /* sockwarden against none */
	int weight;      /* share of the time: TCP varies the more */
	bool all_sizes;
} rows[] = {
	{ LOAD_SOCKET, "1.03", 1, false },
	{ LOAD_REFUSED, "1.05", 2, false },
	{ LOAD_TCP_FAR, "1.04", 2, true },
	{ LOAD_SERVED, "-", 2, false },
	{ LOAD_REQUEST, "1.045", 2, false },
	{ LOAD_STREAM, "1.045", 4, false },
	{ LOAD_SEND_FAR, "1.06", 1, true },
	{ LOAD_CROWD, "-", 1, false },
	{ LOAD_SENDTO_FAR, "1.07", 1, true },
	{ LOAD_SENDTO_FAR_TWO, "1.08", 1, false },
	{ LOAD_SENDTO_FAR_SIXTEEN, "1.10", 1, false },
	{ LOAD_REFUSED6, "1.05", 2, false },
	{ LOAD_SEND_FAR6, "1.06", 1, false },
	{ LOAD_SENDTO_FAR6, "1.07", 1, false },
};

/* Those who are there for one size. */
static unsigned prefixes;
static struct client clients[WHO_COUNT];
static int at[WHO_COUNT], n_clients; /* whose is which; -1: not there */

static bool has_column[COLUMNS];
static char notes[WHO_COUNT * SIZES][320];
static int n_notes;

/* Runs tests/bench/peer. Returns false with the last line it wrote in `why`. */
static bool peer(const char *const args[], char *why, int size)
{
	int ends[2], status, pid;
	FILE *said;

	*why = 0;
	if (pipe(ends))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv(args[0], (char *const *)args);
		_exit(127);
	}
	close(ends[1]);
	said = fdopen(ends[0], "r");
	while (fgets(why, size, said))
		why[strcspn(why, "\n")] = 0;
	fclose(said);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("%s: %s", args[0], strerror(errno));
	return !status;
}

/* Writes the prefixes of all sizes, and starts the machine whose systemd will hold clients back from them. */
static void boot(void)
{
	char texts[SIZES][16], policy[SW_PATH_MAX], why[256];
	const char *args[SIZES + 3] = { given("BENCH_PEER"), "boot" };

	for (int i = 0; i < SIZES; i++) {
		policy_write(sizes[i], 0, policy);
		snprintf(texts[i], sizeof(texts[i]), "%u", sizes[i]);
		args[i + 2] = texts[i];
	}
	if (!peer(args, why, sizeof(why)))
		die("the machine with systemd: %s", why);
}

static struct client *join(enum who who, const char *cgroup)
{
	struct client *client = &clients[n_clients];

	at[who] = n_clients++;
	snprintf(client->cgroup, sizeof(client->cgroup), "%s", cgroup);
	client_start_in(client, who == NFTABLES ? NETWORK_TWIN : NETWORK_OWN);
	return client;
}

static void tenant_name(unsigned size, char name[32])
{
	snprintf(name, 32, "peers-%u", size);
}

static void start_ours(enum who who, unsigned size)
{
	char name[32], policy[SW_PATH_MAX], cgroup[SW_PATH_MAX];

	tenant_name(size, name);
	cgroup_add(name, cgroup);
	policy_write(size, 0, policy);
	attach(cgroup, name, policy);
	join(who, cgroup);
}

static void start_plain(enum who who)
{
	char cgroup[SW_PATH_MAX];

	cgroup_add(names[who], cgroup);
	join(who, cgroup);
}

static void start_peer(enum who who)
{
	char size[16], why[256], cgroup[SW_PATH_MAX];

	snprintf(size, sizeof(size), "%u", prefixes);
	if (who == SYSTEMD)
		snprintf(cgroup, sizeof(cgroup), "%s/machine/system.slice/peer-%s.service", cgroup_base(), size);
	else
		cgroup_add(names[who], cgroup);
	if (peer((const char *[]){ given("BENCH_PEER"), names[who], size, cgroup, NULL }, why, sizeof(why))) {
		join(who, cgroup);
		return;
	}
	snprintf(notes[n_notes++], sizeof(notes[0]), "Without %s at %s prefixes: %s.", names[who], size, why);
}

/* What is measured must be held back, and what is not must not. */
static void check(enum who who)
{
	unsigned size = who == FEWEST ? sizes[0] : prefixes;
	const unsigned some[] = { 0, 1, size / 2, size / 2 + 1, size - 2, size - 1 };

	for (int i = 0; i < 6; i++)
		if (client_reaches(&clients[at[who]], some[i]) != (who == NONE || who == FLOOR))
			die("'%s' does not do what it should, at %u prefixes", names[who], prefixes);
}

/* Returns how many links the floor has. */
static int start(bool first, int links[SW_HOOK_COUNT])
{
	n_clients = 0;
	for (int who = 0; who < WHO_COUNT; who++)
		at[who] = -1;
	start_plain(NONE);
	start_ours(OURS, prefixes);
	start_plain(FLOOR);
	if (!first)
		start_ours(FEWEST, sizes[0]);
	for (int who = NFTABLES; who <= BPFILTER; who++)
		if (first || has_column[who])
			start_peer(who);
	return hooks_copy(clients[at[FLOOR]].cgroup, clients[at[OURS]].cgroup, links);
}

static void stop(const int links[], int n_links)
{
	char name[32];

	for (int i = 0; i < n_links; i++)
		close(links[i]);
	for (int i = 0; i < n_clients; i++)
		client_stop(&clients[i]);
	tenant_name(prefixes, name);
	detach(name);
	tenant_name(sizes[0], name);
	if (at[FEWEST] >= 0)
		detach(name);
}

static void ratio(enum who over, enum who under, double ns[][ROUNDS])
{
	struct quartiles q;

	if (at[over] < 0 || at[under] < 0) {
		cell("-");
		return;
	}
	q = ratios(ns[at[over]], ns[at[under]], ROUNDS);
	cell("%.3f (%.3f-%.3f)", q.median, q.low, q.high);
}

static void heading(void)
{
	cell("operation");
	cell("prefixes");
	cell("none, ns");
	for (int who = FLOOR; who < COLUMNS; who++) {
		if (has_column[who])
			cell("%s", names[who]);
		if (who == OURS)
			cell("aim");
	}
	cell("against %u", sizes[0]);
}

static int columns(void)
{
	int n = 5;

	for (int who = FLOOR; who < COLUMNS; who++)
		n += has_column[who];
	return n;
}

static void measure(const struct row *row, int ms)
{
	static double ns[WHO_COUNT][ROUNDS];

	for (int i = 0; i < n_clients; i++)
		client_open(&clients[i], row->load);
	take_turns(clients, n_clients, ms * row->weight, ns);
	for (int i = 0; i < n_clients; i++)
		client_close(&clients[i]);
	cell("%s", loads[row->load].name);
	cell("%u", prefixes);
	cell("%.0f", quartiles(ns[at[NONE]], ROUNDS).median);
	for (int who = FLOOR; who < COLUMNS; who++) {
		if (has_column[who])
			ratio(who, NONE, ns);
		if (who == OURS)
			cell("%s", row->aim);
	}
	ratio(OURS, FEWEST, ns);
}

static void measure_size(unsigned size, int ms)
{
	bool first = size == sizes[0];
	int links[SW_HOOK_COUNT], n_links;

	prefixes = size;
	n_links = start(first, links);
	for (int who = 0; who < WHO_COUNT; who++)
		if (at[who] >= 0)
			check(who);
	for (int who = 0; who < COLUMNS && first; who++)
		has_column[who] = at[who] >= 0;
	if (first)
		heading();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (first || rows[i].all_sizes)
			measure(&rows[i], ms);
	stop(links, n_links);
}

void bench_peers(int ms, const char *empty_object)
{
	boot();
	empty_load(empty_object);
	far_listen();
	for (int i = 0; i < SIZES; i++)
		measure_size(sizes[i], ms);
	table_print("Traffic under a whole policy, and under what else there is, against none", columns());
	for (int i = 0; i < n_notes; i++)
		printf("\n%s\n", notes[i]);
}
