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
 */
#include <errno.h>
#include <string.h>

#include "store.h"

#define APPLICATION 0x73776c64 /* "swld" */
/* Version 1 has the same in it, and no checksums of pages. */
#define VERSION 2

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

/* As SQLite keeps them: a file with anything else in it is not opened. */
static const char *const schema[] = {
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

	"CREATE TABLE day (day INTEGER NOT NULL, "
	"tenancy INTEGER NOT NULL REFERENCES tenancy, class INTEGER NOT NULL, " TIMES ", " COUNTERS ", "
	"PRIMARY KEY (day, tenancy, class), CHECK " IN_ORDER ", CHECK " IN_RANGE ") STRICT, WITHOUT ROWID",

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
	KEPT("tick"),
	KEPT("entry"),
	NEVER_DELETED("day"),
};
#define OBJECTS (sizeof(schema) / sizeof(*schema))

int schema_stamp(struct ledger *ledger, struct fault *fault)
{
	return store_run(ledger, "PRAGMA user_version = " VALUE(VERSION), fault);
}

static int write_schema(struct ledger *ledger, struct fault *fault)
{
	int err = store_run(ledger,
			    "BEGIN EXCLUSIVE; PRAGMA application_id = " VALUE(
				    APPLICATION) "; PRAGMA user_version = " VALUE(VERSION),
			    fault);

	for (size_t i = 0; i < OBJECTS && !err; i++)
		err = store_run(ledger, schema[i], fault);
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

static bool is_ours(const char *sql)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (!strcmp(sql, schema[i]))
			return true;
	return false;
}

/* Names are unique in a file: if each object is one of ours, and there are as many, they are the same. */
static int compare_schema(struct ledger *ledger, struct fault *fault)
{
	size_t found = 0;
	sqlite3_stmt *stmt;
	int err = store_ask(ledger, &stmt, fault, "SELECT sql, name FROM sqlite_schema WHERE sql IS NOT NULL", "");

	if (err)
		return err;
	for (; (err = store_step(ledger, stmt, fault)) == 1; found++) {
		const char *sql = (const char *)sqlite3_column_text(stmt, 0);

		if (sql && is_ours(sql))
			continue;
		err = fault_set(fault, EINVAL, "ledger %s: has a '%.64s' in it that is not of a ledger: remove it",
				ledger->path, (const char *)sqlite3_column_text(stmt, 1));
		sqlite3_reset(stmt);
		return err;
	}
	if (!err && found != OBJECTS)
		return fault_set(fault, EINVAL, "ledger %s: lacks a table, view or trigger: restore it from a backup",
				 ledger->path);
	return err;
}

static int compare_version(struct ledger *ledger, struct fault *fault)
{
	__s64 application = 0, version = 0;
	int err = store_number(ledger, &application, fault, "PRAGMA application_id", "");

	if (!err)
		err = store_number(ledger, &version, fault, "PRAGMA user_version", "");
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

int schema_prepare(struct ledger *ledger, struct fault *fault)
{
	__s64 pages = 0;
	int err = store_number(ledger, &pages, fault, "PRAGMA page_count", "");

	if (err)
		return err;
	if (!pages && (ledger->purpose == LEDGER_READING || ledger->id))
		return fault_set(fault, ENOENT,
				 "ledger %s: is empty: restore it from a backup, or remove the file and begin a new "
				 "ledger with 'sockwarden daemon --adopt'",
				 ledger->path);
	if (!pages)
		pages_reserve(ledger->db);
	err = pages ? compare_version(ledger, fault) : write_schema(ledger, fault);
	if (!err && pages)
		err = compare_schema(ledger, fault);
	if (!err)
		err = read_identity(ledger, fault);
	/* somebody may have set another; what it was before is left alone until it is known to be ours */
	if (!err && pages && ledger->purpose == LEDGER_BOOKING)
		err = store_run(ledger, "PRAGMA journal_mode = DELETE", fault);
	return err;
}
