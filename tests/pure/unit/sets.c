// SPDX-License-Identifier: GPL-2.0-only
/* The built-in sets, and the ones that ship as files. */
#include "sets.h"
#include "generate.h"
#include "google.h"
#include "load.h"
#include "naive.h"
#include "sha256.h"
#include "test.h"

static bool set_has(const char *name, const char *addr)
{
	struct sw_prefix prefix = prefix_of(addr);
	struct prefixes set = { 0 };
	bool found;

	assert_true(set_find(name, &set));
	found = naive_in(&set, &prefix.addr);
	prefixes_free(&set);
	return found;
}

static void every_row_parses(void **state)
{
	size_t rows = 0;

	(void)state;
	for (const struct set_range *range = set_ranges; range->set; range++, rows++) {
		struct sw_prefix prefix;
		char text[SW_PREFIX_TEXT];
		const char *wrong = prefix_parse(range->prefix, &prefix);

		if (wrong)
			fail_msg("%s: %s", range->prefix, wrong);
		prefix_format(&prefix, text);
		assert_int_equal(strncmp(text, range->prefix, strlen(text)), 0);
		assert_true(strstr(range->source, "RFC ") || !strcmp(range->set, "metadata"));
	}
	assert_int_equal(rows, 60);
}

static void a_hole_lies_inside_its_set(void **state)
{
	(void)state;
	for (const struct set_range *hole = set_ranges; hole->set; hole++) {
		struct sw_prefix inner = prefix_of(hole->prefix);
		bool inside = false;

		if (!hole->reachable)
			continue;
		for (const struct set_range *range = set_ranges; range->set; range++) {
			struct sw_prefix outer = prefix_of(range->prefix);

			inside |= !range->reachable && !strcmp(range->set, hole->set) && outer.len < inner.len &&
				  prefix_covers(&outer, &inner.addr);
		}
		if (!inside)
			fail_msg("%s is a hole in nothing", hole->prefix);
		assert_false(set_has(hole->set, hole->prefix));
		assert_false(set_has(SET_SPECIAL, hole->prefix));
	}
}

/* Edge by edge: `special` has an address if and only if a row closes it and no hole opens it. */
static void special_is_every_set(void **state)
{
	(void)state;
	for (const struct set_range *range = set_ranges; range->set; range++) {
		struct sw_prefix prefix = prefix_of(range->prefix);
		struct sw_addr asked[4] = { prefix.addr, prefix_last(&prefix), prefix.addr, prefix_last(&prefix) };

		addr_step(&asked[2], -1);
		addr_step(&asked[3], 1);
		for (int k = 0; k < 4; k++) {
			bool closed = false, open = false;
			char text[SW_ADDR_TEXT];

			for (const struct set_range *r = set_ranges; r->set; r++) {
				struct sw_prefix p = prefix_of(r->prefix);

				*(r->reachable ? &open : &closed) |= naive_covers(&p, &asked[k]);
			}
			addr_format(&asked[k], text);
			if (set_has(SET_SPECIAL, text) != (closed && !open))
				fail_msg("%s: special %s it", text, closed && !open ? "lacks" : "has");
		}
	}
}

/* Read from the registries, not from the table. */
static const struct spot {
	const char *addr;
	bool special;
} spots[] = {
	{ "0.0.0.0", true },
	{ "0.255.255.255", true },
	{ "1.0.0.0", false },
	{ "9.255.255.255", false },
	{ "10.0.0.0", true },
	{ "10.255.255.255", true },
	{ "11.0.0.0", false },
	{ "100.63.255.255", false },
	{ "100.64.0.0", true },
	{ "100.127.255.255", true },
	{ "100.128.0.0", false },
	{ "126.255.255.255", false },
	{ "127.0.0.1", true },
	{ "127.255.255.255", true },
	{ "128.0.0.0", false },
	{ "169.253.255.255", false },
	{ "169.254.169.254", true },
	{ "169.255.0.0", false },
	{ "172.15.255.255", false },
	{ "172.16.0.0", true },
	{ "172.31.255.255", true },
	{ "172.32.0.0", false },
	{ "192.0.0.0", true },
	{ "192.0.0.8", true },
	{ "192.0.0.9", false },
	{ "192.0.0.10", false },
	{ "192.0.0.11", true },
	{ "192.0.0.170", true },
	{ "192.0.0.255", true },
	{ "192.0.1.0", false },
	{ "192.0.2.255", true },
	{ "192.0.3.0", false },
	{ "192.31.196.1", false },
	{ "192.52.193.1", false },
	{ "192.175.48.1", false },
	{ "192.88.99.1", true },
	{ "192.88.98.255", false },
	{ "192.168.0.1", true },
	{ "192.169.0.0", false },
	{ "198.17.255.255", false },
	{ "198.18.0.0", true },
	{ "198.19.255.255", true },
	{ "198.20.0.0", false },
	{ "198.51.100.7", true },
	{ "203.0.113.7", true },
	{ "223.255.255.255", false },
	{ "224.0.0.1", true },
	{ "239.255.255.255", true },
	{ "240.0.0.0", true },
	{ "255.255.255.254", true },
	{ "255.255.255.255", true },
	{ "8.8.8.8", false },
	{ "::", true },
	{ "::1", true },
	{ "::2", true },
	{ "::ffff:0:8.8.8.8", true },
	{ "::fffe:8.8.8.8", true },
	{ "::ffff:8.8.8.8", false },
	{ "64:ff9a:ffff::", true },
	{ "64:ff9b:0:0:0:1::", true },
	{ "200::1", true },
	{ "1fff:ffff::1", true },
	{ "2000::", false },
	{ "3ffe::1", false },
	{ "4000::", true },
	{ "8000::", true },
	{ "168.63.129.15", false },
	{ "168.63.129.16", true },
	{ "168.63.129.17", false },
	{ "100.100.100.200", true },
	{ "192.0.0.192", true },
	{ "fd00:ec2::254", true },
	{ "64:ff9b::808:808", false },
	{ "64:ff9b:1::1", true },
	{ "64:ff9b:2::1", true },
	{ "100::1", true },
	{ "100:0:0:1::1", true },
	{ "100:0:0:2::1", true },
	{ "2001::1", true },
	{ "2001:1::", true },
	{ "2001:1::1", false },
	{ "2001:1::2", false },
	{ "2001:1::3", false },
	{ "2001:1::4", true },
	{ "2001:2::1", true },
	{ "2001:2:1::1", true },
	{ "2001:3::1", false },
	{ "2001:4::1", true },
	{ "2001:4:111:ffff::1", true },
	{ "2001:4:112::1", false },
	{ "2001:4:113::1", true },
	{ "2001:5::1", true },
	{ "2001:10::1", true },
	{ "2001:20::1", false },
	{ "2001:2f:ffff::1", false },
	{ "2001:30::1", false },
	{ "2001:40::1", true },
	{ "2001:1ff:ffff::1", true },
	{ "2001:200::1", false },
	{ "2001:db8::1", true },
	{ "2001:db9::1", false },
	{ "2002:808:808::1", true },
	{ "2003::1", false },
	{ "2620:4f:8000::1", false },
	{ "3fff::1", true },
	{ "3fff:fff:ffff::1", true },
	{ "3fff:1000::1", false },
	{ "5f00::1", true },
	{ "5f01::1", true },
	{ "fbff::1", true },
	{ "fc00::1", true },
	{ "fdff::1", true },
	{ "fe00::1", true },
	{ "fe80::1", true },
	{ "febf::1", true },
	{ "fec0::1", true },
	{ "feff::1", true },
	{ "ff02::1", true },
	{ "2001:4860:4860::8888", false },
};

static void spot_checks_from_the_registries(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(spots); i++)
		if (set_has(SET_SPECIAL, spots[i].addr) != spots[i].special)
			fail_msg("%s: special %s it", spots[i].addr, spots[i].special ? "lacks" : "has");
}

static void names_are_exact(void **state)
{
	struct prefixes set = { 0 };

	(void)state;
	assert_true(set_has("private", "192.168.1.1"));
	assert_true(set_has("private", "fd00::1"));
	assert_false(set_has("private", "100.64.0.1"));
	assert_true(set_has("shared", "100.64.0.1"));
	assert_true(set_has("metadata", "169.254.169.254"));
	assert_true(set_has("metadata", "fd20:ce::254"));
	assert_false(set_has("metadata", "169.254.1.1"));
	assert_true(set_has("unassigned", "4000::1"));
	assert_false(set_has("unassigned", "10.0.0.1"));
	assert_true(set_has("this-network", "::"));
	assert_true(set_has("ipv4-compatible", "::10.0.0.1"));
	assert_true(set_has("broadcast", "255.255.255.255"));
	assert_false(set_has("broadcast", "255.255.255.254"));
	assert_false(set_find("Private", &set));
	assert_false(set_find("", &set));
	assert_false(set_find("google", &set));
	assert_int_equal(set.n, 0);
}

static void read_shipped(const char *name, struct prefixes *out)
{
	struct diags diags = { 0 };

	assert_true(set_load("share", name, out, &diags));
	assert_int_equal(diags.n, 0);
	prefixes_aggregate(out);
}

static void digest(const struct prefixes *set, char hex[65])
{
	char text[SW_PREFIX_TEXT];
	struct sha256 sha;
	uint8_t out[32];

	sha256_init(&sha);
	for (size_t i = 0; i < set->n; i++) {
		prefix_format(&set->v[i], text);
		sha256_add(&sha, text, strlen(text));
		sha256_add(&sha, "\n", 1);
	}
	sha256_end(&sha, out);
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", out[i]);
}

#define GOOGLE_SHA256 "0586b1782dd2752e590f635cda15226ef630a300d99f5068eecc97e435d15981"

static void google_is_what_was_reviewed(void **state)
{
	struct prefixes set = { 0 };
	size_t v4 = 0, before;
	char hex[65];

	(void)state;
	read_shipped("google", &set);
	before = set.n;
	for (size_t i = 0; i < set.n; i++)
		v4 += prefix_is_v4(&set.v[i]);
	assert_int_equal(before, 277);
	assert_int_equal(v4, 197);
	digest(&set, hex);
	assert_string_equal(hex, GOOGLE_SHA256);
	prefixes_free(&set);
}

static bool read_published(const char *name, struct prefixes *out)
{
	char *path = mem_printf("../shared/data/google-ipranges/%s.json", name), *text;
	struct google_list list;
	struct diags diags = { 0 };
	size_t len;

	text = file_read(path, &len);
	free(path);
	if (!text)
		return false;
	assert_true(google_read(name, text, len, &list, &diags));
	for (size_t i = 0; i < list.prefixes.n; i++)
		*list_add(out) = list.prefixes.v[i];
	google_free(&list);
	free(text);
	return true;
}

/* From Google's own files where a snapshot of them is at hand; the digest above stands for them elsewhere. */
static void google_is_goog_without_cloud(void **state)
{
	struct prefixes goog = { 0 }, cloud = { 0 }, shipped = { 0 };
	char want[65] = GOOGLE_SHA256, have[65];

	(void)state;
	read_shipped("google", &shipped);
	if (read_published("goog", &goog) && read_published("cloud", &cloud)) {
		prefixes_subtract(&goog, &cloud);
		digest(&goog, want);
		assert_int_equal(goog.n, 277);
	}
	digest(&shipped, have);
	assert_string_equal(have, want);
	prefixes_free(&goog);
	prefixes_free(&cloud);
	prefixes_free(&shipped);
}

static void google_and_its_cloud_are_disjoint(void **state)
{
	struct prefixes google = { 0 }, cloud = { 0 };
	size_t n;

	(void)state;
	read_shipped("google", &google);
	read_shipped("google-cloud", &cloud);
	n = google.n;
	prefixes_subtract(&google, &cloud);
	assert_int_equal(google.n, n);
	prefixes_free(&google);
	prefixes_free(&cloud);
}

/* Nothing in it is anybody else's: single servers, or ranges of those who give each customer an address. */
static void doh_is_servers_that_can_be_reached(void **state)
{
	struct prefixes doh = { 0 }, special = { 0 };
	size_t v4 = 0, n;

	(void)state;
	read_shipped("doh", &doh);
	n = doh.n;
	for (size_t i = 0; i < n; i++) {
		bool is_v4 = prefix_is_v4(&doh.v[i]);

		assert_true(doh.v[i].len >= (is_v4 ? 96 + 24 : 47)); /* two that are neighbours are one here */
		v4 += is_v4;
	}
	assert_true(v4 > 20 && n - v4 > 20);
	assert_true(set_find(SET_SPECIAL, &special));
	prefixes_subtract(&doh, &special);
	assert_int_equal(doh.n, n);
	prefixes_free(&doh);
	prefixes_free(&special);
}

static void parse(const char *text, struct prefixes *out)
{
	struct diags diags = { 0 };

	if (*text)
		prefixes_parse("list", text, strlen(text), out, &diags);
	assert_int_equal(diags.errors, 0);
}

static void a_loss_is_of_addresses_by_family(void **state)
{
	static const struct {
		const char *before, *now, *family;
	} rows[] = {
		{ "", "8.8.8.0/24", NULL },
		{ "8.8.8.0/24", "8.8.8.0/25", NULL },
		{ "8.8.8.0/24", "8.8.8.0/26\n8.8.8.64/27", "IPv4" },
		{ "8.8.8.0/24\n8.8.4.4", "8.8.8.0/24", NULL },
		{ "8.8.8.0/25\n8.8.8.128/25\n1.1.1.1\n1.1.1.2", "8.8.8.0/24", NULL },
		{ "8.8.8.0/24", "8.8.9.0/24", "IPv4" },
		{ "8.8.8.0/24\n2001:db8::/32", "2001:db8::/32", "IPv4" },
		{ "8.8.8.0/24\n2001:db8::/32", "8.8.8.0/24\n2001:db8::1", "IPv6" },
		{ "0.0.0.0/0", "0.0.0.0/1", NULL },
		{ "8000::/1\n8.8.8.8", "8000::/2\n8.8.8.8", NULL },
		{ "8000::/1\n8.8.8.8", "8000::/3\n8.8.8.8", "IPv6" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefixes before = { 0 }, now = { 0 };
		const char *family;

		parse(rows[i].before, &before);
		parse(rows[i].now, &now);
		family = google_lacks(&before, &now);
		assert_string_equal(family ? family : "none", rows[i].family ? rows[i].family : "none");
		prefixes_free(&before);
		prefixes_free(&now);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_parses),
		cmocka_unit_test(a_hole_lies_inside_its_set),
		cmocka_unit_test(special_is_every_set),
		cmocka_unit_test(spot_checks_from_the_registries),
		cmocka_unit_test(names_are_exact),
		cmocka_unit_test(google_is_what_was_reviewed),
		cmocka_unit_test(google_is_goog_without_cloud),
		cmocka_unit_test(google_and_its_cloud_are_disjoint),
		cmocka_unit_test(doh_is_servers_that_can_be_reached),
		cmocka_unit_test(a_loss_is_of_addresses_by_family),
	};

	return cmocka_run_group_tests_name("sets", tests, NULL, NULL);
}
