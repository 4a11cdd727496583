// SPDX-License-Identifier: GPL-2.0-only
/* Budgets: a limit of the kernel's counter, from what is in the ledger. */
#include "support.h"

#define DAY 86400

static const struct sw_settings daily = { .budget = 1000, .budget_period = SW_DAY };
static const struct sw_settings monthly = { .budget = 1000, .budget_period = SW_MONTH };

static int scene_empty(void **state)
{
	scene_begin(state);
	return reopen(*state, LEDGER_BOOKING);
}

static __u64 limit(struct scene *scene, const struct ledger_item *item, const struct sw_settings *settings,
		   __u64 unspent, __s64 now)
{
	struct ledger_tenancy of = { .tenant = item->tenant, .unspent = unspent };
	__u64 limit;

	assert_int_equal(
		ledger_booked(scene->ledger, scene->tick.source.epoch, item->tenancy, &of.booked, &scene->fault), 0);
	assert_int_equal(of.booked, item->meter.of[SW_BILLABLE][SW_EGRESS].bytes);
	assert_int_equal(ledger_limit(scene->ledger, &of, settings, now, &limit, &scene->fault), 0);
	of.pending = 100;
	if (limit > 100) {
		__u64 less;

		assert_int_equal(ledger_limit(scene->ledger, &of, settings, now, &less, &scene->fault), 0);
		assert_true(less == limit - 100);
	}
	return limit;
}

static void a_new_tenancy_may_spend_all_of_it(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(limit(scene, attach(scene, "a", 1), &daily, 0, NOON), 1000);
}

static void the_limit_stays_while_the_tenancy_sends(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	for (int i = 0; i < 5; i++) {
		send_bytes(a, SW_BILLABLE, 150);
		send_bytes(a, SW_EXEMPT, 5000);
		assert_int_equal(book_after(scene, 10), 0);
		assert_int_equal(limit(scene, a, &daily, 0, NOON), 1000);
	}
}

static void an_earlier_tenancy_of_the_name_counts(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *first = attach(scene, "a", 1), *other = attach(scene, "b", 2);

	send_bytes(first, SW_BILLABLE, 600);
	send_bytes(other, SW_BILLABLE, 900);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(limit(scene, attach(scene, "a", 3), &daily, 0, NOON), 400);
}

static void a_budget_that_is_used_up_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *first = attach(scene, "a", 1), *second = attach(scene, "a", 2);

	send_bytes(first, SW_BILLABLE, 1100);
	send_bytes(second, SW_BILLABLE, 70);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(limit(scene, second, &daily, 0, NOON), 70); /* where its counter stands */
	assert_int_equal(limit(scene, attach(scene, "a", 3), &daily, 0, NOON), 0);
}

static void a_new_period_begins_where_the_counter_stands(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	send_bytes(a, SW_BILLABLE, 1000);
	assert_int_equal(book_after(scene, 10), 0);
	assert_int_equal(limit(scene, a, &daily, 0, NOON + DAY), 2000);
	assert_int_equal(limit(scene, a, &monthly, 0, NOON + DAY), 1000);     /* the 26th */
	assert_int_equal(limit(scene, a, &monthly, 0, NOON + 5 * DAY), 1000); /* the 30th */
	assert_int_equal(limit(scene, a, &monthly, 0, NOON + 6 * DAY), 2000);
}

static void what_was_sent_without_a_limit_counts_too(void **state)
{
	struct scene *scene = *state;
	struct ledger_item *a = attach(scene, "a", 1);

	send_bytes(a, SW_BILLABLE, 300);
	assert_int_equal(book_after(scene, 10), 0);
	/* of 300 bytes the counter has none: 700 are left to it */
	assert_int_equal(limit(scene, a, &daily, 300, NOON), 700);
	/* and 200 more that are yet to be booked */
	assert_int_equal(limit(scene, a, &daily, 500, NOON), 500);
	assert_int_equal(limit(scene, a, &daily, 5000, NOON), 0);
}

static void a_budget_beyond_all_counting_is_none(void **state)
{
	struct scene *scene = *state;
	const struct sw_settings huge = { .budget = INT64_MAX, .budget_period = SW_MONTH };
	struct ledger_item *a = attach(scene, "a", 1);

	send_bytes(a, SW_BILLABLE, INT64_MAX / 4);
	assert_int_equal(book_after(scene, 10), 0);
	assert_true(limit(scene, a, &huge, 0, NOON) == INT64_MAX);
	assert_true(limit(scene, a, &huge, 0, NOON + 40 * DAY) == INT64_MAX + (__u64)INT64_MAX / 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_empty, scene_end)

/* However many are asked for, and whichever of them are known. */
static void many_at_once_have_spent_what_each_has(void **state)
{
	struct scene *scene = *state;
	char names[40][8];
	__u64 alone, bytes;

	for (unsigned i = 0; i < COUNT(names); i++) {
		snprintf(names[i], sizeof(names[i]), "t%u", i);
		attach(scene, names[i], i + 1);
	}
	for (int day = 0; day < 3; day++) {
		for (unsigned i = 0; i < COUNT(names); i += 1 + day)
			send_bytes(&scene->items[i], i % 3 ? SW_BILLABLE : SW_EXEMPT, 100 * i + day + 1);
		assert_int_equal(book_after(scene, 86400), 0);
	}
	assert_int_equal(ledger_begin(scene->ledger, &scene->fault), 0);
	for (int turn = 0; turn < 4; turn++) {
		__s64 now = NOON + turn / 2 * 86400;
		enum sw_period period = turn % 2 ? SW_MONTH : SW_DAY;

		for (unsigned i = 0; i <= COUNT(names); i++) {
			const char *name = i < COUNT(names) ? names[i] : "unknown";
			struct ledger *other;

			assert_int_equal(ledger_open(&other, scene->path, LEDGER_READING, &scene->fault), 0);
			assert_int_equal(ledger_spent(other, name, period, now, &alone, &scene->fault), 0);
			ledger_close(other);
			assert_int_equal(ledger_spent(scene->ledger, name, period, now, &bytes, &scene->fault), 0);
			assert_true(bytes == alone);
			assert_int_equal(i && i < COUNT(names) && i % 3 && !(period == SW_DAY && turn / 2 && i % 2),
					 bytes != 0);
		}
	}
	ledger_end(scene->ledger);
	send_bytes(&scene->items[1], SW_BILLABLE, 1);
	assert_int_equal(book_after(scene, 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_tenancy_may_spend_all_of_it),
		TEST(the_limit_stays_while_the_tenancy_sends),
		TEST(an_earlier_tenancy_of_the_name_counts),
		TEST(a_budget_that_is_used_up_leaves_nothing),
		TEST(a_new_period_begins_where_the_counter_stands),
		TEST(what_was_sent_without_a_limit_counts_too),
		TEST(a_budget_beyond_all_counting_is_none),
		TEST(many_at_once_have_spent_what_each_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
