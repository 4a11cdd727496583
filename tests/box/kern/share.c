// SPDX-License-Identifier: GPL-2.0-only
/* What passes take of the processor for each tenant, and who rests for it. */
#include "../../pure/unit/test.h"

#include <time.h>

#include "clock.h"
#include "share.h"

#define HOST  0U
#define SHOP  7U
#define STALL 8U
#define PART  1000000000ULL /* ns: much, compared with what is had for nothing */

static struct shares shares;

static int open_shares(void **state)
{
	(void)state;
	shares_open(&shares, false);
	shares_begin(&shares);
	return 0;
}

static int close_shares(void **state)
{
	(void)state;
	shares_close(&shares);
	return 0;
}

static __s64 before, after; /* the last pass ended between these, ns */

static __u64 end_pass(void)
{
	__u64 charged;

	before = clock_ns(CLOCK_MONOTONIC);
	charged = shares_end(&shares);
	after = clock_ns(CLOCK_MONOTONIC);
	shares_begin(&shares);
	return charged;
}

/* For so many times PART, less what is had for nothing. */
static void assert_rests(__u32 slot, unsigned times)
{
	__u64 ns = times * PART;

	assert_in_range(shares.v[slot].until, before + ns - ns / 10, after + ns);
}

static void who_takes_much_rests_many_times_as_long(void **state)
{
	(void)state;
	share_charge(&shares, SHOP, SHARE_TABLES, PART / 2);
	share_charge(&shares, SHOP, SHARE_SPACES, PART / 2);
	assert_in_range(end_pass(), PART / 2, PART - 1);
	assert_rests(SHOP, SHARE_REST);
	assert_true(share_rests(&shares, SHOP));
	assert_false(share_rests(&shares, STALL));
}

static void two_who_take_much_rest_twice_as_long(void **state)
{
	(void)state;
	share_charge(&shares, SHOP, SHARE_TAKING, PART);
	share_charge(&shares, STALL, SHARE_TAKING, PART);
	end_pass();
	assert_rests(SHOP, 2 * SHARE_REST);
	assert_rests(STALL, 2 * SHARE_REST);
}

static void who_rests_counts_among_those_who_take_much(void **state)
{
	(void)state;
	share_charge(&shares, SHOP, SHARE_TAKING, PART);
	end_pass();
	share_charge(&shares, STALL, SHARE_TAKING, PART);
	end_pass();
	assert_rests(STALL, 2 * SHARE_REST);
}

static void the_rest_comes_to_an_end(void **state)
{
	(void)state;
	share_charge(&shares, SHOP, SHARE_TABLES, PART);
	end_pass();
	shares.now = shares.v[SHOP].until;
	assert_false(share_rests(&shares, SHOP));
}

static void who_takes_little_is_charged_with_nothing(void **state)
{
	(void)state;
	share_charge(&shares, SHOP, SHARE_TABLES, 1000);
	assert_int_equal(end_pass(), 0);
	assert_false(share_rests(&shares, SHOP));
}

static void everybody_rests_for_the_host(void **state)
{
	(void)state;
	share_charge(&shares, HOST, SHARE_TABLES, PART);
	assert_true(share_lasts(&shares, HOST, SHARE_TABLES));
	assert_int_equal(end_pass(), 0);
	assert_false(share_rests(&shares, HOST));
}

static void each_kind_has_a_part_of_its_own(void **state)
{
	(void)state;
	assert_true(share_lasts(&shares, SHOP, SHARE_TABLES));
	share_charge(&shares, SHOP, SHARE_TABLES, PART);
	assert_false(share_lasts(&shares, SHOP, SHARE_TABLES));
	assert_true(share_lasts(&shares, SHOP, SHARE_SPACES));
	assert_true(share_lasts(&shares, STALL, SHARE_TABLES));
	end_pass();
	assert_true(share_lasts(&shares, SHOP, SHARE_TABLES));
}

static void the_next_pass_begins_with_the_first_that_was_put_off(void **state)
{
	(void)state;
	share_put_off(&shares, SHOP, SHARE_TABLES, 300);
	share_put_off(&shares, SHOP, SHARE_TABLES, 400);
	share_put_off(&shares, SHOP, SHARE_SPACES, 5);
	end_pass();
	assert_int_equal(share_next(&shares, SHOP, SHARE_TABLES), 300);
	assert_int_equal(share_next(&shares, SHOP, SHARE_TABLES), 0);
	assert_int_equal(share_next(&shares, SHOP, SHARE_SPACES), 5);
	assert_int_equal(share_next(&shares, STALL, SHARE_TABLES), 0);
}

static void what_comes_late_makes_no_rest_shorter(void **state)
{
	__s64 until;

	(void)state;
	share_charge(&shares, SHOP, SHARE_TAKING, PART);
	end_pass();
	until = shares.v[SHOP].until;
	share_charge(&shares, SHOP, SHARE_TAKING, PART / 100);
	end_pass();
	assert_true(shares.v[SHOP].until > until);
}

static void nobody_rests_after_a_pass_by_hand(void **state)
{
	(void)state;
	shares.once = true;
	share_charge(&shares, SHOP, SHARE_TAKING, PART);
	end_pass();
	assert_false(share_rests(&shares, SHOP));
}

static void another_tenancy_in_the_slot_begins_with_nothing(void **state)
{
	(void)state;
	share_belongs(&shares, SHOP, 1);
	share_charge(&shares, SHOP, SHARE_TAKING, PART);
	end_pass();
	share_belongs(&shares, SHOP, 1);
	assert_true(share_rests(&shares, SHOP));
	share_belongs(&shares, SHOP, 2);
	assert_false(share_rests(&shares, SHOP));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shares, close_shares)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_takes_much_rests_many_times_as_long),
		TEST(two_who_take_much_rest_twice_as_long),
		TEST(who_rests_counts_among_those_who_take_much),
		TEST(the_rest_comes_to_an_end),
		TEST(who_takes_little_is_charged_with_nothing),
		TEST(everybody_rests_for_the_host),
		TEST(each_kind_has_a_part_of_its_own),
		TEST(what_comes_late_makes_no_rest_shorter),
		TEST(nobody_rests_after_a_pass_by_hand),
		TEST(another_tenancy_in_the_slot_begins_with_nothing),
		TEST(the_next_pass_begins_with_the_first_that_was_put_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
