// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and prefixes as text, and lists of prefixes as sets of addresses. */
#include "prefix.h"
#include "generate.h"
#include "test.h"

/* What is written, and what is printed back; NULL: refused. */
static const struct text {
	const char *in, *out;
} texts[] = {
	{ "10.0.0.0/8", "10.0.0.0/8" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "192.0.2.1", "192.0.2.1" },
	{ "192.0.2.1/32", "192.0.2.1" },
	{ "255.255.255.255/32", "255.255.255.255" },
	{ "128.0.0.0/1", "128.0.0.0/1" },
	{ "::/0", "::/0" },
	{ "::", "::" },
	{ "::1/128", "::1" },
	{ "2001:DB8:0:0::/32", "2001:db8::/32" },
	{ "2001:db8::8000:0:0:0/65", "2001:db8:0:0:8000::/65" },
	{ "64:ff9b::192.0.2.0/120", "64:ff9b::c000:200/120" },
	{ "::fffe:0:0/95", "::fffe:0:0/95" },
	{ "::/80", "::/80" },
	/* the v4-mapped form is IPv4 itself, with a length of its own */
	{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
	{ "::ffff:0:0/96", "0.0.0.0/0" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "::ffff:10.0.0.0/8", NULL },
	{ "::ffff:0:0/95", NULL },
	{ "::ffff:10.0.0.0/129", NULL },
	/* bits beyond the length */
	{ "10.0.0.1/8", NULL },
	{ "10.0.0.0/6", NULL },
	{ "0.0.0.1/0", NULL },
	{ "2001:db8::1/64", NULL },
	{ "::1/0", NULL },
	{ "8000::/0", NULL },
	/* lengths */
	{ "10.0.0.0/33", NULL },
	{ "2001:db8::/129", NULL },
	{ "10.0.0.0/", NULL },
	{ "10.0.0.0/08", NULL },
	{ "0.0.0.0/00", NULL },
	{ "10.0.0.0/-8", NULL },
	{ "10.0.0.0/+8", NULL },
	{ "10.0.0.0/ 8", NULL },
	{ "10.0.0.0/8 ", NULL },
	{ "10.0.0.0/8x", NULL },
	{ "10.0.0.0/0x8", NULL },
	{ "10.0.0.0/8/8", NULL },
	{ "10.0.0.0/4294967304", NULL },
	{ "10.0.0.0/18446744073709551624", NULL },
	{ "10.0.0.0/255.0.0.0", NULL },
	/* addresses */
	{ "", NULL },
	{ "/8", NULL },
	{ "10", NULL },
	{ "10.0.0", NULL },
	{ "10.0.0.0.0", NULL },
	{ "10.0.0.256", NULL },
	{ "010.0.0.1", NULL },
	{ "10.0.0.01", NULL },
	{ "10.0.0.00", NULL },
	{ "0x0a.0.0.1", NULL },
	{ "10.0.0.1 ", NULL },
	{ " 10.0.0.1", NULL },
	{ "10.0.0.-1", NULL },
	{ "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "1::2::3", NULL },
	{ "12345::", NULL },
	{ "fe80::1%eth0", NULL },
	{ "[::1]", NULL },
	{ ":", NULL },
	{ ":::", NULL },
	{ "g::", NULL },
	{ "::ffff:010.0.0.1", NULL },
	{ "2001:db8::1 or any other text that is longer than every address", NULL },
};

static void text_is_strict(void **state)
{
	char buf[SW_PREFIX_TEXT];
	struct sw_prefix prefix;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *wrong = prefix_parse(texts[i].in, &prefix);

		if (!wrong != !!texts[i].out)
			fail_msg("'%s': %s", texts[i].in, wrong ? wrong : "was accepted");
		if (texts[i].out)
			assert_string_equal(prefix_format(&prefix, buf), texts[i].out);
	}
}

static void text_of_every_length_returns(void **state)
{
	struct draw draw = { .state = 1 };
	char buf[SW_PREFIX_TEXT];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct sw_prefix prefix = { 0 }, again;

		for (int b = 0; b < 16; b++)
			prefix.addr.b[b] = draw_chance(&draw, 50) ? draw_below(&draw, 256) : 0;
		if (draw_chance(&draw, 30))
			prefix.addr = sw_addr_v4(prefix.addr.w[3]);
		prefix_cut(&prefix,
			   (prefix_is_v4(&(struct sw_prefix){ 128, prefix.addr }) ? 96 : 0) + draw_below(&draw, 33));
		assert_null(prefix_parse(prefix_format(&prefix, buf), &again));
		assert_int_equal(prefix_order(&prefix, &again), 0);
	}
}

static void covering_and_the_last_address(void **state)
{
	struct sw_prefix prefix = prefix_of("2001:db8:0:0:4000::/66");
	struct sw_addr last = prefix_last(&prefix), after = last, before = prefix.addr;
	char text[SW_ADDR_TEXT];

	(void)state;
	addr_step(&after, 1);
	addr_step(&before, -1);
	assert_string_equal(addr_format(&last, text), "2001:db8::7fff:ffff:ffff:ffff");
	assert_true(prefix_covers(&prefix, &prefix.addr));
	assert_true(prefix_covers(&prefix, &last));
	assert_false(prefix_covers(&prefix, &after));
	assert_false(prefix_covers(&prefix, &before));
	assert_true(prefix_covers(&(struct sw_prefix){ .len = 0 }, &after));
	assert_true(prefix_covers(&(struct sw_prefix){ .len = 128, .addr = last }, &last));
	assert_false(prefix_covers(&(struct sw_prefix){ .len = 128, .addr = last }, &after));
}

static void order_is_by_address_then_length(void **state)
{
	static const char *const sorted[] = { "::/0",       "::",         "::1",      "0.0.0.0/0",  "0.0.0.0/8",
					      "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0", "11.0.0.0/8", "2001:db8::/32",
					      "ffff::/16" };

	(void)state;
	for (size_t i = 0; i < COUNT(sorted); i++) {
		for (size_t j = 0; j < COUNT(sorted); j++) {
			struct sw_prefix a = prefix_of(sorted[i]), b = prefix_of(sorted[j]);
			int order = prefix_order(&a, &b);

			assert_int_equal(order < 0 ? -1 : order > 0, i < j ? -1 : i > j);
		}
	}
}

static void a_list_is_read_line_by_line(void **state)
{
	static const char text[] = "# comment\n10.0.0.0/8\r\n\n  192.0.2.1\t# one host\n2001:db8::/32";
	static const char bad[] =
		"10.0.0.0/8\n10.0.0.1/8\nnonsense\n::/0 ::/0\n192.0.2.1\0\n10.0.0.0/8 10.0.0.0/8 10.0.0.0/8 "
		"10.0.0.0/8 10.0.0.0/8\n";
	struct prefixes list = { 0 };
	struct diags diags = { 0 };

	(void)state;
	prefixes_parse("list", text, sizeof(text) - 1, &list, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 3);
	prefixes_free(&list);
	prefixes_parse("list", bad, sizeof(bad) - 1, &list, &diags);
	assert_int_equal(list.n, 1);
	assert_int_equal(diags.errors, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(diags.v[i].line, i + 2);
	prefixes_free(&list);
	diags_free(&diags);
}

static void a_file_of_another_kind_is_not_quoted_whole(void **state)
{
	struct prefixes list = { 0 };
	struct diags diags = { 0 };
	char text[4000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 4 == 3 ? '\n' : 'x';
	prefixes_parse("list", text, sizeof(text), &list, &diags);
	assert_int_equal(diags.n, 101);
	diags_free(&diags);
}

/* A universe of 256 addresses, 192.0.2.0/24, in which a set is a bitmap. */
static struct sw_prefix small(unsigned first, unsigned len)
{
	struct sw_prefix prefix = prefix_of("192.0.2.0/24");

	prefix.addr.b[15] = first;
	prefix_cut(&prefix, SW_V4_BITS + len);
	return prefix;
}

static void paint(const struct prefixes *set, bool map[256])
{
	memset(map, 0, 256);
	for (size_t i = 0; i < set->n; i++) {
		unsigned count = 1U << (128 - set->v[i].len);

		assert_true(count <= 256);
		memset(map + set->v[i].addr.b[15], 1, count);
	}
}

/* Prefixes of the shortest list for the bitmap: one for each aligned block that is full and whose parent is not. */
static size_t shortest(const bool map[256])
{
	size_t n = 0;

	for (unsigned size = 1; size <= 256; size *= 2) {
		for (unsigned at = 0; at < 256; at += size) {
			unsigned parent = size == 256 ? 0 : at & ~(2 * size - 1);

			if (!memchr(map + at, 0, size) && (size == 256 || memchr(map + parent, 0, 2 * size)))
				n++;
		}
	}
	return n;
}

static void random_small(struct draw *draw, struct prefixes *set)
{
	for (unsigned n = draw_below(draw, 40); n; n--)
		*list_add(set) = small(draw_below(draw, 256), draw_chance(draw, 5) ? 24 : 25 + draw_below(draw, 8));
}

static void aggregate_and_subtract_match_a_bitmap(void **state)
{
	struct draw draw = { .state = 2 };

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct prefixes set = { 0 }, minus = { 0 }, whole = { 0 };
		bool a[256], b[256], have[256];

		random_small(&draw, &set);
		random_small(&draw, &minus);
		for (size_t i = 0; i < set.n; i++)
			*list_add(&whole) = set.v[i];
		paint(&set, a);
		paint(&minus, b);
		prefixes_aggregate(&whole);
		paint(&whole, have);
		assert_memory_equal(a, have, 256);
		assert_int_equal(whole.n, shortest(a));
		prefixes_subtract(&set, &minus);
		for (int i = 0; i < 256; i++)
			a[i] &= !b[i];
		paint(&set, have);
		assert_memory_equal(a, have, 256);
		assert_int_equal(set.n, shortest(a));
		prefixes_free(&set);
		prefixes_free(&minus);
		prefixes_free(&whole);
	}
}

static void everything_can_be_joined_and_taken_away(void **state)
{
	struct prefixes set = { 0 }, minus = { 0 };
	char text[SW_PREFIX_TEXT];

	(void)state;
	*list_add(&set) = prefix_of("8000::/1");
	*list_add(&set) = prefix_of("::/1");
	prefixes_aggregate(&set);
	assert_int_equal(set.n, 1);
	assert_string_equal(prefix_format(&set.v[0], text), "::/0");
	*list_add(&minus) = prefix_of("::1");
	prefixes_subtract(&set, &minus);
	assert_int_equal(set.n, 128);
	*list_add(&set) = prefix_of("::1");
	prefixes_aggregate(&set);
	assert_int_equal(set.n, 1);
	*list_add(&minus) = prefix_of("::/0");
	prefixes_subtract(&set, &minus);
	assert_int_equal(set.n, 0);
	prefixes_aggregate(&set);
	prefixes_free(&set);
	prefixes_free(&minus);
}

/* ::ffff:0:0/96, which is IPv4, lies inside ::/0, which says nothing of it. */
static void families_stay_apart(void **state)
{
	struct prefixes set = { 0 }, minus = { 0 };
	char text[SW_PREFIX_TEXT];

	(void)state;
	*list_add(&set) = prefix_of("::/0");
	*list_add(&set) = prefix_of("10.0.0.0/8");
	prefixes_aggregate(&set);
	assert_int_equal(set.n, 2);
	*list_add(&minus) = prefix_of("::/1");
	prefixes_subtract(&set, &minus);
	assert_int_equal(set.n, 2);
	assert_string_equal(prefix_format(&set.v[0], text), "10.0.0.0/8");
	assert_string_equal(prefix_format(&set.v[1], text), "8000::/1");
	set.n = 1;
	set.v[0] = prefix_of("::fffe:0:0/95");
	minus.v[0] = prefix_of("::fffe:0:0/96");
	prefixes_subtract(&set, &minus);
	assert_int_equal(set.n, 0);
	prefixes_free(&set);
	prefixes_free(&minus);
}

/* What carries an IPv4 address, and what nearly does. */
static const struct embedding {
	const char *addr, *v4;
} embeddings[] = {
	{ "64:ff9b::10.1.2.3", "10.1.2.3" },
	{ "64:ff9b::", "0.0.0.0" },
	{ "64:ff9b::255.255.255.255", "255.255.255.255" },
	{ "64:ff9b:0:0:0:1::", NULL },
	{ "64:ff9b:1::10.1.2.3", NULL },
	{ "64:ff9a::10.1.2.3", NULL },
	{ "64:ff9b:0:0:1::10.1.2.3", NULL },
	{ "2002:a01:203::", "10.1.2.3" },
	{ "2002:a01:203:ffff:1:2:3:4", "10.1.2.3" },
	{ "2002::", "0.0.0.0" },
	{ "2003:a01:203::", NULL },
	{ "2001:a01:203::", NULL },
	{ "2001:0:1:2:3:4:f5fe:fdfc", "10.1.2.3" },
	{ "2001::", "255.255.255.255" },
	{ "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0" },
	{ "2001:1:1:2:3:4:f5fe:fdfc", NULL },
	{ "::10.1.2.3", "10.1.2.3" },
	{ "::2", "0.0.0.2" },
	{ "::", NULL },
	{ "::1", NULL },
	{ "::1:0:0", NULL },
	{ "::fffe:10.1.2.3", NULL },
	{ "::ffff:0:10.1.2.3", "10.1.2.3" },
	{ "::ffff:0:0:0", "0.0.0.0" },
	{ "::ffff:1:10.1.2.3", NULL },
	{ "::1:ffff:0:10.1.2.3", NULL },
	{ "1::10.1.2.3", NULL },
	{ "0:1::10.1.2.3", NULL },
	{ "10.1.2.3", NULL },
	{ "0.0.0.0", NULL },
	{ "2606:4700::1111", NULL },
};

static void embedded_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(embeddings); i++) {
		struct sw_addr addr, v4;
		char text[SW_ADDR_TEXT];
		bool found;

		assert_null(addr_parse(embeddings[i].addr, &addr));
		found = sw_addr_embedded_v4(&addr, &v4);
		if (found != !!embeddings[i].v4)
			fail_msg("%s: %s", embeddings[i].addr,
				 found ? "an address was found inside" : "nothing found inside");
		if (found)
			assert_string_equal(addr_format(&v4, text), embeddings[i].v4);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_strict),
		cmocka_unit_test(text_of_every_length_returns),
		cmocka_unit_test(covering_and_the_last_address),
		cmocka_unit_test(order_is_by_address_then_length),
		cmocka_unit_test(a_list_is_read_line_by_line),
		cmocka_unit_test(a_file_of_another_kind_is_not_quoted_whole),
		cmocka_unit_test(aggregate_and_subtract_match_a_bitmap),
		cmocka_unit_test(everything_can_be_joined_and_taken_away),
		cmocka_unit_test(families_stay_apart),
		cmocka_unit_test(embedded_addresses),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
