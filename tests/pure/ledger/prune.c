// SPDX-License-Identifier: GPL-2.0-only
/* Rows of old days go, sums stay: whatever is asked in days and months has the same answer as before. */
#include <fcntl.h>
#include <sys/wait.h>

#include "calendar.h"
#include "support.h"

#define HOUR 3600

/* Days are counted from the one before NOON's, as the rows are: each tenant sends every six hours, for 40 of them. */
#define DAYS  40
#define FIRST (NOON / DAY - 1LL)

static int scene_days(void **state)
{
	struct scene *scene;

	scene_begin(state);
	scene = *state;
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	attach(scene, "a", 1);
	attach(scene, "b", 2);
	scene->tick.now = FIRST * DAY_MS;
	assert_int_equal(book(scene), 0);
	for (unsigned i = 0; i < DAYS * 4; i++) {
		send_bytes(&scene->items[0], SW_BILLABLE, 100 + i);
		send_bytes(&scene->items[1], i % 3 ? SW_BILLABLE : SW_EXEMPT, 1000 * i + 1);
		assert_int_equal(book_after(scene, 6 * HOUR), 0);
	}
	return 0;
}

static struct ledger_pruned pruned;

/* By another process, as it were. */
static int prune_before(struct scene *scene, __s64 day)
{
	struct ledger *ledger;
	int err = ledger_open(&ledger, scene->path, LEDGER_PRUNING, &scene->fault);

	if (err)
		return err;
	err = ledger_prune(ledger, day, false, &pruned, &scene->fault);
	ledger_close(ledger);
	return err;
}

/* The answers that must stay: all of it by day, month and at once, and some whole days. */
struct answers {
	struct usages of[5];
};

static struct answers ask(struct scene *scene)
{
	static const struct ledger_query queries[] = {
		{ NULL, 0, INT64_MAX, CALENDAR_DAY },
		{ NULL, 0, INT64_MAX, CALENDAR_MONTH },
		{ NULL, 0, INT64_MAX, -1 },
		{ "b", (FIRST + 3) * DAY, (FIRST + 17) * DAY, -1 },
		/* it ends within a day whose rows are there */
		{ NULL, (FIRST + 3) * DAY, (FIRST + 39) * DAY + 7 * HOUR, CALENDAR_DAY },
	};
	struct answers answers = { 0 };

	for (size_t i = 0; i < COUNT(queries); i++)
		assert_int_equal(ledger_usage(scene->ledger, &queries[i], &answers.of[i], &scene->fault), 0);
	return answers;
}

static void forget(struct answers *answers)
{
	for (size_t i = 0; i < COUNT(answers->of); i++)
		free(answers->of[i].rows.v);
}

static void assert_answers(struct scene *scene, const struct answers *want)
{
	struct answers now = ask(scene);

	for (size_t i = 0; i < COUNT(now.of); i++) {
		assert_int_equal(now.of[i].rows.n, want->of[i].rows.n);
		assert_memory_equal(now.of[i].rows.v, want->of[i].rows.v, now.of[i].rows.n * sizeof(*now.of[i].rows.v));
	}
	forget(&now);
	assert_checked(scene);
}

static int rows_in(const struct scene *scene, const char *table)
{
	char sql[64];
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int n;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	assert_int_equal(sqlite3_open_v2(scene->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static void rows_go_and_sums_stay(void **state)
{
	struct scene *scene = *state;
	struct answers before = ask(scene);

	assert_int_equal(rows_in(scene, "entry"), DAYS * 8);
	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	assert_int_equal(pruned.rows, 30 * 8);
	assert_int_equal(pruned.days, 30);
	assert_int_equal(rows_in(scene, "entry"), 10 * 8);
	assert_int_equal(rows_in(scene, "tick"), 10 * 4);
	assert_answers(scene, &before);
	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	assert_int_equal(pruned.rows, 0);
	assert_int_equal(prune_before(scene, FIRST + 35), 0);
	assert_int_equal(pruned.days, 5);
	assert_answers(scene, &before);
	forget(&before);
}

static void a_dry_run_counts_and_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct ledger *ledger;

	assert_int_equal(ledger_open(&ledger, scene->path, LEDGER_READING, &scene->fault), 0);
	assert_int_equal(ledger_prune(ledger, FIRST + 30, true, &pruned, &scene->fault), 0);
	ledger_close(ledger);
	assert_int_equal(pruned.rows, 30 * 8);
	assert_int_equal(rows_in(scene, "entry"), DAYS * 8);
	assert_int_equal(rows_in(scene, "pruned_day"), 0);
}

static void refused(struct scene *scene, const struct ledger_query *query)
{
	struct usages usages;

	assert_int_equal(ledger_usage(scene->ledger, query, &usages, &scene->fault), -ENODATA);
	assert_line(scene, "before 2026-12-24 only the sums of days are kept");
}

static void what_cuts_a_pruned_day_is_refused(void **state)
{
	struct scene *scene = *state;
	__s64 mark = (FIRST + 30) * DAY;

	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	refused(scene, asked(NULL, 0, INT64_MAX, CALENDAR_HOUR));
	refused(scene, asked(NULL, mark - 1, INT64_MAX, -1));
	refused(scene, asked("a", mark - DAY + 1, INT64_MAX, CALENDAR_DAY));
	refused(scene, asked("nobody", 0, mark - 1, CALENDAR_MONTH));
	refused(scene, asked(NULL, mark - 20, mark - 10, -1));
	assert_int_equal(usage(scene, asked(NULL, mark, INT64_MAX, CALENDAR_HOUR))->rows.n, 10 * 8);
	assert_int_equal(usage(scene, asked(NULL, mark + 1, INT64_MAX, -1))->rows.n, 3);
	assert_int_equal(usage(scene, asked(NULL, 0, FIRST * DAY - 5, CALENDAR_HOUR))->rows.n, 0);
}

static void rows_that_are_gone_are_not_passed_over(void **state)
{
	struct scene *scene = *state;
	__s64 mark = (FIRST + 30) * DAY;

	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	assert_int_equal(ledger_intervals(scene->ledger, ALL, keep_interval, scene, &scene->fault), -ENODATA);
	assert_int_equal(
		ledger_intervals(scene->ledger, asked("a", mark - 1, mark, -1), keep_interval, scene, &scene->fault),
		-ENODATA);
	assert_int_equal(intervals(scene, asked(NULL, mark, INT64_MAX, -1)), 10 * 8);
}

/* Nothing is booked twice by who reads anew what was booked, and no number is given twice. */
static void the_daemon_goes_on_where_it_was(void **state)
{
	struct scene *scene = *state;
	__u64 sequence = scene->booked.sequence, sum = booked_of(scene, "a");

	assert_int_equal(prune_before(scene, FIRST + DAYS + 1), 0);
	assert_int_equal(rows_in(scene, "entry"), 0);
	assert_int_equal(rows_in(scene, "tick"), 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(book_after(scene, 1), 0);
		assert_int_equal(scene->booked.rows, 0);
		assert_int_equal(booked_of(scene, "a"), sum);
		assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	}
	send_bytes(&scene->items[0], SW_BILLABLE, 7);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(scene->booked.sequence, sequence + 1);
	assert_int_equal(booked_of(scene, "a"), sum + 7);
	assert_int_equal(prune_before(scene, FIRST + DAYS + 1), 0);
	assert_int_equal(booked_of(scene, "a"), sum + 7);
	assert_checked(scene);
}

static void rows_of_a_pruned_day_may_still_come(void **state)
{
	struct scene *scene = *state;
	struct answers before;

	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	scene->tick.now = (FIRST + 10) * DAY_MS + 5000;
	for (int i = 0; i < 3; i++) {
		send_bytes(&scene->items[0], SW_BILLABLE, 7);
		send_bytes(attach(scene, i ? "b" : "late", 10 + i), SW_EXEMPT, 9);
		assert_int_equal(book_after(scene, 10), 0);
	}
	before = ask(scene);
	assert_checked(scene);
	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	assert_int_equal(pruned.rows, 6);
	assert_answers(scene, &before);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(book_after(scene, 1), 0);
	assert_int_equal(scene->booked.rows, 0);
	forget(&before);
}

static void budgets_count_what_was_pruned(void **state)
{
	struct scene *scene = *state;
	__s64 now = (FIRST + DAYS - 1) * DAY + 100;
	__u64 day[2], month[2];

	assert_int_equal(ledger_spent(scene->ledger, "b", SW_DAY, now, &day[0], &scene->fault), 0);
	assert_int_equal(ledger_spent(scene->ledger, "b", SW_MONTH, now, &month[0], &scene->fault), 0);
	assert_true(day[0] && month[0] > day[0]);
	assert_int_equal(prune_before(scene, FIRST + DAYS), 0);
	assert_int_equal(ledger_spent(scene->ledger, "b", SW_DAY, now, &day[1], &scene->fault), 0);
	assert_int_equal(ledger_begin(scene->ledger, &scene->fault), 0);
	for (int i = 0; i < 60; i++) /* one by one, and then all at once */
		assert_int_equal(ledger_spent(scene->ledger, "b", SW_MONTH, now, &month[1], &scene->fault), 0);
	ledger_end(scene->ledger);
	assert_int_equal(day[1], day[0]);
	assert_int_equal(month[1], month[0]);
}

static void older_ledgers_are_read_and_pruned(void **state)
{
	struct scene *scene = *state;
	struct answers before = ask(scene);

	for (int version = 1; version <= 2; version++) {
		ledger_close(scene->ledger);
		scene->ledger = NULL;
		make_version(scene, version);
		assert_int_equal(reopen(scene, LEDGER_READING), 0);
		assert_answers(scene, &before);
		assert_int_equal(intervals(scene, ALL), DAYS * 8);
		if (version == 1)
			assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
		assert_int_equal(rows_in(scene, "sqlite_schema WHERE name = 'pruned'"), version == 1);
	}
	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	assert_true(pruned.after < pruned.size || !pruned.free);
	assert_answers(scene, &before);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(book_after(scene, 1), 0);
	assert_int_equal(scene->booked.rows, 0);
	forget(&before);
}

/* Past the triggers, with checksums that are right. */
static void falsify(const struct scene *scene, const char *sql)
{
	char text[1024];
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(scene->path, &db, SQLITE_OPEN_READWRITE, pages_vfs()), SQLITE_OK);
	snprintf(text, sizeof(text),
		 "PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON; CREATE TEMP TABLE kept AS SELECT * FROM "
		 "main.sqlite_schema WHERE type = 'trigger'; DELETE FROM main.sqlite_schema WHERE type = 'trigger'; "
		 "PRAGMA writable_schema = RESET; PRAGMA writable_schema = ON; %s; "
		 "INSERT INTO main.sqlite_schema SELECT * FROM kept",
		 sql);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void what_does_not_add_up_is_named_and_nothing_is_pruned(void **state)
{
	struct scene *scene = *state;

	ledger_close(scene->ledger);
	scene->ledger = NULL;
	falsify(scene, "UPDATE day SET rx_payload = rx_payload + 1 WHERE tenancy = 2 AND class = 0 AND day = "
		       "(SELECT min(day) + 20 FROM day)");
	assert_int_equal(prune_before(scene, FIRST + 30), -EINVAL);
	assert_line(scene, "the rows do not add up to the day's sum: tenant b on 2026-12-14: restore it");
	assert_int_equal(rows_in(scene, "entry"), DAYS * 8);
	assert_int_equal(rows_in(scene, "pruned_day"), 0);
	assert_int_equal(prune_before(scene, FIRST + 20), 0);
	assert_int_equal(rows_in(scene, "pruned_day"), 20);
}

static void a_check_of_a_pruned_ledger_finds_what_was_falsified(void **state)
{
	static const struct {
		const char *sql, *line;
	} cases[] = {
		{ "DELETE FROM entry WHERE tick = 130; DELETE FROM tick WHERE id = 130",
		  "sequence numbers are missing" },
		{ "UPDATE pruned_source SET ticks = ticks + 1", "sequence numbers are missing" },
		{ "DELETE FROM pruned WHERE day % 7 = 0", "a pruned day has no sums" },
		{ "DELETE FROM pruned_day WHERE day % 7 = 0", "not there" },
		{ "UPDATE pruned SET tenancy = 9 WHERE day % 7 = 0 AND tenancy = 1", "not there" },
		{ "PRAGMA ignore_check_constraints = ON; UPDATE pruned SET tx_bytes = -1",
		  "a day's sum is out of range" },
		{ "UPDATE pruned_source SET day = 7", "a pruned source has no rows" },
	};
	struct scene *scene = *state;
	struct ledger_checked checked;
	char command[512];

	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	assert_int_equal(ledger_check(scene->ledger, NULL, NULL, &checked, &scene->fault), 0);
	assert_int_equal(checked.pruned, 30);
	assert_int_equal(checked.days, DAYS);
	assert_int_equal(checked.before, FIRST + 30);
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	snprintf(command, sizeof(command), "cp '%s' '%s/copy'", scene->path, scene->folder);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		falsify(scene, cases[i].sql);
		assert_int_equal(reopen(scene, LEDGER_READING), 0);
		if (ledger_check(scene->ledger, NULL, NULL, &checked, &scene->fault) != -EINVAL)
			fail_msg("not found: %s", cases[i].sql);
		assert_line(scene, cases[i].line);
		snprintf(command, sizeof(command), "cp '%s/copy' '%s'", scene->folder, scene->path);
		assert_int_equal(system(command), 0);
	}
}

static void what_counts_is_not_deleted(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(prune_before(scene, FIRST + 30), 0);
	for (int i = 0; i < 4; i++) {
		static const char *const sql[] = { "DELETE FROM entry", "DELETE FROM tick", "DELETE FROM day",
						   "DELETE FROM pruned" };

		assert_non_null(tamper(scene, sql[i]));
	}
	assert_checked(scene);
}

/* Killed before each of the calls that change the file. */
static bool kill_at(struct scene *scene, int call)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		failing = (struct failing){ .after = call, .error = 0 };
		_exit(prune_before(scene, FIRST + 30) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) && WEXITSTATUS(status) != FAILING_KILLED)
		fail_msg("it ended with %d", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}

static void killed_at_any_moment_it_is_whole(void **state)
{
	struct scene *scene = *state;
	struct answers before = ask(scene);
	char command[512];
	int call;

	failing_begin();
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	snprintf(command, sizeof(command), "cp '%s' '%s/copy'", scene->path, scene->folder);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "cp '%s/copy' '%s'; rm -f '%s-journal'", scene->folder, scene->path,
		 scene->path);
	for (call = 0; kill_at(scene, call); call += 1 + call / 5) {
		assert_int_equal(reopen(scene, LEDGER_READING), 0);
		assert_answers(scene, &before);
		assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
		assert_int_equal(book_after(scene, 1), 0);
		assert_int_equal(scene->booked.rows, 0);
		ledger_close(scene->ledger);
		scene->ledger = NULL;
		if (call % 3 == 0) { /* the next one goes on */
			assert_int_equal(prune_before(scene, FIRST + 30), 0);
			assert_int_equal(rows_in(scene, "entry"), 10 * 8);
			assert_int_equal(reopen(scene, LEDGER_READING), 0);
			assert_answers(scene, &before);
			ledger_close(scene->ledger);
			scene->ledger = NULL;
		}
		assert_int_equal(system(command), 0);
	}
	assert_true(call > 100);
	forget(&before);
}

static void prune_until_closed(struct scene *scene, int fd)
{
	char byte;
	int err;

	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		_exit(2);
	while (read(fd, &byte, 1) < 0)
		if ((err = prune_before(scene, FIRST + DAYS + 30)) && err != -EBUSY) {
			fprintf(stderr, "# %s\n", scene->fault.text);
			_exit(1);
		}
	_exit(0);
}

/* However long somebody has it locked. */
static void assert_sound(struct scene *scene)
{
	struct ledger_checked checked;
	struct ledger *ledger;
	int err;

	while ((err = ledger_open(&ledger, scene->path, LEDGER_READING, &scene->fault)) == -EBUSY)
		;
	assert_int_equal(err, 0);
	while ((err = ledger_check(ledger, NULL, NULL, &checked, &scene->fault)) == -EBUSY)
		;
	if (err)
		fail_msg("%s", scene->fault.text);
	ledger_close(ledger);
}

/* Whatever the clock says, and however often: no byte is lost, none is there twice. */
static void it_goes_on_beside_bookings(void **state)
{
	struct scene *scene = *state;
	__u64 want = booked_of(scene, "a");
	int ends[2], status, err;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[1]);
		prune_until_closed(scene, ends[0]);
	}
	close(ends[0]);
	for (int i = 0; i < 300; i++) {
		send_bytes(&scene->items[0], SW_BILLABLE, 1 + i);
		want += 1 + i;
		scene->tick.now = (FIRST + i % DAYS) * DAY_MS + i;
		while ((err = book_after(scene, 1)) == -EBUSY)
			;
		assert_int_equal(err, 0);
		if (i % 10 == 0)
			assert_sound(scene);
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(booked_of(scene, "a"), want);
	assert_int_equal(prune_before(scene, FIRST + DAYS + 30), 0);
	assert_int_equal(booked_of(scene, "a"), want);
	assert_checked(scene);
}

struct prunes_meanwhile {
	struct scene *scene;
	bool done;
};

static void prune_meanwhile(const struct interval *interval, void *data)
{
	struct prunes_meanwhile *meanwhile = data;

	(void)interval;
	if (!meanwhile->done)
		assert_int_equal(prune_before(meanwhile->scene, FIRST + DAYS), 0);
	meanwhile->done = true;
}

static void an_export_that_is_overtaken_says_so(void **state)
{
	struct scene *scene = *state;
	struct prunes_meanwhile meanwhile = { .scene = scene };
	struct ledger *reader;

	for (int i = 0; i < 1200; i++) { /* more than are read at once */
		send_bytes(&scene->items[0], SW_BILLABLE, 1);
		assert_int_equal(book_after(scene, 1), 0);
	}
	assert_int_equal(ledger_open(&reader, scene->path, LEDGER_READING, &scene->fault), 0);
	assert_int_equal(ledger_intervals(reader, ALL, prune_meanwhile, &meanwhile, &scene->fault), -ENODATA);
	ledger_close(reader);
}

static void the_file_becomes_smaller(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 3000; i++) {
		send_bytes(&scene->items[0], SW_BILLABLE, 1);
		assert_int_equal(book_after(scene, 1), 0);
	}
	assert_int_equal(prune_before(scene, FIRST + DAYS + 1), 0);
	assert_true(pruned.size > 4 * pruned.after / 3 + 100000);
	assert_int_equal(pruned.free, 0);
	assert_checked(scene);
}

int main(void)
{
#define PRUNE(test) cmocka_unit_test_setup_teardown(test, scene_days, scene_end)
	const struct CMUnitTest tests[] = {
		PRUNE(rows_go_and_sums_stay),
		PRUNE(a_dry_run_counts_and_changes_nothing),
		PRUNE(what_cuts_a_pruned_day_is_refused),
		PRUNE(rows_that_are_gone_are_not_passed_over),
		PRUNE(the_daemon_goes_on_where_it_was),
		PRUNE(rows_of_a_pruned_day_may_still_come),
		PRUNE(budgets_count_what_was_pruned),
		PRUNE(older_ledgers_are_read_and_pruned),
		PRUNE(what_does_not_add_up_is_named_and_nothing_is_pruned),
		PRUNE(a_check_of_a_pruned_ledger_finds_what_was_falsified),
		PRUNE(what_counts_is_not_deleted),
		PRUNE(killed_at_any_moment_it_is_whole),
		PRUNE(it_goes_on_beside_bookings),
		PRUNE(an_export_that_is_overtaken_says_so),
		PRUNE(the_file_becomes_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
