// SPDX-License-Identifier: GPL-2.0-only
/* Who makes a message says how much there is to read in it. The reader is in the kernel, where nobody may wait for it. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define DNS_GLOBAL static
#define dns_loop(n, fn, of)                                                                                            \
	do {                                                                                                           \
		struct dns_walk walk = { .dns = (of) };                                                                \
                                                                                                                       \
		for (__u32 step = 0; step < (n) && fn(step, &walk) == 0; step++)                                       \
			;                                                                                              \
	} while (0)

#include "dns.h"

#define LABEL 60

static struct dns dns;

static void put(const void *data, size_t len)
{
	memcpy(&dns.msg[dns.len], data, len);
	dns.len += len;
}

static void put_name(char c)
{
	unsigned char label[LABEL + 1] = { LABEL };

	memset(label + 1, c, LABEL);
	for (int i = 0; i < 4; i++)
		put(label, sizeof(label));
	put("", 1);
}

/* A record of `type` whose owner stands at `owner`, with two bytes of data. */
static void put_record(__u32 owner, __u8 type)
{
	const __u8 record[] = { 0xc0 | owner >> 8, owner, 0, type, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, DNS_HEADER };

	put(record, sizeof(record));
}

/* An alias of itself, so that all is read again and again, and as many records of a long name as there is room for. */
static void what_is_read_of_a_message_is_bounded(void **state)
{
	__u32 other, records = 1;

	(void)state;
	dns.len = 0;
	put("\0\1\x81\x80\0\1\0\0\0\0\0\0", DNS_HEADER);
	put_name('a');
	put("\0\1\0\1", 4);
	put_record(DNS_HEADER, DNS_TYPE_CNAME);
	other = dns.len;
	put_name('b');
	put("\0\1\0\1\0\0\0\0\0\0", 10);
	for (; dns.len < DNS_MAX - 16; records++)
		put_record(other, DNS_TYPE_A);
	dns.msg[6] = (records + 1) >> 8;
	dns.msg[7] = records + 1;
	assert_int_equal(dns_question(&dns), 0);
	assert_false(dns_answer(&dns));
	assert_int_equal(dns.steps, DNS_STEPS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_of_a_message_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
