// SPDX-License-Identifier: GPL-2.0-only
/* The file: what is made, what is opened, and what is refused. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "support.h"

static void refused(struct scene *scene, enum ledger_for purpose, int err, const char *line)
{
	assert_int_equal(reopen(scene, purpose), err);
	assert_null(scene->ledger);
	assert_line(scene, line);
}

static void write_file(const struct scene *scene, const char *text)
{
	FILE *file = fopen(scene->path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* With a row of tenant a: 100 bytes. */
static void make_ledger(struct scene *scene)
{
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	send_bytes(attach(scene, "a", 1), SW_BILLABLE, 100);
	assert_int_equal(book(scene), 0);
	ledger_close(scene->ledger);
	scene->ledger = NULL;
}

static void is_made_with_its_folder(void **state)
{
	struct scene *scene = *state;
	struct stat st;

	refused(scene, LEDGER_READING, -ENOENT, "there is none");
	snprintf(scene->path, sizeof(scene->path), "%s/new/ledger.db", scene->folder);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(stat(scene->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	strrchr(scene->path, '/')[0] = '\0';
	assert_int_equal(stat(scene->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_checked(scene);
}

static void no_more_than_the_last_folder_is_made(void **state)
{
	struct scene *scene = *state;

	snprintf(scene->path, sizeof(scene->path), "%s/new/newer/ledger.db", scene->folder);
	refused(scene, LEDGER_BOOKING, -ENOENT, "cannot make its folder");
}

static void an_empty_file_becomes_a_ledger(void **state)
{
	struct scene *scene = *state;

	write_file(scene, "");
	refused(scene, LEDGER_READING, -ENOENT, "is empty");
	make_ledger(scene);
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(booked_of(scene, "a"), 100);
}

static void other_files_are_refused_and_left_alone(void **state)
{
	struct scene *scene = *state;
	char text[200] = "";
	FILE *file;

	write_file(scene, "tenant,bytes\na,100\nmore than the hundred bytes that the head of a database has, "
			  "and then some more of it, so that it is read\n");
	refused(scene, LEDGER_READING, -EINVAL, "is no ledger");
	refused(scene, LEDGER_BOOKING, -EINVAL, "is no ledger");
	file = fopen(scene->path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 100);
	fclose(file);
	assert_memory_equal(text, "tenant,bytes\na,100\n", 19);
}

static void other_databases_are_refused(void **state)
{
	struct scene *scene = *state;

	assert_null(tamper(scene, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)"));
	refused(scene, LEDGER_READING, -EINVAL, "no ledger");
	refused(scene, LEDGER_BOOKING, -EINVAL, "no ledger");
}

static void other_versions_are_refused(void **state)
{
	struct scene *scene = *state;

	make_ledger(scene);
	assert_null(tamper_by(NULL, scene, "PRAGMA user_version = 4"));
	refused(scene, LEDGER_READING, -ESTALE, "is of version 4, and this program of version 3");
	refused(scene, LEDGER_BOOKING, -ESTALE, "version 4");
	assert_null(tamper(scene, "PRAGMA user_version = 0"));
	refused(scene, LEDGER_BOOKING, -ESTALE, "version 0");
	assert_null(tamper(scene, "PRAGMA user_version = 3; PRAGMA application_id = 1"));
	refused(scene, LEDGER_BOOKING, -EINVAL, "no ledger");
}

static void a_schema_that_was_changed_is_refused(void **state)
{
	static const struct {
		const char *change, *back, *line;
	} cases[] = {
		{ "CREATE VIEW mine AS SELECT 1", "DROP VIEW mine", "'mine'" },
		{ "CREATE TABLE mine (x)", "DROP TABLE mine", "'mine'" },
		{ "CREATE INDEX mine ON entry (tenant)", "DROP INDEX mine", "'mine'" },
		{ "CREATE TRIGGER mine AFTER INSERT ON entry BEGIN UPDATE day SET tx_bytes = 0; END",
		  "DROP TRIGGER mine", "'mine'" },
		{ "ALTER TABLE day ADD COLUMN x INTEGER", "ALTER TABLE day DROP COLUMN x", "'day'" },
		{ "DROP TRIGGER entry_changed", NULL, "lacks" },
	};
	struct scene *scene = *state;

	make_ledger(scene);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_null(tamper(scene, cases[i].change));
		refused(scene, LEDGER_READING, -EINVAL, cases[i].line);
		refused(scene, LEDGER_BOOKING, -EINVAL, cases[i].line);
		if (!cases[i].back)
			break;
		assert_null(tamper(scene, cases[i].back));
		assert_int_equal(reopen(scene, LEDGER_READING), 0);
	}
}

static void stays_a_ledger_when_it_is_vacuumed(void **state)
{
	struct scene *scene = *state;

	make_ledger(scene);
	assert_null(tamper_by(NULL, scene, "PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL"));
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	send_bytes(&scene->items[0], SW_BILLABLE, 5);
	assert_int_equal(book_after(scene, 10), 0);
	assert_checked(scene);
	assert_int_equal(booked_of(scene, "a"), 105);
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	assert_null(tamper(scene, "CREATE TEMP TABLE t AS SELECT journal_mode FROM pragma_journal_mode; "
				  "SELECT iif(journal_mode = 'delete', 1, abs(-9223372036854775808)) FROM t"));
}

/* Opened by `purpose`: has it checksums, and are they right? */
static bool is_summed(struct scene *scene, enum ledger_for purpose)
{
	assert_int_equal(reopen(scene, purpose), 0);
	assert_checked(scene);
	return pages_summed(scene->ledger->db);
}

/* As it was before there were checksums: bytes to the last are a row's. */
static void make_old(struct scene *scene)
{
	int reserved = 0;
	sqlite3 *db;

	make_ledger(scene);
	make_version(scene, 1);
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
	assert_int_equal(sqlite3_exec(db, "VACUUM", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_ledger_without_checksums_gets_them_when_it_is_booked_in(void **state)
{
	struct scene *scene = *state;

	make_old(scene);
	assert_false(is_summed(scene, LEDGER_READING));
	assert_int_equal(booked_of(scene, "a"), 100);
	assert_true(is_summed(scene, LEDGER_BOOKING));
	send_bytes(&scene->items[0], SW_BILLABLE, 5);
	assert_int_equal(book_after(scene, 10), 0);
	assert_true(is_summed(scene, LEDGER_READING));
	assert_int_equal(booked_of(scene, "a"), 105);
	assert_null(tamper_by(NULL, scene, "VACUUM"));
	assert_false(is_summed(scene, LEDGER_READING));
	assert_true(is_summed(scene, LEDGER_BOOKING));
	assert_int_equal(booked_of(scene, "a"), 105);
}

/* One that is too large to wait for, and a disk without room. */
static void a_ledger_that_cannot_get_checksums_is_booked_in_without(void **state)
{
	struct scene *scene = *state;

	make_old(scene);
	assert_null(
		tamper_by(NULL, scene,
			  "CREATE TABLE t AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 70) "
			  "SELECT zeroblob(1000000) FROM n; DROP TABLE t"));
	assert_false(is_summed(scene, LEDGER_BOOKING));
	send_bytes(&scene->items[0], SW_BILLABLE, 5);
	assert_int_equal(book_after(scene, 10), 0);
	assert_false(is_summed(scene, LEDGER_READING));
	assert_int_equal(booked_of(scene, "a"), 105);
	assert_null(tamper_by(NULL, scene, "VACUUM"));
	failing_begin();
	for (int after = 0; after < 60; after++) {
		failing = (struct failing){ .after = after, .error = ENOSPC };
		reopen(scene, LEDGER_BOOKING);
		failing.after = -1;
		is_summed(scene, LEDGER_READING);
		assert_int_equal(booked_of(scene, "a"), 105);
	}
	assert_true(is_summed(scene, LEDGER_BOOKING));
}

static void a_backup_by_sqlite_keeps_the_checksums(void **state)
{
	struct scene *scene = *state;
	sqlite3 *from, *to;
	sqlite3_backup *backup;
	char path[128];

	make_ledger(scene);
	snprintf(path, sizeof(path), "%s/copy", scene->folder);
	assert_int_equal(sqlite3_open(scene->path, &from), SQLITE_OK);
	assert_int_equal(sqlite3_open(path, &to), SQLITE_OK);
	backup = sqlite3_backup_init(to, "main", from, "main");
	assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
	assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
	sqlite3_close(to);
	sqlite3_close(from);
	assert_int_equal(rename(path, scene->path), 0);
	assert_true(is_summed(scene, LEDGER_READING));
	assert_true(is_summed(scene, LEDGER_BOOKING));
	send_bytes(&scene->items[0], SW_BILLABLE, 5);
	assert_int_equal(book_after(scene, 10), 0);
	assert_true(is_summed(scene, LEDGER_READING));
}

static void what_another_program_wrote_is_refused(void **state)
{
	struct scene *scene = *state;
	struct usages usages;

	make_ledger(scene);
	assert_null(tamper_by(NULL, scene, "UPDATE day SET tx_bytes = 99"));
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(ledger_usage(scene->ledger, ALL, &usages, &scene->fault), -EINVAL);
	assert_line(scene, "is damaged (a page's checksum)");
}

static void rows_are_only_added(void **state)
{
	static const char *const tables[] = { "source", "tenant", "policy", "tenancy", "tick", "entry" };
	struct scene *scene = *state;
	char sql[128];

	make_ledger(scene);
	for (size_t i = 0; i < COUNT(tables); i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
		assert_string_equal(tamper(scene, sql), "rows of the ledger are never deleted");
		snprintf(sql, sizeof(sql), "UPDATE %s SET rowid = rowid", tables[i]);
		if (i == COUNT(tables) - 1)
			strcpy(sql, "UPDATE entry SET tx_bytes = 0");
		assert_string_equal(tamper(scene, sql), "rows of the ledger are never changed");
	}
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(booked_of(scene, "a"), 100);
}

/* Changes what a trigger forbids, and makes the trigger anew, so that the schema is as it was. */
static void falsify(const struct scene *scene, const char *trigger, const char *sql)
{
	char text[1024], name[64];
	sqlite3_stmt *stmt;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(scene->path, &db, SQLITE_OPEN_READWRITE, pages_vfs()), SQLITE_OK);
	snprintf(name, sizeof(name), "%s", trigger);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE name = ?", -1, &stmt, NULL), 0);
	sqlite3_bind_text(stmt, 1, name, -1, NULL);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	snprintf(text, sizeof(text),
		 "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; "
		 "DROP TRIGGER %s; %s; %s",
		 name, sql, sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* All lines, one behind the other. */
static char found[8192];

static void keep_line(const char *line, void *data)
{
	unsigned *lines = data;

	++*lines;
	assert_true(strlen(found) + strlen(line) + 1 < sizeof(found));
	strcat(found, line);
}

static void check_finds_what_was_falsified(void **state)
{
	static const struct {
		const char *trigger, *sql, *line;
	} cases[] = {
		{ "entry_changed", "UPDATE entry SET tx_bytes = tx_bytes - 1 WHERE tick = 2",
		  "tenant a on 2026-11-25" },
		{ "entry_changed", "UPDATE entry SET rx_packets = 1", "do not add up" },
		{ "entry_deleted", "DELETE FROM entry WHERE tick = 2 AND tenant = 1", "do not add up" },
		{ "entry_deleted", "DELETE FROM entry WHERE tick = 2", "no entries" },
		{ "entry_changed", "UPDATE entry SET tx_bytes = -1", "a counter is out of range" },
		{ "entry_changed", "UPDATE entry SET policy = 7", "not there" },
		{ "entry_changed", "UPDATE entry SET tenancy = 3 - tenancy", "another tenant" },
		{ "tick_deleted", "DELETE FROM entry WHERE 0; DELETE FROM tick WHERE id = 1", "points to" },
		{ "tick_changed", "UPDATE tick SET sequence = 3 WHERE sequence = 2", "missing" },
		{ "tick_changed", "UPDATE tick SET started = started - 86400000", "do not add up" },
		{ "tick_changed", "UPDATE tick SET started = started + 1 WHERE id = 1", "do not add up" },
		{ "tick_changed", "UPDATE tick SET ended = started - 1 WHERE id = 1", "a time is out of range" },
		{ "entry_changed", "UPDATE day SET rx_bytes = -rx_bytes", "a day's sum is out of range" },
		{ "entry_changed", "UPDATE day SET tx_bytes = tx_bytes - 1", "do not add up" },
		{ "entry_changed", "UPDATE day SET ended = ended - 1", "do not add up" },
		{ "tick_changed", "UPDATE tick SET uptime = uptime - 20000 WHERE id = 2", "clock goes backwards" },
		{ "identity_changed", "INSERT INTO identity VALUES (5)", "has not one identity" },
		{ "tenancy_changed", "UPDATE tenancy SET tenant = 7 WHERE id = 1", "tenancy 1" },
		{ "tick_changed", "UPDATE tick SET source = 7 WHERE id = 1", "tick 1" },
		{ "day_deleted", "UPDATE day SET day = 3000000", "day 3000000, tenancy 1" },
		{ "day_deleted", "DELETE FROM day WHERE tenancy = 1", "tenant a on 2026-11-25" },
		{ "entry_changed",
		  "INSERT INTO day SELECT day + 1, tenancy, class, started, ended, 1, 1, 1, 1, 1, 1 FROM "
		  "day WHERE tenancy = 2",
		  "tenant b on 2026-11-26" },
	};
	struct ledger_checked checked;
	struct scene *scene = *state;
	char command[256];
	unsigned lines;

	make_ledger(scene);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	send_bytes(&scene->items[0], SW_BILLABLE, 50);
	send_bytes(attach(scene, "b", 2), SW_BILLABLE, 50);
	assert_int_equal(book_after(scene, 10), 0);
	assert_checked(scene);
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	snprintf(command, sizeof(command), "cp '%s' '%s/copy'", scene->path, scene->folder);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		falsify(scene, cases[i].trigger, cases[i].sql);
		assert_int_equal(reopen(scene, LEDGER_READING), 0);
		*found = '\0';
		lines = 0;
		if (ledger_check(scene->ledger, keep_line, &lines, &checked, &scene->fault) != -EINVAL)
			fail_msg("not found: %s", cases[i].sql);
		if (!strstr(found, cases[i].line))
			fail_msg("'%s' is not in '%s'", cases[i].line, found);
		assert_int_equal(lines, checked.findings);
		assert_line(scene, "restore it from a backup");
		ledger_close(scene->ledger);
		scene->ledger = NULL;
		snprintf(command, sizeof(command), "cp '%s/copy' '%s'", scene->folder, scene->path);
		assert_int_equal(system(command), 0);
	}
}

/* One bad page is many bad rows; and what is wrong with one thing does not hide another. */
static void check_says_ten_of_a_kind_and_all_kinds(void **state)
{
	struct scene *scene = *state;
	struct ledger_checked checked;
	char names[20][8];
	unsigned lines = 0;

	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	for (unsigned i = 0; i < COUNT(names); i++) {
		snprintf(names[i], sizeof(names[i]), "t%u", i);
		send_bytes(attach(scene, names[i], i + 1), SW_BILLABLE, 100);
	}
	assert_int_equal(book(scene), 0);
	assert_int_equal(book_after(scene, 86400), 0);
	send_bytes(&scene->items[0], SW_BILLABLE, 1);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(ledger_check(scene->ledger, keep_line, &lines, &checked, &scene->fault), 0);
	assert_int_equal(lines, 0);
	assert_int_equal(checked.rows, 21);
	assert_int_equal(checked.days, 2);
	assert_true(checked.summed);
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	*found = '\0';
	falsify(scene, "entry_changed", "UPDATE entry SET tx_bytes = -1; UPDATE day SET rx_bytes = rx_bytes + 1");
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(ledger_check(scene->ledger, keep_line, &lines, &checked, &scene->fault), -EINVAL);
	assert_non_null(strstr(found, "a counter is out of range"));
	assert_non_null(strstr(found, "do not add up"));
	assert_int_equal(checked.findings, lines);
	assert_true(lines >= 20 && lines <= 30);
}

/* As long as the pipe is open. Neither tells the other lies, nor keeps it waiting for long, whatever the clock says. */
static void check_until_closed(struct scene *scene, int fd)
{
	struct ledger_checked checked;
	struct ledger *ledger;
	char byte;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) || ledger_open(&ledger, scene->path, LEDGER_READING, &scene->fault))
		_exit(2);
	while (read(fd, &byte, 1) < 0)
		if (ledger_check(ledger, NULL, NULL, &checked, &scene->fault)) {
			fprintf(stderr, "# %s\n", scene->fault.text);
			_exit(1);
		}
	_exit(0);
}

static void a_check_goes_on_beside_bookings(void **state)
{
	struct scene *scene = *state;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	attach(scene, "a", 1);
	attach(scene, "b", 2);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		check_until_closed(scene, fds[0]);
	}
	close(fds[0]);
	for (int i = 0; i < 300; i++) {
		send_bytes(&scene->items[i % 2], SW_BILLABLE, 100);
		assert_int_equal(book_after(scene, 10), 0);
		scene->tick.now -= i % 50 ? 0 : 7200000;
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_checked(scene);
}

static void nothing_is_booked_twice_when_sums_are_gone(void **state)
{
	struct scene *scene = *state;

	make_ledger(scene);
	assert_string_equal(tamper(scene, "DELETE FROM day"), "rows of the ledger are never deleted");
	falsify(scene, "day_deleted", "DELETE FROM day");
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(book_after(scene, 10), -EINVAL);
	assert_line(scene, "is damaged");
}

/* Where in the file the table begins. */
static off_t page_of(const struct scene *scene, const char *table)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	off_t at;

	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", -1, &stmt, NULL),
			 0);
	sqlite3_bind_text(stmt, 1, table, -1, NULL);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	at = (sqlite3_column_int64(stmt, 0) - 1) * 4096;
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return at;
}

static void a_damaged_page_is_found(void **state)
{
	struct ledger_checked checked;
	struct scene *scene = *state;
	int fd;

	make_ledger(scene);
	fd = open(scene->path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "damage", 6, page_of(scene, "entry")), 6);
	close(fd);
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(ledger_check(scene->ledger, NULL, NULL, &checked, &scene->fault), -EINVAL);
	assert_line(scene, "restore it from a backup");
}

static void has_one_writer(void **state)
{
	struct scene *scene = *state;
	struct ledger *second = NULL;
	char link[128];

	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(ledger_open(&second, scene->path, LEDGER_BOOKING, &scene->fault), -EBUSY);
	assert_line(scene, "another daemon");
	snprintf(link, sizeof(link), "%s/link", scene->folder);
	assert_int_equal(symlink(scene->path, link), 0);
	assert_int_equal(ledger_open(&second, link, LEDGER_BOOKING, &scene->fault), -EBUSY);
	assert_int_equal(ledger_open(&second, link, LEDGER_READING, &scene->fault), 0);
	ledger_close(second);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
}

static void keeps_its_lock_through_a_failure(void **state)
{
	struct scene *scene = *state;
	struct ledger *second = NULL;

	make_ledger(scene);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	failing_begin();
	failing = (struct failing){ .after = 0, .error = EIO };
	send_bytes(&scene->items[0], SW_BILLABLE, 1);
	assert_int_equal(book_after(scene, 1), -EIO);
	assert_true(failing.happened);
	assert_int_equal(ledger_open(&second, scene->path, LEDGER_BOOKING, &scene->fault), -EBUSY);
	assert_int_equal(booked_of(scene, "a"), 100);
}

static void network_file_systems_are_refused(void **state)
{
	static const struct {
		long type;
		const char *name;
	} cases[] = { { 0x6969, "NFS" }, { (int)0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" }, { 0x65735546, "FUSE" } };
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		statfs_type = cases[i].type;
		refused(scene, LEDGER_BOOKING, -EREMOTE, cases[i].name);
		assert_int_equal(access(scene->path, F_OK), -1);
	}
	statfs_type = 0;
	make_ledger(scene);
	statfs_type = 0x6969;
	assert_int_equal(reopen(scene, LEDGER_READING), 0); /* where a copy may well be */
	statfs_type = 0;
}

/* In the scene's folder, $F, if it is there. */
static void shell(const struct scene *scene, const char *commands)
{
	char text[512];

	snprintf(text, sizeof(text), "F='%s'; cd \"$F\" 2>/dev/null || cd /; %s", scene->folder, commands);
	if (system(text))
		fail_msg("%s", text);
}

/* Every file with its kind and its bytes, as one number. A lock beside what a link leads to may come. */
static unsigned long folder_sum(const struct scene *scene)
{
	unsigned long sum = 0;
	char text[256];
	FILE *out;

	snprintf(text, sizeof(text),
		 "find '%s'* ! -name '*-lock' -printf '%%p %%y %%l\n' -type f -exec cksum {} + | sort | cksum",
		 scene->folder);
	out = popen(text, "r");
	assert_int_equal(fscanf(out, "%lu", &sum), 1);
	pclose(out);
	return sum;
}

/* What becomes of a ledger that is booked in, how that is undone, and what is said meanwhile. */
static const struct {
	const char *done, *undone, *line;
} mishaps[] = {
	{ "mv ledger.db aside.db", "mv aside.db ledger.db", "is gone" },
	{ "mv ledger.db aside.db && cp other.db ledger.db", "mv aside.db ledger.db", "another one took its place" },
	{ "cp ledger.db aside.db && cat other.db >ledger.db", "cat aside.db >ledger.db", "another one took its place" },
	{ "mv ledger.db aside.db && ln -s other.db ledger.db", "mv aside.db ledger.db", "another one took its place" },
	{ "mv ledger.db aside.db && ln -s nowhere.db ledger.db", "mv aside.db ledger.db", "is gone" },
	{ "mv ledger.db aside.db && : >ledger.db", "mv aside.db ledger.db", "is empty" },
	{ "cp ledger.db aside.db && : >ledger.db", "cat aside.db >ledger.db", "is empty" },
	{ "cp ledger.db aside.db && head -c 8192 aside.db >ledger.db", "cat aside.db >ledger.db", "is damaged" },
	{ "cp ledger.db aside.db && head -c 8192 /dev/zero >ledger.db", "cat aside.db >ledger.db", "is no ledger" },
	{ "mv ledger.db aside.db && mkdir ledger.db", "rmdir ledger.db && mv aside.db ledger.db", "is a folder" },
	{ "mv ledger.db aside.db && mkfifo ledger.db", "mv aside.db ledger.db", "is a FIFO" },
	{ "mv ledger.db aside.db && ln -s /dev/null ledger.db", "mv aside.db ledger.db", "is a device" },
	{ "mv $F $F.aside", "mv $F.aside $F", "is gone" },
	{ "mv $F $F.aside && : >$F", "rm $F && mv $F.aside $F", "Not a directory" },
};

/* A ledger of tenant a, and another one beside it: other.db. */
static void make_two_ledgers(struct scene *scene)
{
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	shell(scene, "mv ledger.db other.db");
	make_ledger(scene);
}

/* It is noticed at once, traffic or not; nothing is made or changed; and in the end nothing is missing. */
static void what_happens_to_a_ledger_is_noticed_and_waited_for(void **state)
{
	struct scene *scene = *state;
	__u64 sent = 100;

	make_two_ledgers(scene);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	for (size_t i = 0; i < COUNT(mishaps); i++) {
		unsigned long before;

		assert_int_equal(book_after(scene, 10), 0);
		shell(scene, mishaps[i].done);
		before = folder_sum(scene);
		if (!book_after(scene, 10))
			fail_msg("not noticed: %s", mishaps[i].done);
		assert_line(scene, mishaps[i].line);
		send_bytes(&scene->items[0], SW_BILLABLE, 7);
		sent += 7;
		assert_int_not_equal(book_after(scene, 10), 0);
		assert_line(scene, mishaps[i].line);
		if (folder_sum(scene) != before)
			fail_msg("something was made or changed: %s", mishaps[i].done);
		shell(scene, mishaps[i].undone);
		if (book_after(scene, 10))
			fail_msg("%s: %s", mishaps[i].undone, scene->fault.text);
		assert_int_equal(booked_of(scene, "a"), sent);
	}
	assert_checked(scene);
}

static void a_copy_that_takes_its_place_is_read_before_it_is_booked_in(void **state)
{
	static const char *const ways[] = { "cp copy.db ledger.db", "cp -p copy.db ledger.db", "mv copy.db ledger.db" };
	struct scene *scene = *state;
	__u64 sent = 100;

	make_ledger(scene);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	for (size_t i = 0; i < COUNT(ways); i++) {
		shell(scene, "cp -p ledger.db copy.db");
		send_bytes(&scene->items[0], SW_BILLABLE, 50);
		assert_int_equal(book_after(scene, 10), 0);
		shell(scene, ways[i]);
		send_bytes(&scene->items[0], SW_BILLABLE, 1);
		assert_int_equal(book_after(scene, 10), 0);
		sent += 51;
		assert_int_equal(booked_of(scene, "a"), sent);
	}
	assert_checked(scene);
}

/* The one that was booked in before, and no other, nor a new one. */
static void a_ledger_that_was_booked_in_is_resumed(void **state)
{
	struct scene *scene = *state;
	__u64 id, sent = 100;
	unsigned long before;

	make_two_ledgers(scene);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	id = ledger_id(scene->ledger);
	for (size_t i = 0; i < COUNT(mishaps); i++) {
		ledger_close(scene->ledger);
		scene->ledger = NULL;
		shell(scene, mishaps[i].done);
		before = folder_sum(scene);
		assert_int_not_equal(ledger_resume(&scene->ledger, scene->path, id, &scene->fault), 0);
		assert_line(scene, mishaps[i].line);
		send_bytes(&scene->items[0], SW_BILLABLE, 7);
		sent += 7;
		assert_int_not_equal(book_after(scene, 10), 0);
		assert_line(scene, mishaps[i].line);
		assert_int_equal(ledger_id(scene->ledger), id);
		if (folder_sum(scene) != before)
			fail_msg("something was made or changed: %s", mishaps[i].done);
		shell(scene, mishaps[i].undone);
		if (book_after(scene, 10))
			fail_msg("%s: %s", mishaps[i].undone, scene->fault.text);
		assert_int_equal(booked_of(scene, "a"), sent);
	}
}

/* A FIFO would be waited for. */
static void what_is_no_file_is_refused(void **state)
{
	struct scene *scene = *state;
	static const struct {
		const char *made, *line;
	} cases[] = {
		{ "mkfifo ledger.db", "is a FIFO" },
		{ "mkdir ledger.db", "is a folder" },
		{ "ln -s /dev/zero ledger.db", "is a device" },
		{ "python3 -c 'import socket; socket.socket(1).bind(\"ledger.db\")'", "is a socket" },
		{ "cp whole.db ledger.db && mkfifo ledger.db-journal", "ledger.db-journal is a FIFO" },
		{ "cp whole.db ledger.db && mkdir ledger.db-wal", "ledger.db-wal is a folder" },
	};

	make_ledger(scene);
	shell(scene, "mv ledger.db whole.db && rm ledger.db-lock");
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned long before;

		shell(scene, cases[i].made);
		before = folder_sum(scene);
		refused(scene, LEDGER_READING, -EINVAL, cases[i].line);
		refused(scene, LEDGER_BOOKING, -EINVAL, cases[i].line);
		assert_int_equal(folder_sum(scene), before);
		shell(scene, "rm -rf ledger.db*");
	}
}

static void whose_lock_was_removed_takes_another(void **state)
{
	struct scene *scene = *state;
	struct ledger *second = NULL;

	make_ledger(scene);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	shell(scene, "mkdir aside && mv ledger.db* aside");
	assert_int_not_equal(book_after(scene, 10), 0);
	shell(scene, "mv aside/ledger.db .");
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(ledger_open(&second, scene->path, LEDGER_BOOKING, &scene->fault), -EBUSY);
	assert_line(scene, "another daemon");
}

/* A journal beside the ledger, as who is killed in a booking leaves it: `copy` is the file and journal at that time. */
static void leave_booking_half_done(struct scene *scene)
{
	char command[512];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			     "PRAGMA cache_spill = 1; PRAGMA cache_size = 1; BEGIN; "
			     "UPDATE day SET tx_bytes = 7; "
			     "CREATE TABLE t AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
			     "LIMIT 100) SELECT randomblob(3000) FROM n",
			     NULL, NULL, NULL),
		SQLITE_OK);
	snprintf(command, sizeof(command), "cd '%s' && cp ledger.db copy && cp ledger.db-journal copy-journal",
		 scene->folder);
	assert_int_equal(system(command), 0);
	sqlite3_close(db);
	snprintf(command, sizeof(command), "cd '%s' && mv copy ledger.db && mv copy-journal ledger.db-journal",
		 scene->folder);
	assert_int_equal(system(command), 0);
}

static void a_reader_undoes_what_was_cut_short(void **state)
{
	struct scene *scene = *state;
	char journal[128];

	make_ledger(scene);
	leave_booking_half_done(scene);
	snprintf(journal, sizeof(journal), "%s-journal", scene->path);
	assert_int_equal(access(journal, F_OK), 0);
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(access(journal, F_OK), -1);
	assert_checked(scene);
	assert_int_equal(booked_of(scene, "a"), 100);
}

static void readers_write_nothing(void **state)
{
	struct scene *scene = *state;

	make_ledger(scene);
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	send_bytes(&scene->items[0], SW_BILLABLE, 1);
	assert_int_equal(book_after(scene, 1), -EROFS);
}

/* What an image has that was never booted is the id of nobody. */
static void a_machine_id_is_thirty_two_digits(void **state)
{
	static const struct {
		const char *text, *line; /* NULL: it is one */
	} cases[] = {
		{ "0123456789abcdef0123456789abcdef\n", NULL },
		{ "0123456789ABCDEF0123456789abcdef", NULL },
		{ "", "is empty" },
		{ "\n", "is empty" },
		{ "uninitialized\n", "has 'uninitialized' in it" },
		{ "0123456789abcdef0123456789abcde\n", "32 hexadecimal digits" },
		{ "0123456789abcdef0123456789abcdef0\n", "32 hexadecimal digits" },
		{ "0123456789abcdef0123456789abcdeg\n", "remove it and run 'systemd-machine-id-setup'" },
		{ "01234567-89ab-cdef-0123-456789abcdef\n", "32 hexadecimal digits" },
		{ "00000000000000000000000000000000\n", "32 hexadecimal digits" },
		{ " 0123456789abcdef0123456789abcdef\n", "32 hexadecimal digits" },
	};
	struct scene *scene = *state;
	char host[SW_NAME_MAX];

	assert_int_equal(ledger_host_read(scene->path, host, &scene->fault), -EINVAL);
	assert_line(scene, "No such file");
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(scene, cases[i].text);
		assert_int_equal(ledger_host_read(scene->path, host, &scene->fault), cases[i].line ? -EINVAL : 0);
		if (cases[i].line)
			assert_line(scene, cases[i].line);
		else
			assert_memory_equal(host, cases[i].text, 32);
	}
}

int main(void)
{
#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
	const struct CMUnitTest tests[] = {
		FILE_TEST(is_made_with_its_folder),
		FILE_TEST(no_more_than_the_last_folder_is_made),
		FILE_TEST(an_empty_file_becomes_a_ledger),
		FILE_TEST(other_files_are_refused_and_left_alone),
		FILE_TEST(other_databases_are_refused),
		FILE_TEST(other_versions_are_refused),
		FILE_TEST(a_schema_that_was_changed_is_refused),
		FILE_TEST(stays_a_ledger_when_it_is_vacuumed),
		FILE_TEST(a_ledger_without_checksums_gets_them_when_it_is_booked_in),
		FILE_TEST(a_ledger_that_cannot_get_checksums_is_booked_in_without),
		FILE_TEST(a_backup_by_sqlite_keeps_the_checksums),
		FILE_TEST(what_another_program_wrote_is_refused),
		FILE_TEST(rows_are_only_added),
		FILE_TEST(check_finds_what_was_falsified),
		FILE_TEST(check_says_ten_of_a_kind_and_all_kinds),
		FILE_TEST(a_check_goes_on_beside_bookings),
		FILE_TEST(nothing_is_booked_twice_when_sums_are_gone),
		FILE_TEST(a_damaged_page_is_found),
		FILE_TEST(has_one_writer),
		FILE_TEST(keeps_its_lock_through_a_failure),
		FILE_TEST(network_file_systems_are_refused),
		FILE_TEST(what_happens_to_a_ledger_is_noticed_and_waited_for),
		FILE_TEST(a_copy_that_takes_its_place_is_read_before_it_is_booked_in),
		FILE_TEST(a_ledger_that_was_booked_in_is_resumed),
		FILE_TEST(what_is_no_file_is_refused),
		FILE_TEST(whose_lock_was_removed_takes_another),
		FILE_TEST(a_machine_id_is_thirty_two_digits),
		FILE_TEST(a_reader_undoes_what_was_cut_short),
		FILE_TEST(readers_write_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
