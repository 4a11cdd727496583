// SPDX-License-Identifier: GPL-2.0-only
/* What records say of their slots, and which of them is whose. */
#include "../../pure/unit/test.h"

#include <errno.h>

#include "mem.h"
#include "slots.h"

#define END 8

/* Slots 1 to 6, of each state one or two; what is in slot 0, and from `END` on, is not to be looked at. */
static const struct sw_record first[END] = {
	[0] = { .tenancy = 99, .cgroup = 99, .name = "nobody" },
	[1] = { .tenancy = 12, .cgroup = 120, .name = "shop" },
	[2] = { .tenancy = 10, .cgroup = 100, .name = "mail", .lingers = 1 },
	[4] = { .tenancy = 9, .name = "shop" },
	[5] = { .tenancy = 14, .cgroup = 140, .name = "mail" },
	[6] = { .tenancy = 11, .name = "mail", .lingers = 1 },
};

static struct host host;

static void make_host(void)
{
	struct sw_record *records = mem_alloc(SW_TENANTS_MAX, sizeof(*records));

	memcpy(records, first, sizeof(first));
	host.records = records;
}

static void a_record_says_its_state(void **state)
{
	static const enum slot_state expected[] = { [1] = SLOT_ATTACHED, SLOT_LINGERING, SLOT_FREE,
						    SLOT_ENDED,          SLOT_ATTACHED,  SLOT_ENDED };

	(void)state;
	for (int slot = 1; slot <= 6; slot++)
		assert_int_equal(slot_state(&first[slot]), expected[slot]);
}

/* The slots in these states, as decimal digits. */
static int listed(unsigned states)
{
	int digits = 0;

	for_each_slot(slot, first, END, states)
		digits = 10 * digits + slot;
	return digits;
}

static void slots_are_gone_through_by_state(void **state)
{
	(void)state;
	assert_int_equal(listed(SLOTS(FREE)), 37);
	assert_int_equal(listed(SLOTS(ATTACHED)), 15);
	assert_int_equal(listed(SLOTS(LINGERING)), 2);
	assert_int_equal(listed(SLOTS(ENDED)), 46);
	assert_int_equal(listed(SLOTS_HELD), 125);
	assert_int_equal(listed(SLOTS_USED), 12456);
	assert_int_equal(slots_count(&host, SLOTS_USED), 5);
	assert_int_equal(slots_end(&host), 7);
}

/* Only what is attached has a name, a cgroup and a number to be found by. */
static void a_tenancy_is_found_while_it_is_attached(void **state)
{
	(void)state;
	assert_int_equal(tenancy_named(&host, "shop").slot, 1);
	assert_int_equal(tenancy_named(&host, "mail").number, 14);
	assert_int_equal(tenancy_named(&host, "nobody").number, 0);
	assert_int_equal(tenancy_of_cgroup(&host, 140).number, 14);
	assert_int_equal(tenancy_of_cgroup(&host, 100).number, 0);
	assert_int_equal(tenancy_numbered(&host, 12).slot, 1);
	assert_int_equal(tenancy_numbered(&host, 9).number, 0);
	assert_int_equal(tenancy_numbered(&host, 0).number, 0);
}

static void a_tenancy_is_not_its_slots_next_one(void **state)
{
	struct tenancy shop = tenancy_named(&host, "shop");
	struct sw_record *record = (struct sw_record *)&host.records[1];

	struct fault fault;

	(void)state;
	assert_int_equal(tenancy_check(&host, shop, SLOTS(ATTACHED), &fault), 0);
	assert_true(tenancy_is(&host, shop, SLOTS(ATTACHED)));
	assert_false(tenancy_is(&host, shop, SLOTS(ENDED)));
	record->cgroup = 0;
	assert_true(tenancy_is(&host, shop, SLOTS(ENDED)));
	*record = (struct sw_record){ 0 };
	assert_false(tenancy_is(&host, shop, SLOTS_USED | SLOTS(FREE)));
	*record = (struct sw_record){ .tenancy = 15, .cgroup = 120, .name = "shop" };
	assert_false(tenancy_is(&host, shop, SLOTS(ATTACHED)));
	assert_int_equal(tenancy_check(&host, shop, SLOTS(ATTACHED), &fault), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_says_its_state),
		cmocka_unit_test(slots_are_gone_through_by_state),
		cmocka_unit_test(a_tenancy_is_found_while_it_is_attached),
		cmocka_unit_test(a_tenancy_is_not_its_slots_next_one),
	};

	make_host();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
