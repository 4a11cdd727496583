// SPDX-License-Identifier: GPL-2.0-only
/* What the daemon keeps of the log: bounded, in order, and in the form that it sends. */
#include <string.h>

#include "recent.h"
#include "test.h"

static void add(struct recent *recent, __s64 from, __s64 to)
{
	for (__s64 time = from; time < to; time++)
		recent_add(recent, &(struct event){ .time = time });
}

/* The times of those that are kept are from, from + 1, ... */
static void assert_kept(const struct recent *recent, __u32 n, __s64 from)
{
	struct event_head head;
	struct event event;
	struct fault fault;
	size_t len;
	char *copy = recent_copy(recent, 100, &len);

	assert_int_equal(len, sizeof(head) + n * sizeof(event));
	memcpy(&head, copy, sizeof(head));
	assert_int_equal(event_head_check(&head, &fault), 0);
	assert_int_equal(head.kept, n);
	for (__u32 i = 0; i < n; i++) {
		memcpy(&event, copy + sizeof(head) + i * sizeof(event), sizeof(event));
		assert_int_equal(event.time, from + i);
	}
	memset(copy + len, 1, 100);
	free(copy);
}

static void keeps_the_last(void **state)
{
	struct recent recent = { 0 };

	(void)state;
	assert_kept(&recent, 0, 0);
	add(&recent, 0, 3);
	assert_kept(&recent, 3, 0);
	add(&recent, 3, RECENT_MAX);
	assert_kept(&recent, RECENT_MAX, 0);
	add(&recent, RECENT_MAX, 2 * RECENT_MAX + 5);
	assert_kept(&recent, RECENT_MAX, RECENT_MAX + 5);
	recent_free(&recent);
	assert_kept(&recent, 0, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_last),
	};

	return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
