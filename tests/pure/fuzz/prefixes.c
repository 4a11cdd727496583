// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of prefixes: every one that is read prints back, and aggregated or with another list taken away it
 * is the set of addresses it should be, asked at every edge. A line of dashes begins the second list.
 */
#include "support.h"

#define ASKED_MAX 24 /* edges of each list: every one is looked up in all of them */

/* A prefix of IPv6 says nothing of IPv4. */
static bool has(const struct prefixes *set, const struct sw_addr *addr)
{
	for (size_t i = 0; i < set->n; i++)
		if (prefix_is_v4(&set->v[i]) == sw_addr_is_v4(addr) && prefix_covers(&set->v[i], addr))
			return true;
	return false;
}

static struct prefixes copy(const struct prefixes *set)
{
	struct prefixes out = { 0 };

	for (size_t i = 0; i < set->n; i++)
		*list_add(&out) = set->v[i];
	return out;
}

static void check_text(const struct sw_prefix *prefix)
{
	char text[SW_PREFIX_TEXT];
	struct sw_prefix again;

	must_hold(!prefix_parse(prefix_format(prefix, text), &again), "a printed prefix can be read");
	must_hold(!prefix_order(prefix, &again), "a printed prefix is the same");
}

static void check_shortest(const struct prefixes *set)
{
	for (size_t i = 1; i < set->n; i++) {
		const struct sw_prefix *a = &set->v[i - 1], *b = &set->v[i];
		struct sw_prefix parent = { .len = a->len - 1, .addr = a->addr };

		must_hold(prefix_is_v4(a) >= prefix_is_v4(b), "IPv4 first");
		if (prefix_is_v4(a) != prefix_is_v4(b))
			continue;
		must_hold(prefix_order(a, b) < 0 && !prefix_covers(a, &b->addr), "sorted and disjoint");
		parent.addr.b[parent.len / 8] &= ~(0x80 >> parent.len % 8);
		must_hold(a->len != b->len || !a->len ||
				  prefix_order(&parent, &(struct sw_prefix){ parent.len, a->addr }) ||
				  !prefix_covers(&parent, &b->addr),
			  "no two halves of one prefix");
	}
}

static void check_edges(const struct prefixes *edges, const struct prefixes *set, const struct prefixes *minus,
			const struct prefixes *left)
{
	for (size_t i = 0, step = 1 + edges->n / ASKED_MAX; i < edges->n; i += step) {
		struct sw_addr asked[4] = { edges->v[i].addr, prefix_last(&edges->v[i]) };

		asked[2] = asked[0];
		asked[3] = asked[1];
		for (int at = 15; at >= 0 && asked[2].b[at]-- == 0; at--)
			;
		for (int at = 15; at >= 0 && ++asked[3].b[at] == 0; at--)
			;
		for (int k = 0; k < 4; k++)
			must_hold(has(left, &asked[k]) == (has(set, &asked[k]) && !has(minus, &asked[k])),
				  "what is left is the one list without the other");
	}
}

static void read_list(const char *text, size_t len, struct prefixes *out)
{
	struct diags diags = { 0 };

	prefixes_parse("fuzz", text, len, out, &diags);
	check_diags(&diags);
	diags_free(&diags);
	for (size_t i = 0; i < out->n; i++)
		check_text(&out->v[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size ? memmem(data, size, "\n--\n", 4) : NULL;
	size_t len = cut ? (size_t)(cut - data) : size;
	struct prefixes set = { 0 }, minus = { 0 }, joined, left, taken;

	read_list(size ? (const char *)data : "", len, &set);
	if (cut)
		read_list((const char *)cut + 4, size - len - 4, &minus);
	joined = copy(&set);
	left = copy(&set);
	taken = copy(&minus);
	prefixes_aggregate(&joined);
	prefixes_subtract(&left, &taken);
	check_shortest(&joined);
	check_shortest(&left);
	check_shortest(&taken);
	check_edges(&set, &set, &(struct prefixes){ 0 }, &joined);
	check_edges(&set, &set, &minus, &left);
	check_edges(&minus, &set, &minus, &left);
	prefixes_free(&set);
	prefixes_free(&minus);
	prefixes_free(&joined);
	prefixes_free(&left);
	prefixes_free(&taken);
	return 0;
}
