// SPDX-License-Identifier: GPL-2.0-only
/* What is read from the ledger: periods and their edges, rows in their order, sums. */
#include "calendar.h"
#include "support.h"

#define HOUR 3600
#define DAY  86400

/* Rows of tenants a and b that begin at -90 s, every hour for 40 days, and one that nobody else has. */
#define HOURS (40 * 24)

static int scene_hours(void **state)
{
	struct scene *scene;
	struct ledger_item *a, *b;

	scene_begin(state);
	scene = *state;
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	a = attach(scene, "a", 1);
	b = attach(scene, "b", 2);
	scene->tick.now = (NOON - 90) * 1000LL;
	assert_int_equal(book(scene), 0);
	for (int i = 0; i < HOURS; i++) {
		send_bytes(a, SW_BILLABLE, 100);
		if (i % 24 == 0)
			send_bytes(b, SW_EXEMPT, 1);
		assert_int_equal(book_after(scene, HOUR), 0);
	}
	return 0;
}

static const struct usage *row(struct scene *scene, size_t i)
{
	assert_true(i < scene->usages.rows.n);
	return &scene->usages.rows.v[i];
}

static void one_period_is_from_first_to_last(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(usage(scene, ALL)->rows.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(row(scene, i)->from, NOON - 90);
		assert_int_equal(row(scene, i)->to, NOON - 90 + HOURS * HOUR);
	}
	assert_string_equal(row(scene, 0)->tenant, "a");
	assert_int_equal(row(scene, 0)->billing, SW_BILLABLE);
	assert_int_equal(row(scene, 0)->traffic[SW_EGRESS].bytes, 100 * HOURS);
	assert_int_equal(row(scene, 0)->traffic[SW_EGRESS].payload, 99 * HOURS);
	assert_int_equal(row(scene, 0)->traffic[SW_EGRESS].packets, HOURS);
	assert_int_equal(row(scene, 0)->traffic[SW_INGRESS].bytes, 200 * HOURS);
	assert_int_equal(row(scene, 1)->billing, SW_EXEMPT);
	assert_int_equal(row(scene, 1)->traffic[SW_INGRESS].packets, 2 * HOURS / 24);
	assert_int_equal(usage(scene, asked("nobody", 0, INT64_MAX, -1))->rows.n, 0);
}

static void the_period_covers_parts_of_seconds(void **state)
{
	struct scene *scene = *state;

	scene->tick.now += 1;
	send_bytes(&scene->items[0], SW_BILLABLE, 1);
	assert_int_equal(book_after(scene, 1), 0);
	usage(scene, asked(NULL, NOON - 90 + HOURS * HOUR, INT64_MAX, -1));
	assert_int_equal(row(scene, 0)->from, NOON - 90 + HOURS * HOUR);
	assert_int_equal(row(scene, 0)->to, NOON - 90 + HOURS * HOUR + 2);
}

static void rows_belong_to_the_period_they_begin_in(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(usage(scene, asked("a", 0, INT64_MAX, CALENDAR_HOUR))->rows.n, HOURS);
	for (int i = 0; i < HOURS; i++) {
		assert_int_equal(row(scene, i)->from, NOON - HOUR + i * HOUR);
		assert_int_equal(row(scene, i)->to, NOON + i * HOUR);
		assert_int_equal(row(scene, i)->traffic[SW_EGRESS].bytes, 100);
	}
	assert_int_equal(usage(scene, asked("a", 0, INT64_MAX, CALENDAR_DAY))->rows.n, 41);
	assert_int_equal(row(scene, 0)->from, NOON - DAY / 2);
	assert_int_equal(row(scene, 0)->to, NOON + DAY / 2);
	assert_int_equal(row(scene, 0)->traffic[SW_EGRESS].bytes, 1300); /* 11:58:30 to 23:58:30 */
	assert_int_equal(row(scene, 1)->traffic[SW_EGRESS].bytes, 2400);
	assert_int_equal(row(scene, 40)->traffic[SW_EGRESS].bytes, 1100);
	assert_int_equal(usage(scene, asked("a", 0, INT64_MAX, CALENDAR_MONTH))->rows.n, 3);
	assert_int_equal(row(scene, 0)->from, 1793491200); /* 2026-11-01 */
	assert_int_equal(row(scene, 0)->to, 1796083200);
	assert_int_equal(row(scene, 0)->traffic[SW_EGRESS].bytes, 1300 + 5 * 2400);
	assert_int_equal(row(scene, 1)->to, 1798761600);
	assert_int_equal(row(scene, 1)->traffic[SW_EGRESS].bytes, 31 * 2400);
}

static void periods_come_before_tenants_and_tenants_before_classes(void **state)
{
	struct scene *scene = *state;

	send_bytes(&scene->items[0], SW_EXEMPT, 1);
	assert_int_equal(book(scene), 0);
	assert_int_equal(usage(scene, asked(NULL, 0, INT64_MAX, CALENDAR_MONTH))->rows.n, 7);
	for (size_t i = 1; i < 7; i++) {
		const struct usage *a = row(scene, i - 1), *b = row(scene, i);
		int order = strcmp(a->tenant, b->tenant);

		assert_true(a->from < b->from ||
			    (a->from == b->from && (order < 0 || (!order && a->billing < b->billing))));
	}
}

static __u64 sum_between(struct scene *scene, __s64 from, __s64 to, int by)
{
	const struct usages *usages = usage(scene, asked("a", from, to, by));
	__u64 sum = 0;

	for (size_t i = 0; i < usages->rows.n; i++)
		sum += usages->rows.v[i].traffic[SW_EGRESS].bytes;
	return sum;
}

static void edges_are_of_the_rows_beginnings(void **state)
{
	struct scene *scene = *state;
	__s64 first = NOON - 90, midnight = NOON + DAY / 2;

	for (int by = -1; by < CALENDAR_UNITS; by++) {
		assert_int_equal(sum_between(scene, first, first + 1, by), 100);
		assert_int_equal(sum_between(scene, first + 1, first + HOUR, by), 0);
		assert_int_equal(sum_between(scene, first + 1, first + HOUR + 1, by), 100);
		assert_int_equal(sum_between(scene, 0, first, by), 0);
		assert_int_equal(sum_between(scene, midnight, midnight + DAY, by), 2400);
		assert_int_equal(sum_between(scene, midnight, midnight + 2 * DAY + HOUR, by), 4900);
		assert_int_equal(sum_between(scene, midnight, midnight, by), 0);
		assert_int_equal(sum_between(scene, midnight, INT64_MAX, by), 100 * HOURS - 1300);
		assert_int_equal(sum_between(scene, 0, midnight, by), 1300);
		assert_int_equal(sum_between(scene, INT64_MIN, midnight, by), 1300);
		assert_int_equal(sum_between(scene, midnight, 0, by), 0);
	}
}

static void intervals_come_oldest_first(void **state)
{
	struct scene *scene = *state;
	size_t n = intervals(scene, ALL);

	assert_int_equal(n, HOURS + HOURS / 24);
	for (size_t i = 1; i < n; i++) {
		const struct interval *a = &scene->intervals.v[i - 1], *b = &scene->intervals.v[i];

		assert_true(a->start < b->start || (a->start == b->start && strcmp(a->tenant, b->tenant) < 0));
		assert_true(a->sequence + 1 == b->sequence || a->sequence == b->sequence);
	}
	assert_int_equal(intervals(scene, asked("b", 0, INT64_MAX, -1)), HOURS / 24);
	assert_int_equal(intervals(scene, asked(NULL, NOON - 90 + HOUR, NOON - 90 + 3 * HOUR, -1)), 2);
	assert_int_equal(scene->intervals.v[0].sequence, 2);
}

/* More of them than are read at once, all in few ticks. */
static void no_interval_is_lost_between_two_readings(void **state)
{
	struct scene *scene = *state;
	char names[60][4];

	scene->tick.n = 0;
	for (int i = 0; i < 60; i++) {
		snprintf(names[i], sizeof(names[i]), "t%d", i);
		attach(scene, names[i], 100 + i);
	}
	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < 60; k++)
			send_bytes(&scene->items[k], SW_EXEMPT, 1);
		if (i % 3 == 0)
			scene->tick.now -= 7; /* some begin at one time, after the last of them */
		assert_int_equal(book_after(scene, i % 2), 0);
	}
	assert_int_equal(intervals(scene, ALL), HOURS + HOURS / 24 + 3600);
	for (size_t i = 1; i < scene->intervals.n; i++)
		assert_true(scene->intervals.v[i - 1].start <= scene->intervals.v[i].start);
}

struct books_meanwhile {
	struct scene *scene;
	int err;
};

static void book_meanwhile(const struct interval *interval, void *data)
{
	struct books_meanwhile *meanwhile = data;

	(void)interval;
	if (meanwhile->err)
		return;
	send_bytes(&meanwhile->scene->items[0], SW_BILLABLE, 1);
	meanwhile->err = book_after(meanwhile->scene, 1);
}

static void a_slow_reader_does_not_keep_the_daemon_waiting(void **state)
{
	struct scene *scene = *state;
	struct books_meanwhile meanwhile = { .scene = scene };
	struct ledger *reader;

	assert_int_equal(ledger_open(&reader, scene->path, LEDGER_READING, &scene->fault), 0);
	assert_int_equal(
		ledger_intervals(reader, asked(NULL, 0, NOON + DAY, -1), book_meanwhile, &meanwhile, &scene->fault), 0);
	assert_int_equal(meanwhile.err, 0);
	ledger_close(reader);
}

static __u64 spent(struct scene *scene, const char *tenant, enum sw_period period, __s64 now)
{
	__u64 bytes = 12345;

	assert_int_equal(ledger_spent(scene->ledger, tenant, period, now, &bytes, &scene->fault), 0);
	return bytes;
}

static void spent_is_billable_and_out(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(spent(scene, "a", SW_DAY, NOON), 1300);
	assert_int_equal(spent(scene, "a", SW_DAY, NOON + DAY / 2 - 1), 1300);
	assert_int_equal(spent(scene, "a", SW_DAY, NOON + DAY / 2), 2400);
	assert_int_equal(spent(scene, "a", SW_MONTH, NOON), 1300 + 5 * 2400);
	assert_int_equal(spent(scene, "a", SW_MONTH, NOON - 30 * DAY), 0);
	assert_int_equal(spent(scene, "b", SW_MONTH, NOON), 0);
	assert_int_equal(spent(scene, "nobody", SW_DAY, NOON), 0);
	attach(scene, "a", 77); /* under the same name, another time */
	send_bytes(&scene->items[2], SW_BILLABLE, 5);
	scene->tick.now = NOON * 1000LL;
	scene->tick.uptime += 1000;
	assert_int_equal(book(scene), 0);
	assert_int_equal(spent(scene, "a", SW_DAY, NOON), 1305);
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(spent(scene, "a", SW_DAY, NOON), 1305);
}

static void after_a_reboot_it_says_since_when_bytes_are_lost(void **state)
{
	struct scene *scene = *state;
	__s64 end = scene->tick.now;

	assert_int_equal(ledger_lost_since(scene->ledger, "machine", "boot-1"), 0);
	assert_int_equal(ledger_lost_since(scene->ledger, "another", "boot-2"), 0);
	assert_int_equal(ledger_lost_since(scene->ledger, "machine", "boot-2"), end);
	scene->tick.source = (struct ledger_source){ "machine", "boot-2", 2 };
	scene->tick.uptime = 100000;
	memset(&scene->items[0].meter, 0, sizeof(scene->items[0].meter));
	memset(&scene->items[1].meter, 0, sizeof(scene->items[1].meter));
	send_bytes(&scene->items[0], SW_BILLABLE, 5);
	scene->tick.now += 7000;
	assert_int_equal(book(scene), 0);
	assert_int_equal(scene->booked.sequence, 1);
	assert_int_equal(ledger_lost_since(scene->ledger, "machine", "boot-2"), 0); /* it is said once */
	assert_int_equal(ledger_lost_since(scene->ledger, "machine", "boot-3"), end + 7000);
	assert_checked(scene);
}

static __s64 last(struct scene *scene)
{
	__s64 ms = -1;

	assert_int_equal(ledger_last(scene->ledger, &ms, &scene->fault), 0);
	return ms;
}

/* Whatever the clock said before: once it is right, and something is booked by it, there is nothing left to say. */
static void the_last_row_is_the_one_booked_last(void **state)
{
	struct scene *scene = *state;
	__s64 now = scene->tick.now;

	assert_int_equal(last(scene), now);
	scene->tick.now += 400LL * DAY * 1000;
	scene->tick.uptime += 1000;
	send_bytes(&scene->items[0], SW_BILLABLE, 5);
	assert_int_equal(book(scene), 0);
	assert_int_equal(last(scene), now + 400LL * DAY * 1000);
	scene->tick.now = now;
	send_bytes(&scene->items[0], SW_BILLABLE, 5);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(reopen(scene, LEDGER_READING), 0);
	assert_int_equal(last(scene), now + 10000);
}

static void a_ledger_without_rows_has_no_last_end(void **state)
{
	struct scene *scene = *state;

	strcat(scene->path, ".new");
	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	assert_int_equal(last(scene), 0);
}

int main(void)
{
#define QUERY(test) cmocka_unit_test_setup_teardown(test, scene_hours, scene_end)
	const struct CMUnitTest tests[] = {
		QUERY(one_period_is_from_first_to_last),
		QUERY(the_period_covers_parts_of_seconds),
		QUERY(rows_belong_to_the_period_they_begin_in),
		QUERY(periods_come_before_tenants_and_tenants_before_classes),
		QUERY(edges_are_of_the_rows_beginnings),
		QUERY(intervals_come_oldest_first),
		QUERY(no_interval_is_lost_between_two_readings),
		QUERY(a_slow_reader_does_not_keep_the_daemon_waiting),
		QUERY(spent_is_billable_and_out),
		QUERY(after_a_reboot_it_says_since_when_bytes_are_lost),
		QUERY(the_last_row_is_the_one_booked_last),
		QUERY(a_ledger_without_rows_has_no_last_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
