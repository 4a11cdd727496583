// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "prefix.h"
#include "utf8.h"

const char *addr_parse(const char *text, struct sw_addr *addr)
{
	struct in_addr v4;

	if (strchr(text, ':'))
		return inet_pton(AF_INET6, text, addr->b) == 1 ? NULL : "not an IPv6 address";
	if (inet_pton(AF_INET, text, &v4) != 1)
		return "not an IP address";
	*addr = sw_addr_v4(v4.s_addr);
	return NULL;
}

/* The bits of byte `i` that lie beyond the first `len` of the address. */
static unsigned host_bits(unsigned len, unsigned i)
{
	if (len >= 8 * (i + 1))
		return 0;
	return len <= 8 * i ? 0xff : 0xff >> (len - 8 * i);
}

static const char *length_parse(const char *text, unsigned max, unsigned *len)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return "the prefix length is not a number";
	if (digits > 1 && *text == '0')
		return "the prefix length begins with 0";
	*len = digits > 3 ? max + 1 : (unsigned)strtoul(text, NULL, 10);
	return *len <= max ? NULL : max == 32 ? "the prefix length is over 32" : "the prefix length is over 128";
}

const char *prefix_parse(const char *text, struct sw_prefix *prefix)
{
	const char *slash = strchr(text, '/'), *wrong;
	bool v4 = !strchr(text, ':');
	unsigned max = v4 ? 32 : 128, len = max;
	char addr[SW_ADDR_TEXT];

	if ((slash ? (size_t)(slash - text) : strlen(text)) >= sizeof(addr))
		return "not an IP address";
	snprintf(addr, sizeof(addr), "%.*s", slash ? (int)(slash - text) : (int)sizeof(addr), text);
	wrong = addr_parse(addr, &prefix->addr);
	if (!wrong && slash)
		wrong = length_parse(slash + 1, max, &len);
	if (wrong)
		return wrong;
	prefix->len = v4 ? len + SW_V4_BITS : len;
	for (unsigned i = 0; i < 16; i++)
		if (prefix->addr.b[i] & host_bits(prefix->len, i))
			return "bits are set beyond the prefix length: clear them, or make it longer";
	return NULL;
}

const char *addr_format(const struct sw_addr *addr, char buf[SW_ADDR_TEXT])
{
	bool v4 = sw_addr_is_v4(addr);

	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr->b + 12 : addr->b, buf, SW_ADDR_TEXT);
}

const char *flow_format(const struct sw_flow *flow, char buf[SW_FLOW_TEXT])
{
	bool v4 = sw_addr_is_v4(&flow->peer), own = flow->local && !sw_addr_is_loopback(&flow->peer);
	char addr[SW_ADDR_TEXT];

	snprintf(buf, SW_FLOW_TEXT, "%s %s%s%s%s:%u", proto_name(flow->proto), v4 ? "" : "[",
		 addr_format(&flow->peer, addr), own ? "%lo" : "", v4 ? "" : "]", flow->port);
	return buf;
}

bool prefix_is_v4(const struct sw_prefix *prefix)
{
	return prefix->len >= SW_V4_BITS && sw_addr_is_v4(&prefix->addr);
}

const char *prefix_format(const struct sw_prefix *prefix, char buf[SW_PREFIX_TEXT])
{
	addr_format(&prefix->addr, buf);
	if (prefix->len < 128)
		sprintf(buf + strlen(buf), "/%u", prefix_is_v4(prefix) ? prefix->len - SW_V4_BITS : prefix->len);
	return buf;
}

bool prefix_covers(const struct sw_prefix *outer, const struct sw_addr *addr)
{
	unsigned whole = outer->len / 8;

	if (memcmp(outer->addr.b, addr->b, whole))
		return false;
	return whole == 16 || !((outer->addr.b[whole] ^ addr->b[whole]) & ~host_bits(outer->len, whole));
}

struct sw_addr prefix_last(const struct sw_prefix *prefix)
{
	struct sw_addr last = prefix->addr;

	for (unsigned i = 0; i < 16; i++)
		last.b[i] |= host_bits(prefix->len, i);
	return last;
}

int prefix_order(const void *a, const void *b)
{
	const struct sw_prefix *x = a, *y = b;
	int order = memcmp(x->addr.b, y->addr.b, 16);

	return order ? order : (int)x->len - (int)y->len;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static size_t comment_at(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && line[at] != '#' && line[at] != ';')
		at++;
	return at;
}

static void line_parse(const struct place *place, const char *line, size_t len, struct prefixes *out,
		       struct diags *diags)
{
	char text[SW_PREFIX_TEXT];
	struct sw_prefix prefix;
	const char *wrong;

	len = comment_at(line, len);
	for (; len && is_blank(*line); len--)
		line++;
	while (len && is_blank(line[len - 1]))
		len--;
	if (!len)
		return;
	if (memchr(line, '\0', len) || len >= sizeof(text)) {
		diag_error(diags, place, "not a prefix: one prefix a line, such as 192.0.2.0/24");
		return;
	}
	memcpy(text, line, len);
	text[len] = '\0';
	wrong = prefix_parse(text, &prefix);
	if (wrong)
		diag_error(diags, place, "'%s': %s; one prefix a line, such as 192.0.2.0/24", text, wrong);
	else
		*list_add(out) = prefix;
}

#define FILE_ERRORS_MAX 100 /* a file of another kind altogether need not be quoted whole */

void prefixes_parse(const char *file, const char *text, size_t len, struct prefixes *out, struct diags *diags)
{
	size_t mark = utf8_mark(text, len), before = diags->errors, n = out->n;
	struct place place = { .file = file, .text = text + mark, .len = len - mark, .col = 1 };
	const char *end = text + len;

	text += mark;

	while (text < end && diags->errors - before < FILE_ERRORS_MAX) {
		const char *stop = memchr(text, '\n', end - text);

		if (!stop)
			stop = end;
		place.line++;
		line_parse(&place, text, stop - text, out, diags);
		text = stop + 1;
	}
	if (text < end)
		diag_error(diags, &place, "%d mistakes so far: is this a list of prefixes?", FILE_ERRORS_MAX);
	else if (out->n == n && diags->errors == before)
		diag_error(diags, &(struct place){ .file = file },
			   "no prefix is in it: write one a line, or take the list out of the policy");
}

/* Two halves of one prefix, in order. */
static bool siblings(const struct sw_prefix *a, const struct sw_prefix *b)
{
	struct sw_prefix parent = { .len = a->len - 1, .addr = a->addr };
	unsigned bit = a->len - 1;

	if (!a->len || a->len != b->len || (a->addr.b[bit / 8] & 0x80 >> bit % 8))
		return false;
	return prefix_covers(&parent, &b->addr);
}

/* IPv4 first: a prefix of IPv6 says nothing of IPv4, though ::ffff:0:0/96 lies inside some. */
static int family_order(const void *a, const void *b)
{
	bool x = prefix_is_v4(a), y = prefix_is_v4(b);

	return x != y ? y - x : prefix_order(a, b);
}

static bool same_family(const struct sw_prefix *a, const struct sw_prefix *b)
{
	return prefix_is_v4(a) == prefix_is_v4(b);
}

void prefixes_aggregate(struct prefixes *set)
{
	size_t n = 0;

	if (set->n)
		qsort(set->v, set->n, sizeof(*set->v), family_order);
	for (size_t i = 0; i < set->n; i++) {
		struct sw_prefix next = set->v[i];

		if (n && same_family(&set->v[n - 1], &next) && prefix_covers(&set->v[n - 1], &next.addr))
			continue;
		while (n && same_family(&set->v[n - 1], &next) && siblings(&set->v[n - 1], &next)) {
			next = set->v[--n];
			next.len--;
		}
		set->v[n++] = next;
	}
	set->n = n;
}

/* How many of an aggregated set are of IPv4: they come first. */
static size_t count_v4(const struct prefixes *set)
{
	size_t n = 0;

	while (n < set->n && prefix_is_v4(&set->v[n]))
		n++;
	return n;
}

/* Adds what is left of `prefix` without `minus[0..n)`, which all lie inside it, in order. */
static void subtract_inside(struct sw_prefix prefix, const struct sw_prefix *minus, size_t n, struct prefixes *out)
{
	struct sw_prefix half = { .len = prefix.len + 1, .addr = prefix.addr };
	size_t split = 0;

	if (!n) {
		*list_add(out) = prefix;
		return;
	}
	if (minus[0].len <= prefix.len)
		return;
	while (split < n && prefix_covers(&half, &minus[split].addr))
		split++;
	subtract_inside(half, minus, split, out);
	half.addr.b[prefix.len / 8] |= 0x80 >> prefix.len % 8;
	if (prefix_is_v4(&half) == prefix_is_v4(&prefix)) /* not ::ffff:0:0/96: that is IPv4 */
		subtract_inside(half, minus + split, n - split, out);
}

/* Of one family, both sorted. */
static void subtract(const struct sw_prefix *set, size_t n, const struct sw_prefix *minus, size_t m,
		     struct prefixes *out)
{
	size_t j = 0;

	for (size_t i = 0; i < n; i++) {
		const struct sw_prefix *prefix = &set[i];
		struct sw_addr last = prefix_last(prefix), minus_last;
		size_t first;

		for (; j < m; j++) {
			minus_last = prefix_last(&minus[j]);
			if (memcmp(minus_last.b, prefix->addr.b, 16) >= 0)
				break;
		}
		first = j;
		if (first < m && prefix_covers(&minus[first], &prefix->addr) && minus[first].len <= prefix->len)
			continue;
		while (j < m && memcmp(minus[j].addr.b, last.b, 16) <= 0)
			j++;
		subtract_inside(*prefix, minus + first, j - first, out);
	}
}

void prefixes_subtract(struct prefixes *set, struct prefixes *minus)
{
	struct prefixes out = { 0 };
	size_t v4, minus_v4;

	prefixes_aggregate(set);
	prefixes_aggregate(minus);
	if (!set->n || !minus->n)
		return;
	v4 = count_v4(set);
	minus_v4 = count_v4(minus);
	subtract(set->v, v4, minus->v, minus_v4, &out);
	subtract(set->v + v4, set->n - v4, minus->v + minus_v4, minus->n - minus_v4, &out);
	prefixes_free(set);
	*set = out;
	prefixes_aggregate(set);
}

void prefixes_free(struct prefixes *set)
{
	free(set->v);
	*set = (struct prefixes){ 0 };
}
