// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the file. Times are milliseconds since 1970, days and months those of UTC.
 *
 *   source 1 -- n tick 1 -- n entry: what a tenancy counted, of one class (enum sw_billing), from `started` to `ended`
 *
 * A row of the ledger is an entry with its tick: unique by host, epoch, sequence, tenant and class. Tables of entries
 * and what they point to are only ever added to. `day` is the sum of a tenancy's entries that began on a day; it is
 * what was booked so far, what budgets ask for, and what usage by day and month is made of without reading entries.
 * Its key begins with the day, so that all rows that a tick changes lie side by side.
 *
 * Entries that were pruned have their sum in `pruned` instead: a day's total is both together. `pruned_day` says up to
 * which tick the entries of a day are in there; only those may be deleted, and those that are still there count no
 * more. `pruned_source` has how many of a source's ticks are gone, and the first day of those.
 */
#include <errno.h>
#include <string.h>

#include "store.h"

#define APPLICATION 0x73776c64 /* "swld" */
/* Version 1 has no checksums of pages; neither it nor 2 can be pruned. */
#define VERSION 3

#define TEXT(x)  #x
#define VALUE(x) TEXT(x)

#define COUNTERS                                                                                                       \
	"tx_bytes INTEGER NOT NULL, tx_payload INTEGER NOT NULL, tx_packets INTEGER NOT NULL, "                        \
	"rx_bytes INTEGER NOT NULL, rx_payload INTEGER NOT NULL, rx_packets INTEGER NOT NULL"
#define TIMES "started INTEGER NOT NULL, ended INTEGER NOT NULL"
#define NEVER_DELETED(table)                                                                                           \
	"CREATE TRIGGER " table "_deleted BEFORE DELETE ON " table                                                     \
	" BEGIN SELECT RAISE(ABORT, 'rows of the ledger are never deleted'); END"
#define NEVER_CHANGED(table)                                                                                           \
	"CREATE TRIGGER " table "_changed BEFORE UPDATE ON " table                                                     \
	" BEGIN SELECT RAISE(ABORT, 'rows of the ledger are never changed'); END"
#define KEPT(table) NEVER_DELETED(table), NEVER_CHANGED(table)
#define DELETED_IF(table, condition)                                                                                   \
	"CREATE TRIGGER " table "_deleted BEFORE DELETE ON " table " WHEN NOT EXISTS (SELECT 1 FROM " condition ")"    \
	" BEGIN SELECT RAISE(ABORT, 'rows of the ledger are never deleted'); END"

#define SUMS_OF_DAYS(name)                                                                                             \
	" " name " (day INTEGER NOT NULL, "                                                                            \
	"tenancy INTEGER NOT NULL REFERENCES tenancy, class INTEGER NOT NULL, " TIMES ", " COUNTERS ", "               \
	"PRIMARY KEY (day, tenancy, class), CHECK " IN_ORDER ", CHECK " IN_RANGE ") STRICT, WITHOUT ROWID"
#define PRUNED_TABLES(create)                                                                                          \
	create SUMS_OF_DAYS("pruned"), create " pruned_day (day INTEGER PRIMARY KEY, tick INTEGER NOT NULL) STRICT",   \
		create " pruned_source (source INTEGER PRIMARY KEY REFERENCES source, day INTEGER NOT NULL, "          \
		       "ticks INTEGER NOT NULL) STRICT"

/* As SQLite keeps them: a file with anything else in it is not opened. */
static const char *const common[] = {
	"CREATE TABLE identity (id INTEGER NOT NULL) STRICT",

	"CREATE TABLE source (id INTEGER PRIMARY KEY, "
	"host TEXT NOT NULL, boot TEXT NOT NULL, epoch TEXT NOT NULL, UNIQUE (host, epoch)) STRICT",

	"CREATE TABLE tenant (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",

	"CREATE TABLE policy (id INTEGER PRIMARY KEY, "
	"name TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32), UNIQUE (hash, name)) STRICT",

	"CREATE TABLE tenancy (id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source, "
	"number INTEGER NOT NULL, tenant INTEGER NOT NULL REFERENCES tenant, since INTEGER NOT NULL, "
	"UNIQUE (source, number)) STRICT",

	"CREATE TABLE tick (id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source, "
	"sequence INTEGER NOT NULL, " TIMES ", uptime INTEGER NOT NULL, "
	"UNIQUE (source, sequence), CHECK " IN_ORDER ") STRICT",

	"CREATE TABLE entry (tick INTEGER NOT NULL REFERENCES tick, "
	"tenant INTEGER NOT NULL REFERENCES tenant, class INTEGER NOT NULL, "
	"tenancy INTEGER NOT NULL REFERENCES tenancy, policy INTEGER NOT NULL REFERENCES policy, " COUNTERS ", "
	"PRIMARY KEY (tick, tenant, class), CHECK " IN_RANGE ") STRICT, WITHOUT ROWID",

	"CREATE TABLE" SUMS_OF_DAYS("day"),

	"CREATE INDEX tenancy_of ON tenancy (tenant)",
	"CREATE INDEX tick_started ON tick (started)",
	"CREATE VIEW interval AS SELECT source.host, source.boot, source.epoch, tick.sequence, tenant.name AS tenant, "
	"CASE entry.class WHEN 0 THEN 'billable' ELSE 'exempt' END AS class, "
	"strftime('%Y-%m-%dT%H:%M:%fZ', tick.started / 1000.0, 'unixepoch') AS started, "
	"strftime('%Y-%m-%dT%H:%M:%fZ', tick.ended / 1000.0, 'unixepoch') AS ended, "
	"tx_bytes, tx_payload, tx_packets, rx_bytes, rx_payload, rx_packets, "
	"policy.name AS policy, lower(hex(policy.hash)) AS hash FROM entry JOIN tick ON tick.id = entry.tick "
	"JOIN source ON source.id = tick.source JOIN tenant ON tenant.id = entry.tenant "
	"JOIN policy ON policy.id = entry.policy",
	KEPT("identity"),
	KEPT("source"),
	KEPT("tenant"),
	KEPT("policy"),
	KEPT("tenancy"),
	NEVER_CHANGED("tick"),
	NEVER_CHANGED("entry"),
};

static const char *const not_pruned[] = { NEVER_DELETED("tick"), NEVER_DELETED("entry"), NEVER_DELETED("day") };

static const char *const pruned[] = {
	PRUNED_TABLES("CREATE TABLE"),
	DELETED_IF("tick", "pruned_day WHERE day = OLD.started / 86400000 AND OLD.id <= tick"),
	DELETED_IF("entry", "tick CROSS JOIN pruned_day ON day = started / 86400000 "
			    "WHERE tick.id = OLD.tick AND OLD.tick <= pruned_day.tick"),
	DELETED_IF("day", "pruned_day WHERE day = OLD.day"),
	NEVER_DELETED("pruned"),
	NEVER_DELETED("pruned_day"),
	NEVER_DELETED("pruned_source"),
};

#define LENGTH(list) (sizeof(list) / sizeof(*(list)))

static int run_all(struct ledger *ledger, const char *const *list, size_t n, struct fault *fault)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = store_run(ledger, list[i], fault);
	return err;
}

/*
 * Free pages can be given back a few at a time. That has to be said before anything is written, and is itself written
 * when it is said: so first in the transaction, until the end of which the file is empty.
 */
static int write_schema(struct ledger *ledger, struct fault *fault)
{
	int err = store_run(ledger,
			    "BEGIN; PRAGMA auto_vacuum = INCREMENTAL; "
			    "PRAGMA application_id = " VALUE(APPLICATION) "; PRAGMA user_version = " VALUE(VERSION),
			    fault);

	if (!err)
		err = run_all(ledger, common, LENGTH(common), fault);
	if (!err)
		err = run_all(ledger, pruned, LENGTH(pruned), fault);
	return err ? err
		   : store_run(ledger, "INSERT INTO identity SELECT 1 + abs(random() % 9223372036854775806); COMMIT",
			       fault);
}

/* Its own, by which a ledger is told from every other, and not from a copy of itself. */
static int read_identity(struct ledger *ledger, struct fault *fault)
{
	__s64 id = 0;
	int err = store_number(ledger, &id, fault, "SELECT id FROM identity", "");

	if (err)
		return err;
	if (id <= 0)
		return fault_set(fault, EINVAL, "ledger %s: has no identity: restore it from a backup", ledger->path);
	if (ledger->id && ledger->id != (__u64)id)
		return fault_set(fault, EINVAL,
				 "ledger %s: another one took its place: put it back, or restart the "
				 "daemon with --adopt",
				 ledger->path);
	ledger->id = id;
	return 0;
}

static bool is_in(const char *sql, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(sql, list[i]))
			return true;
	return false;
}

static bool is_old(__s64 version)
{
	return version < 3;
}

static bool is_ours(const char *sql, __s64 version)
{
	return is_in(sql, common, LENGTH(common)) ||
	       (is_old(version) ? is_in(sql, not_pruned, LENGTH(not_pruned)) : is_in(sql, pruned, LENGTH(pruned)));
}

static size_t objects_of(__s64 version)
{
	return LENGTH(common) + (is_old(version) ? LENGTH(not_pruned) : LENGTH(pruned));
}

/* Names are unique in a file: if each object is one of ours, and there are as many, they are the same. */
static int compare_schema(struct ledger *ledger, __s64 version, struct fault *fault)
{
	size_t found = 0;
	sqlite3_stmt *stmt;
	int err = store_ask(ledger, &stmt, fault, "SELECT sql, name FROM sqlite_schema WHERE sql IS NOT NULL", "");

	if (err)
		return err;
	for (; (err = store_step(ledger, stmt, fault)) == 1; found++) {
		const char *sql = (const char *)sqlite3_column_text(stmt, 0);

		if (sql && is_ours(sql, version))
			continue;
		err = fault_set(fault, EINVAL, "ledger %s: has a '%.64s' in it that is not of a ledger: remove it",
				ledger->path, (const char *)sqlite3_column_text(stmt, 1));
		sqlite3_reset(stmt);
		return err;
	}
	if (!err && found != objects_of(version))
		return fault_set(fault, EINVAL, "ledger %s: lacks a table, view or trigger: restore it from a backup",
				 ledger->path);
	return err;
}

static int read_version(struct ledger *ledger, __s64 *version, struct fault *fault)
{
	*version = 0;
	return store_number(ledger, version, fault, "PRAGMA user_version", "");
}

static int compare_version(struct ledger *ledger, __s64 *out, struct fault *fault)
{
	__s64 application = 0, version = 0;
	int err = store_number(ledger, &application, fault, "PRAGMA application_id", "");

	if (!err)
		err = read_version(ledger, &version, fault);
	*out = version;
	if (err)
		return err;
	if (application != APPLICATION)
		return fault_set(fault, EINVAL, "ledger %s: is a database, but no ledger", ledger->path);
	if (version < 1 || version > VERSION)
		return fault_set(fault, ESTALE,
				 "ledger %s: is of version %lld, and this program of version %d: read it with the "
				 "program that wrote it; a new one is begun when it is moved away",
				 ledger->path, version, VERSION);
	return 0;
}

/* Unless somebody else has just done it. */
static int write_upgrade(struct ledger *ledger, struct fault *fault)
{
	__s64 version;
	int err = read_version(ledger, &version, fault);

	if (err || !is_old(version))
		return err;
	err = store_run(ledger,
			"DROP TRIGGER tick_deleted; DROP TRIGGER entry_deleted; DROP TRIGGER day_deleted; "
			"PRAGMA user_version = " VALUE(VERSION),
			fault);
	return err ? err : run_all(ledger, pruned, LENGTH(pruned), fault);
}

/* Whoever only reads has the tables that are not there beside the file, and nothing in them. */
static int read_as_upgraded(struct ledger *ledger, struct fault *fault)
{
	static const char *const beside[] = { PRUNED_TABLES("CREATE TEMP TABLE") };
	int err = store_run(ledger, "PRAGMA temp_store = MEMORY; PRAGMA query_only = OFF", fault);

	if (!err)
		err = run_all(ledger, beside, LENGTH(beside), fault);
	return err ? err : store_run(ledger, "PRAGMA query_only = ON", fault);
}

static int upgrade(struct ledger *ledger, struct fault *fault)
{
	int err = store_run(ledger, "BEGIN EXCLUSIVE", fault);

	if (!err)
		err = write_upgrade(ledger, fault);
	return err ? err : store_run(ledger, "COMMIT", fault);
}

static int prepare_file(struct ledger *ledger, struct fault *fault)
{
	__s64 version;
	int err = compare_version(ledger, &version, fault);

	if (!err)
		err = compare_schema(ledger, version, fault);
	if (!err)
		err = read_identity(ledger, fault);
	if (!err && is_old(version))
		err = ledger->purpose == LEDGER_READING ? read_as_upgraded(ledger, fault) : upgrade(ledger, fault);
	/* somebody may have set another; what it was before is left alone until it is known to be ours */
	if (!err && ledger->purpose != LEDGER_READING)
		err = store_run(ledger, "PRAGMA journal_mode = DELETE", fault);
	return err;
}

int schema_prepare(struct ledger *ledger, struct fault *fault)
{
	__s64 pages = 0;
	int err = store_number(ledger, &pages, fault, "PRAGMA page_count", "");

	if (err)
		return err;
	if (pages)
		return prepare_file(ledger, fault);
	if (ledger->purpose != LEDGER_BOOKING || ledger->id)
		return fault_set(fault, ENOENT,
				 "ledger %s: is empty: restore it from a backup, or remove the file and begin a new "
				 "ledger with 'sockwarden daemon --adopt'",
				 ledger->path);
	pages_reserve(ledger->db);
	err = write_schema(ledger, fault);
	return err ? err : read_identity(ledger, fault);
}
