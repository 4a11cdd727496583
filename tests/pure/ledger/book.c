// SPDX-License-Identifier: GPL-2.0-only
/* Booking: every byte once, whatever fails. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "support.h"

static int scene_book(void **state)
{
	scene_begin(state);
	assert_int_equal(reopen(*state, LEDGER_BOOKING), 0);
	return 0;
}

static void books_what_came_since_the_last_tick(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1), *b = attach(scene, "b", 2);

	send_bytes(a, SW_BILLABLE, 100);
	send_bytes(a, SW_EXEMPT, 7);
	assert_int_equal(book(scene), 0);
	assert_int_equal(scene->booked.rows, 2);
	assert_int_equal(scene->booked.sequence, 1);
	send_bytes(a, SW_BILLABLE, 50);
	send_bytes(b, SW_BILLABLE, 9);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(scene->booked.rows, 2);
	assert_int_equal(scene->booked.sequence, 2);

	assert_int_equal(intervals(scene, ALL), 4);
	assert_int_equal(scene->intervals.v[0].traffic[SW_EGRESS].bytes, 100);
	assert_int_equal(scene->intervals.v[0].traffic[SW_EGRESS].payload, 99);
	assert_int_equal(scene->intervals.v[0].traffic[SW_INGRESS].bytes, 200);
	assert_int_equal(scene->intervals.v[0].traffic[SW_INGRESS].packets, 2);
	assert_int_equal(scene->intervals.v[1].billing, SW_EXEMPT);
	assert_int_equal(scene->intervals.v[1].traffic[SW_EGRESS].bytes, 7);
	assert_int_equal(scene->intervals.v[2].traffic[SW_EGRESS].bytes, 50);
	assert_string_equal(scene->intervals.v[3].tenant, "b");
	assert_checked(scene);
}

static void a_row_says_whose_it_is(void **state)
{
	struct scene *scene = *state;
	const struct interval *row;

	send_bytes(attach(scene, "a", 1), SW_BILLABLE, 100);
	assert_int_equal(book(scene), 0);
	assert_int_equal(intervals(scene, ALL), 1);
	row = scene->intervals.v;
	assert_string_equal(row->host, "machine");
	assert_string_equal(row->boot, "boot-1");
	assert_true(row->epoch == 0xfedcba9876543210);
	assert_int_equal(row->sequence, 1);
	assert_string_equal(row->policy, "appengine");
	assert_memory_equal(row->hash, scene->items[0].hash, 32);
	assert_int_equal(row->start, (NOON - 60) * 1000LL);
	assert_int_equal(row->end, NOON * 1000LL);
}

static void a_row_has_the_policy_that_was_in_force(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	for (int i = 0; i < 4; i++) {
		send_bytes(a, SW_BILLABLE, 1);
		a->hash[31] = i % 2;
		a->policy = i < 2 ? "one" : "two";
		assert_int_equal(book_after(scene, 1), 0);
	}
	assert_int_equal(intervals(scene, ALL), 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(scene->intervals.v[i].hash[31], i % 2);
		assert_string_equal(scene->intervals.v[i].policy, i < 2 ? "one" : "two");
	}
}

static void without_traffic_nothing_is_written(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);
	struct stat before, after;

	send_bytes(a, SW_BILLABLE, 5);
	assert_int_equal(book(scene), 0);
	stat(scene->path, &before);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(scene->booked.rows, 0);
	stat(scene->path, &after);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim));

	/* and the next interval begins there */
	send_bytes(a, SW_BILLABLE, 5);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(intervals(scene, ALL), 2);
	assert_int_equal(scene->intervals.v[1].start, (NOON + 10) * 1000LL);
}

static void what_is_reported_is_on_disk(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	failing_begin();
	for (int i = 1; i < 4; i++) {
		journals_synced = 0;
		send_bytes(a, SW_BILLABLE, 1);
		assert_int_equal(book_after(scene, 1), 0);
		assert_int_equal(journals_synced, 1);
	}
}

static void a_restart_books_nothing_twice(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1), *b = attach(scene, "b", 2);

	send_bytes(a, SW_BILLABLE, 100);
	send_bytes(b, SW_EXEMPT, 3);
	assert_int_equal(book(scene), 0);
	scene->tick.now += 86400000; /* so that there are two days to add up */
	scene->tick.uptime += 86400000;
	send_bytes(a, SW_BILLABLE, 20);
	assert_int_equal(book(scene), 0);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(scene->booked.rows, 0);
	send_bytes(a, SW_BILLABLE, 1);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(scene->booked.rows, 1);
	assert_int_equal(scene->booked.sequence, 3);
	assert_int_equal(intervals(scene, ALL), 4);
	assert_int_equal(scene->intervals.v[3].end - scene->intervals.v[3].start, 20000);
	assert_int_equal(booked_of(scene, "a"), 121);
	assert_checked(scene);
}

static void a_name_attached_anew_begins_at_nothing(void **state)
{
	struct scene *scene = *state;

	send_bytes(attach(scene, "a", 1), SW_BILLABLE, 100);
	assert_int_equal(book(scene), 0);
	scene->tick.n = 0;
	send_bytes(attach(scene, "a", 2), SW_BILLABLE, 30);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(booked_of(scene, "a"), 130);
}

static void two_tenancies_of_a_name_are_both_booked(void **state)
{
	struct scene *scene = *state;

	for (int i = 3; i > 0; i--)
		send_bytes(attach(scene, "a", i), SW_BILLABLE, 100 * i);
	send_bytes(attach(scene, "b", 4), SW_BILLABLE, 5);
	assert_int_equal(book(scene), 0);
	assert_int_equal(scene->booked.rows, 4);
	assert_int_equal(scene->booked.sequence, 3);
	assert_int_equal(booked_of(scene, "a"), 600);
	assert_int_equal(intervals(scene, ALL), 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(scene->intervals.v[i].start, scene->intervals.v[0].start);
		assert_int_equal(scene->intervals.v[i].end, scene->intervals.v[0].end);
	}
	assert_int_equal(book_after(scene, 1), 0);
	assert_int_equal(scene->booked.rows, 0);
	assert_checked(scene);
}

static void a_tenancy_left_out_of_a_tick_is_not_booked_twice(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	send_bytes(a, SW_BILLABLE, 100);
	assert_int_equal(book(scene), 0);
	scene->tick.n = 0;
	assert_int_equal(book_after(scene, 10), 0);
	scene->tick.n = 1;
	send_bytes(a, SW_BILLABLE, 1);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(booked_of(scene, "a"), 101);
}

static void the_clock_may_be_set(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	send_bytes(a, SW_BILLABLE, 1);
	assert_int_equal(book(scene), 0);
	scene->tick.now -= 86400000; /* a day back */
	send_bytes(a, SW_BILLABLE, 2);
	assert_int_equal(book_after(scene, 10), 0);
	scene->tick.now += 5 * 86400000; /* five forward */
	send_bytes(a, SW_BILLABLE, 4);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(intervals(scene, ALL), 3);
	assert_int_equal(scene->intervals.v[0].traffic[SW_EGRESS].bytes, 2); /* oldest first */
	for (int i = 0; i < 3; i++)
		assert_int_equal(scene->intervals.v[i].end - scene->intervals.v[i].start, i == 1 ? 60000 : 10000);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(scene->booked.rows, 0);
	assert_checked(scene);
}

static void no_interval_is_longer_than_the_boot_or_before_1970(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	a->since = 5; /* attached before the clock was set */
	send_bytes(a, SW_BILLABLE, 1);
	assert_int_equal(book(scene), 0);
	scene->tick.now = 2000; /* and unset */
	scene->tick.uptime += 10000;
	send_bytes(a, SW_BILLABLE, 1);
	assert_int_equal(book(scene), 0);
	assert_int_equal(intervals(scene, ALL), 2);
	assert_int_equal(scene->intervals.v[0].start, 0);
	assert_int_equal(scene->intervals.v[0].end, 2000);
	assert_int_equal(scene->intervals.v[1].start, NOON * 1000LL - 3600000);
}

static void a_meter_that_goes_backwards_is_refused(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1), *b = attach(scene, "other", 2);

	send_bytes(a, SW_BILLABLE, 100);
	send_bytes(b, SW_BILLABLE, 100);
	assert_int_equal(book(scene), 0);
	send_bytes(a, SW_BILLABLE, 100);
	b->meter.of[SW_BILLABLE][SW_INGRESS].packets--;
	assert_int_equal(book_after(scene, 10), -ERANGE);
	assert_line(scene, "tenant other");
	assert_int_equal(booked_of(scene, "a"), 100);
	b->meter.of[SW_BILLABLE][SW_INGRESS].packets++;
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(booked_of(scene, "a"), 200);
}

static void counters_have_63_bits(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	a->meter.of[SW_EXEMPT][SW_INGRESS].bytes = INT64_MAX;
	assert_int_equal(book(scene), 0);
	assert_int_equal(usage(scene, ALL)->rows.v[0].traffic[SW_INGRESS].bytes, INT64_MAX);
	a->meter.of[SW_EXEMPT][SW_INGRESS].bytes++;
	assert_int_equal(book_after(scene, 1), -ERANGE);
	assert_line(scene, "tenant a");
}

static void one_tenancy_twice_is_refused(void **state)
{
	struct scene *scene = *state;

	send_bytes(attach(scene, "a", 1), SW_BILLABLE, 1);
	send_bytes(attach(scene, "b", 1), SW_BILLABLE, 1);
	assert_int_equal(book(scene), -EINVAL);
	assert_line(scene, "tenants ");
}

static void a_locked_ledger_is_booked_later(void **state)
{
	static const char *const locks[] = { "BEGIN IMMEDIATE", "BEGIN; SELECT count(*) FROM tick" };
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);
	sqlite3 *other;

	for (size_t i = 0; i < COUNT(locks); i++) {
		assert_int_equal(sqlite3_open(scene->path, &other), SQLITE_OK);
		assert_int_equal(sqlite3_exec(other, locks[i], NULL, NULL, NULL), SQLITE_OK);
		send_bytes(a, SW_BILLABLE, 100);
		assert_int_equal(book_after(scene, 10), -EBUSY);
		assert_line(scene, "locked");
		assert_int_equal(sqlite3_close(other), SQLITE_OK);
		send_bytes(a, SW_BILLABLE, 1);
		assert_int_equal(book_after(scene, 10), 0);
		assert_int_equal(booked_of(scene, "a"), 101 * (i + 1));
	}
	/* the interval is as long as what it counts */
	assert_int_equal(intervals(scene, ALL), 2);
	assert_int_equal(scene->intervals.v[1].end - scene->intervals.v[1].start, 20000);
}

static void write_id(const char *path, const char *form, unsigned id)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0 && dprintf(fd, form, id, id) > 0);
	close(fd);
}

/* The rights to mount, for who has none; the user stays the same. */
static void enter_user_namespace(void)
{
	unsigned uid = geteuid(), gid = getegid();

	assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
	write_id("/proc/self/setgroups", "deny", 0);
	write_id("/proc/self/uid_map", "%u %u 1", uid);
	write_id("/proc/self/gid_map", "%u %u 1", gid);
}

/* A file system of 1 MiB on the scene's folder, in a mount namespace of the test. */
static void small_disk(const struct scene *scene)
{
	if (geteuid())
		enter_user_namespace();
	else
		assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", scene->folder, "tmpfs", 0, "size=1m"), 0);
}

static void a_full_disk_is_booked_later(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);
	char filler[128], block[4096] = { 0 };
	int fd;

	small_disk(scene);
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	send_bytes(a, SW_BILLABLE, 100);
	assert_int_equal(book(scene), 0);
	snprintf(filler, sizeof(filler), "%s/filler", scene->folder);
	fd = open(filler, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
	for (int i = 0; i < 3; i++) {
		send_bytes(a, SW_BILLABLE, 10);
		assert_int_equal(book_after(scene, 10), -ENOSPC);
		assert_line(scene, "full");
	}
	unlink(filler);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(booked_of(scene, "a"), 130);
	assert_checked(scene);
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	assert_int_equal(umount(scene->folder), 0);
}

/* Each call that a booking makes fails in turn, until there is none left. */
static void fails_and_is_booked_later(void **state, int error)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);
	__u64 sum = 0;
	int failed = 0;

	failing_begin();
	for (bool more = true; more; failed++) {
		__u64 n = sum += 1000 + failed;
		int err;

		send_bytes(a, SW_BILLABLE, 1000 + failed);
		failing = (struct failing){ .after = failed, .error = error };
		err = book_after(scene, 10);
		failing.after = -1;
		more = failing.happened;
		if (more && err && err != -error && err != -EIO)
			fail_msg("call %d: %d, %s", failed, err, scene->fault.text);
		if (!more)
			assert_int_equal(err, 0);
		assert_int_equal(book_after(scene, 10), 0);
		assert_int_equal(booked_of(scene, "a"), n);
		assert_checked(scene);
	}
	assert_true(failed > 10);
}

static void a_disk_that_fails_is_booked_later(void **state)
{
	fails_and_is_booked_later(state, EIO);
}

static void a_disk_that_is_full_for_a_moment_is_booked_later(void **state)
{
	fails_and_is_booked_later(state, ENOSPC);
}

/* Books ticks of one byte each until it is killed. */
static void book_until_killed(struct scene *scene, int told)
{
	if (reopen(scene, LEDGER_BOOKING))
		_exit(1);
	for (;;) {
		send_bytes(&scene->items[0], SW_BILLABLE, 1);
		if (book_after(scene, 1) || write(told, "", 1) != 1)
			_exit(1);
	}
}

static void whoever_is_killed_books_the_rest_next_time(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);
	unsigned killed = 0;

	ledger_close(scene->ledger);
	scene->ledger = NULL;
	for (__u64 least = 0; killed < 30; killed++) {
		int pipes[2], status;
		pid_t child;
		char byte;

		assert_int_equal(pipe(pipes), 0);
		child = fork();
		if (!child)
			book_until_killed(scene, pipes[1]);
		close(pipes[1]);
		assert_int_equal(read(pipes[0], &byte, 1), 1);
		usleep(killed * 97);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		for (least++; read(pipes[0], &byte, 1) == 1; least++)
			;
		close(pipes[0]);

		assert_int_equal(reopen(scene, LEDGER_READING), 0);
		assert_checked(scene);
		assert_true(booked_of(scene, "a") == least || booked_of(scene, "a") == least + 1);
		least = booked_of(scene, "a");
		memset(&a->meter, 0, sizeof(a->meter));
		traffic_add(&a->meter.of[SW_BILLABLE][SW_EGRESS], &usage(scene, ALL)->rows.v[0].traffic[SW_EGRESS]);
		traffic_add(&a->meter.of[SW_BILLABLE][SW_INGRESS], &usage(scene, ALL)->rows.v[0].traffic[SW_INGRESS]);
		ledger_close(scene->ledger);
		scene->ledger = NULL;
		scene->tick.uptime += 100000;
		scene->tick.now += 100000;
	}
}

int main(void)
{
#define BOOK(test) cmocka_unit_test_setup_teardown(test, scene_book, scene_end)
	const struct CMUnitTest tests[] = {
		BOOK(books_what_came_since_the_last_tick),
		BOOK(a_row_says_whose_it_is),
		BOOK(a_row_has_the_policy_that_was_in_force),
		BOOK(without_traffic_nothing_is_written),
		BOOK(what_is_reported_is_on_disk),
		BOOK(a_restart_books_nothing_twice),
		BOOK(a_name_attached_anew_begins_at_nothing),
		BOOK(two_tenancies_of_a_name_are_both_booked),
		BOOK(a_tenancy_left_out_of_a_tick_is_not_booked_twice),
		BOOK(the_clock_may_be_set),
		BOOK(no_interval_is_longer_than_the_boot_or_before_1970),
		BOOK(a_meter_that_goes_backwards_is_refused),
		BOOK(counters_have_63_bits),
		BOOK(one_tenancy_twice_is_refused),
		BOOK(a_locked_ledger_is_booked_later),
		BOOK(a_full_disk_is_booked_later),
		BOOK(a_disk_that_fails_is_booked_later),
		BOOK(a_disk_that_is_full_for_a_moment_is_booked_later),
		BOOK(whoever_is_killed_books_the_rest_next_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
