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

/* How many of each slot are kept, and that they are in order. */
static void assert_slots(const struct recent *recent, const __u32 *want, __u32 slots)
{
	__u32 n[4] = { 0 };
	struct event event;
	size_t len, head = sizeof(struct event_head);
	char *copy = recent_copy(recent, 0, &len);
	__s64 last = -1;

	for (size_t at = head; at < len; at += sizeof(event)) {
		memcpy(&event, copy + at, sizeof(event));
		assert_true(event.time > last);
		last = event.time;
		n[event.of.slot]++;
	}
	assert_memory_equal(n, want, slots * sizeof(*n));
	free(copy);
}

static void who_says_most_pushes_out_its_own(void **state)
{
	struct recent recent = { 0 };
	__s64 time = 0;

	(void)state;
	for (int i = 0; i < 30; i++) /* the first, and then some among the others */
		recent_add(&recent, &(struct event){ .of.slot = 1, .time = time++ });
	for (int i = 0; i < 3 * RECENT_MAX; i++)
		recent_add(&recent, &(struct event){ .of.slot = i % 100 ? 2 : 1, .time = time++ });
	assert_slots(&recent, (__u32[]){ 0, 30 + 123, RECENT_MAX - 153 }, 3);
	for (int i = 0; i < 3 * RECENT_MAX; i++)
		recent_add(&recent, &(struct event){ .of.slot = 3, .time = time++ });
	assert_slots(&recent, (__u32[]){ 0, 153, (RECENT_MAX - 153) / 2, RECENT_MAX - 153 - (RECENT_MAX - 153) / 2 },
		     4);
	for (int i = 0; i < 3 * RECENT_MAX; i++)
		recent_add(&recent, &(struct event){ .of.slot = i % 3 + 1, .time = time++ });
	assert_int_equal(recent.n, RECENT_MAX);
	recent_free(&recent);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_last),
		cmocka_unit_test(who_says_most_pushes_out_its_own),
	};

	return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
