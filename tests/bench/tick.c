// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tick, and what it is compared with: the same maps read by the same system calls, and as many rows of as many
 * numbers written to a plain table, both without looking at them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tenants.h"

#define DAY 86400

static void bare_read(const struct host *host)
{
	struct sw_meter *per_cpu = mem_alloc((size_t)TENANTS * libbpf_num_possible_cpus(), sizeof(*per_cpu));
	__u32 *keys = mem_alloc(TENANTS, sizeof(*keys)), n = TENANTS, next;
	struct sw_tenant tenant;

	for (__u32 slot = 1; slot <= TENANTS; slot++)
		if (host_storage(host, host->records[slot].cgroup, &tenant))
			die("a storage: %s", strerror(errno));
	if (bpf_map_lookup_batch(host->map[MAP_meters], NULL, &next, keys, per_cpu, &n, NULL))
		die("the meters: %s", strerror(errno));
	free(keys);
	free(per_cpu);
}

static void sql(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL))
		die("%s: %s", text, sqlite3_errmsg(db));
}

static sqlite3 *bare_open(void)
{
	char path[SW_PATH_MAX];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/bare.db", ledger_folder());
	if (sqlite3_open(path, &db))
		die("%s: %s", path, sqlite3_errmsg(db));
	sql(db, "PRAGMA synchronous = EXTRA; CREATE TABLE bare (a, b, c, d, e, f, g, h, i, j, k)");
	return db;
}

/* Eleven numbers a row, as an entry has. */
static void bare_write(sqlite3 *db, __u64 rows)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, "INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &stmt, NULL))
		die("%s", sqlite3_errmsg(db));
	sql(db, "BEGIN EXCLUSIVE");
	for (__u64 row = 0; row < rows; row++) {
		for (int i = 1; i <= 11; i++)
			sqlite3_bind_int64(stmt, i, i < 6 ? row : row * 100);
		if (sqlite3_step(stmt) != SQLITE_DONE || sqlite3_reset(stmt))
			die("%s", sqlite3_errmsg(db));
	}
	sql(db, "COMMIT");
	sqlite3_finalize(stmt);
}

static double bare(const struct host *host, sqlite3 *db, __u64 rows)
{
	const struct process self = { .clock = CLOCK_PROCESS_CPUTIME_ID };
	double begin = process_cpu(&self);

	bare_read(host);
	if (rows)
		bare_write(db, rows);
	return process_cpu(&self) - begin;
}

static const struct kind {
	const char *name;
	unsigned every;
} kinds[] = { { "all", 1 }, { "10 %", 10 }, { "1 %", 100 }, { "none", 0 } };

/* On the hour the daemon ticks by itself: then once more. */
static struct tick tick_of(const struct process *daemon, const struct host *host, struct client *senders,
			   unsigned every, __u64 rows)
{
	struct tick one;

	for (int tries = 0; tries < 2; tries++) {
		move_meters(host, senders, every);
		one = tick(daemon);
		if (one.ticks == 1 && one.rows == rows)
			return one;
	}
	die("%llu rows were booked in %llu ticks, not %llu in one", one.rows, one.ticks, rows);
}

static void ticks_of(const struct kind *kind, const struct process *daemon, const struct host *host,
		     struct client *senders, sqlite3 *db)
{
	__u64 rows = kind->every ? TENANTS / kind->every : 0, bytes = 0;
	double ours[TIMES], theirs[TIMES], ms, per_row;

	for (int i = 0; i < TIMES; i++) {
		struct tick one = tick_of(daemon, host, senders, kind->every, rows);

		ours[i] = one.ms;
		bytes += one.bytes;
		theirs[i] = bare(host, db, rows);
	}
	ms = quartiles(ours, TIMES).median;
	per_row = rows ? (double)bytes / rows / TIMES : 0;
	cell("%s", kind->name);
	cell("%.1f", ms);
	cell("%.2f %%", ms / INTERVAL / 10);
	cell("%.1f", quartiles(theirs, TIMES).median);
	cell_ratio(ratios(ours, theirs, TIMES));
	cell("%.1f", per_row);
	cell("%.0f", per_row * rows * DAY / INTERVAL / 1e6);
}

void print_ticks(const struct process *daemon, const struct host *host, struct client *senders)
{
	static const char *const heading[] = { "tenants active", "CPU ms",    "of a CPU",      "bare ms",
					       "tick/bare",      "quartiles", "bytes per row", "ledger MB a day" };
	sqlite3 *db = bare_open();

	for (int i = 0; i < 8; i++)
		cell("%s", heading[i]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		ticks_of(&kinds[i], daemon, host, senders, db);
	sqlite3_close(db);
	table_print("A tick of 10,000 tenants, one each 10 s; 11 rounds", 8);
}
