// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "calendar.h"
#include "store.h"

#define BOOKING_WAIT 200 /* milliseconds: the daemon has one thread */
#define WAIT         5000

/* What a statement may take: pages of a damaged file may point at one another in circles. */
#define STEPS_AT_ONCE  10000
#define STEPS          1000000
#define STEPS_PER_BYTE 64

#define LAST_SECOND 253402300799 /* of the year 9999 */

static const struct {
	int id, limit;
} limits[] = {
	{ SQLITE_LIMIT_LENGTH, 1 << 20 },
	{ SQLITE_LIMIT_SQL_LENGTH, 1 << 14 },
	{ SQLITE_LIMIT_COLUMN, 64 },
	{ SQLITE_LIMIT_EXPR_DEPTH, 100 },
	{ SQLITE_LIMIT_COMPOUND_SELECT, 4 },
	{ SQLITE_LIMIT_VDBE_OP, 25000 },
	{ SQLITE_LIMIT_FUNCTION_ARG, 8 },
	{ SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_VARIABLE_NUMBER, 32 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 4 },
	{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64 },
	{ SQLITE_LIMIT_WORKER_THREADS, 0 },
};

static const struct {
	int id, on;
} switches[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 },   { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 }, { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 }, { SQLITE_DBCONFIG_DQS_DML, 0 },        { SQLITE_DBCONFIG_DQS_DDL, 0 },
};

static int io_fault(struct ledger *ledger, struct fault *fault)
{
	int error = sqlite3_system_errno(ledger->db);

	if (sqlite3_extended_errcode(ledger->db) == SQLITE_IOERR_DATA)
		return fault_set(fault, EINVAL, "ledger %s: is damaged (a page's checksum): restore it from a backup",
				 ledger->path);
	if (error == EDQUOT)
		return fault_set(fault, ENOSPC, "ledger %s: the quota is used up: free some space", ledger->path);
	return fault_set(fault, EIO, "ledger %s: cannot read or write it (%s): look for errors of the disk",
			 ledger->path, error ? strerror(error) : sqlite3_errmsg(ledger->db));
}

static int readonly_fault(struct ledger *ledger, struct fault *fault)
{
	switch (sqlite3_extended_errcode(ledger->db)) {
	case SQLITE_READONLY_ROLLBACK:
		return fault_set(fault, EBUSY,
				 "ledger %s: a booking was cut short: the daemon undoes it when it starts, and so "
				 "does who may write the file and its folder",
				 ledger->path);
	case SQLITE_READONLY_DBMOVED:
		return fault_set(fault, EIO, "ledger %s: it was moved or removed while in use: put it back",
				 ledger->path);
	default:
		return fault_set(fault, EROFS, "ledger %s: cannot be written: make the file system and file writable",
				 ledger->path);
	}
}

static int open_fault(struct ledger *ledger, struct fault *fault)
{
	int error = sqlite3_system_errno(ledger->db);

	return error && error != EACCES
		       ? fault_set(fault, error, "ledger %s: cannot open it: %s", ledger->path, strerror(error))
		       : place_closed(ledger, fault);
}

int store_fault(struct ledger *ledger, struct fault *fault)
{
	switch (sqlite3_errcode(ledger->db) & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fault_set(fault, EBUSY, "ledger %s: another program has it locked: try again", ledger->path);
	case SQLITE_FULL:
		return fault_set(fault, ENOSPC, "ledger %s: the disk is full: free some space", ledger->path);
	case SQLITE_IOERR:
		return io_fault(ledger, fault);
	case SQLITE_READONLY:
		return readonly_fault(ledger, fault);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return open_fault(ledger, fault);
	case SQLITE_NOTADB:
		return fault_set(fault, EINVAL, "ledger %s: is no ledger", ledger->path);
	case SQLITE_NOMEM:
		return fault_set(fault, ENOMEM, "ledger %s: out of memory", ledger->path);
	default: /* SQLITE_CORRUPT, and what only a file that was tampered with gives */
		return fault_set(fault, EINVAL, "ledger %s: is damaged (%s): restore it from a backup", ledger->path,
				 sqlite3_errmsg(ledger->db));
	}
}

/* SQL: period(seconds, unit), the beginning of the unit that it is in; 0 without a unit. */
static void sql_period(sqlite3_context *context, int n, sqlite3_value **args)
{
	__s64 time = sqlite3_value_int64(args[0]), unit = sqlite3_value_int64(args[1]);

	(void)n;
	if (time < 0 || time > LAST_SECOND)
		sqlite3_result_error(context, "a time that is out of range", -1);
	else
		sqlite3_result_int64(context, unit < 0 ? 0 : calendar_floor(time, (enum calendar_unit)unit));
}

static int spend_steps(void *data)
{
	struct ledger *ledger = data;

	return (ledger->steps -= STEPS_AT_ONCE) < 0;
}

static void allow_steps(struct ledger *ledger)
{
	struct stat st;

	ledger->steps = INT64_MAX;
	if (ledger->purpose != LEDGER_BOOKING && !stat(ledger->path, &st))
		ledger->steps = STEPS + STEPS_PER_BYTE * st.st_size;
}

static int configure(struct ledger *ledger, struct fault *fault)
{
	bool writes = ledger->purpose != LEDGER_READING;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		sqlite3_limit(ledger->db, limits[i].id, limits[i].limit);
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		sqlite3_db_config(ledger->db, switches[i].id, switches[i].on, NULL);
	sqlite3_busy_timeout(ledger->db, ledger->purpose == LEDGER_BOOKING ? BOOKING_WAIT : WAIT);
	sqlite3_progress_handler(ledger->db, STEPS_AT_ONCE, spend_steps, ledger);
	if (sqlite3_create_function_v2(ledger->db, "period", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
				       NULL, sql_period, NULL, NULL, NULL))
		return store_fault(ledger, fault);
	return store_run(ledger,
			 writes ? "PRAGMA cell_size_check = ON; PRAGMA synchronous = EXTRA; "
				  "PRAGMA secure_delete = OFF; PRAGMA cache_size = -16384"
				: "PRAGMA cell_size_check = ON; PRAGMA query_only = ON",
			 fault);
}

/* By its absolute path: SQLite gives a meaning to "file:x", ":memory:" and the empty name. */
static int open_file(struct ledger *ledger, int flags, struct fault *fault)
{
	ledger->real = realpath(ledger->path, NULL);
	if (!ledger->real)
		return fault_set(fault, errno, "ledger %s: %s", ledger->path, strerror(errno));
	if (!sqlite3_open_v2(ledger->real, &ledger->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			     pages_vfs()))
		return 0;
	return ledger->db ? store_fault(ledger, fault)
			  : fault_set(fault, ENOMEM, "ledger %s: out of memory", ledger->path);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * Still the file that is open, by both names, as we left it. A copy of the ledger in its place is as good as it, but
 * what we remember of it is not.
 */
static bool is_as_seen(const struct ledger *ledger)
{
	const struct stat *seen = &ledger->seen;
	struct stat now, real;

	return !stat(ledger->path, &now) && !stat(ledger->real, &real) && same_file(&now, seen) &&
	       same_file(&real, seen) && now.st_size == seen->st_size && same_time(&now.st_mtim, &seen->st_mtim) &&
	       same_time(&now.st_ctim, &seen->st_ctim);
}

/* Unless it is another file already. */
void store_stamp(struct ledger *ledger)
{
	struct stat now;

	if (!stat(ledger->path, &now) && same_file(&now, &ledger->seen))
		ledger->seen = now;
}

static int try_to_connect(struct ledger *ledger, int flags, struct fault *fault)
{
	int err = open_file(ledger, flags, fault);

	if (!err)
		err = configure(ledger, fault);
	if (!err)
		err = schema_prepare(ledger, fault);
	return err;
}

/* Whoever reads may find that the daemon died in a booking; a connection that may write undoes it. */
static int undo_and_connect(struct ledger *ledger, int err, struct fault *fault)
{
	struct fault ignored;

	if (!ledger->db || sqlite3_extended_errcode(ledger->db) != SQLITE_READONLY_ROLLBACK)
		return err;
	store_disconnect(ledger);
	if (!open_file(ledger, SQLITE_OPEN_READWRITE, &ignored))
		store_run(ledger, "PRAGMA schema_version", &ignored);
	store_disconnect(ledger);
	return try_to_connect(ledger, SQLITE_OPEN_READONLY, fault);
}

/* And once more, if pages were given their checksums: SQLite has kept some without. */
static int connect_with_sums(struct ledger *ledger, struct fault *fault)
{
	int err = try_to_connect(ledger, SQLITE_OPEN_READWRITE, fault);

	if (err || !pages_add_sums(ledger))
		return err;
	store_disconnect(ledger);
	return try_to_connect(ledger, SQLITE_OPEN_READWRITE, fault);
}

/* SQLite opens what it may not write for reading. */
static int must_write(struct ledger *ledger, int err, struct fault *fault)
{
	return !err && sqlite3_db_readonly(ledger->db, "main") ? readonly_fault(ledger, fault) : err;
}

static int connect_for_booking(struct ledger *ledger, struct fault *fault)
{
	int err = place_make(ledger, fault);

	if (!err)
		err = place_look(ledger, fault);
	if (!err)
		err = place_lock(ledger, fault);
	if (!err)
		err = connect_with_sums(ledger, fault);
	return must_write(ledger, err, fault);
}

/* Beside a daemon, which has its lock. */
static int connect_for_pruning(struct ledger *ledger, struct fault *fault)
{
	int err = place_look(ledger, fault);

	if (!err)
		err = place_trust(ledger, fault);
	if (!err)
		err = try_to_connect(ledger, SQLITE_OPEN_READWRITE, fault);
	return must_write(ledger, err, fault);
}

static int connect_for_reading(struct ledger *ledger, struct fault *fault)
{
	int err = place_look(ledger, fault);

	if (!err)
		err = try_to_connect(ledger, SQLITE_OPEN_READONLY, fault);
	return err ? undo_and_connect(ledger, err, fault) : 0;
}

int store_connect(struct ledger *ledger, struct fault *fault)
{
	static int (*const connect_for[])(struct ledger *, struct fault *) = {
		[LEDGER_READING] = connect_for_reading,
		[LEDGER_BOOKING] = connect_for_booking,
		[LEDGER_PRUNING] = connect_for_pruning,
	};
	int err;

	if (ledger->db && (ledger->spents || is_as_seen(ledger)))
		return 0;
	store_disconnect(ledger);
	err = connect_for[ledger->purpose](ledger, fault);
	if (err)
		store_disconnect(ledger);
	else
		store_stamp(ledger);
	return err;
}

void store_disconnect(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->statements.n; i++)
		sqlite3_finalize(ledger->statements.v[i].stmt);
	ledger->statements.n = 0;
	sqlite3_close(ledger->db);
	ledger->db = NULL;
	free(ledger->real);
	ledger->real = NULL;
	book_free(ledger->book);
	ledger->book = NULL;
	spents_free(ledger->spents);
	ledger->spents = NULL;
}

int store_run(struct ledger *ledger, const char *text, struct fault *fault)
{
	allow_steps(ledger);
	return sqlite3_exec(ledger->db, text, NULL, NULL, NULL) ? store_fault(ledger, fault) : 0;
}

static int compile(struct ledger *ledger, const char *text, sqlite3_stmt **stmt, struct fault *fault)
{
	for (size_t i = 0; i < ledger->statements.n; i++) {
		*stmt = ledger->statements.v[i].stmt;
		if (ledger->statements.v[i].text == text)
			return 0;
	}
	if (sqlite3_prepare_v3(ledger->db, text, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL))
		return store_fault(ledger, fault);
	*list_add(&ledger->statements) = (struct statement){ text, *stmt };
	return 0;
}

int store_ask(struct ledger *ledger, sqlite3_stmt **stmt, struct fault *fault, const char *text, const char *types, ...)
{
	int err, bound = SQLITE_OK;
	va_list args;

	allow_steps(ledger);
	err = compile(ledger, text, stmt, fault);
	if (err)
		return err;
	va_start(args, types);
	for (int i = 1; *types && !bound; i++, types++)
		if (*types == 'i')
			bound = sqlite3_bind_int64(*stmt, i, va_arg(args, __s64));
		else if (*types == 't')
			bound = sqlite3_bind_text(*stmt, i, va_arg(args, const char *), -1, SQLITE_STATIC);
		else
			bound = sqlite3_bind_blob(*stmt, i, va_arg(args, const void *), 32, SQLITE_STATIC);
	va_end(args);
	return bound ? store_fault(ledger, fault) : 0;
}

int store_step(struct ledger *ledger, sqlite3_stmt *stmt, struct fault *fault)
{
	int err = 0;

	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		break;
	default:
		err = store_fault(ledger, fault);
	}
	sqlite3_reset(stmt);
	return err;
}

int store_take(struct ledger *ledger, sqlite3_stmt *stmt, __s64 *value, struct fault *fault)
{
	int err = store_step(ledger, stmt, fault);

	if (err <= 0)
		return err;
	*value = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return 0;
}
