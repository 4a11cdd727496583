/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy means, said as plainly as possible: rules are asked in order and the first that matches
 * decides. It shares no code with the compiler or with decide.h, which must give the same answers.
 */
#ifndef SW_NAIVE_H
#define SW_NAIVE_H

#include <string.h>

#include "image.h"
#include "sets.h"

static inline bool naive_is_v4(const struct sw_addr *addr)
{
	static const __u8 front[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr->b, front, 12);
}

/* An IPv6 prefix never speaks of IPv4, though ::ffff:0:0/96 lies inside some of them. */
static inline bool naive_covers(const struct sw_prefix *prefix, const struct sw_addr *addr)
{
	unsigned bytes = prefix->len / 8, bits = prefix->len % 8;

	if (naive_is_v4(addr) && !(prefix->len >= 96 && naive_is_v4(&prefix->addr)))
		return false;
	if (memcmp(prefix->addr.b, addr->b, bytes))
		return false;
	return !bits || prefix->addr.b[bytes] >> (8 - bits) == addr->b[bytes] >> (8 - bits);
}

static inline bool naive_in(const struct prefixes *set, const struct sw_addr *addr)
{
	for (size_t i = 0; i < set->n; i++)
		if (naive_covers(&set->v[i], addr))
			return true;
	return false;
}

static inline bool naive_terms(const struct policy *policy, const __u32 *terms, size_t n, const struct sw_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (naive_in(&policy->terms.v[terms[i]].prefixes, addr))
			return true;
	return false;
}

static inline bool naive_special(const struct sw_addr *addr)
{
	static struct prefixes special;

	if (!special.n)
		set_find(SET_SPECIAL, &special);
	return naive_in(&special, addr);
}

/* *.example.com stands for all that ends in .example.com, and has something in front of it. */
static inline bool naive_has_name(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->names.n; i++) {
		const char *pattern = rule->names.v[i];
		size_t end = strlen(pattern) - 1, len = strlen(name);

		if (*pattern == '*' ? len > end && !strcmp(name + len - end, pattern + 1) : !strcmp(name, pattern))
			return true;
	}
	return false;
}

static inline bool naive_port(const struct rule *rule, unsigned port)
{
	for (size_t i = 0; i < rule->ports.n; i++)
		if (port >= rule->ports.v[i].first && port <= rule->ports.v[i].last)
			return true;
	return !rule->ports.n;
}

/* Of an address that rules without names allow. */
static inline __u8 naive_resolver(const struct policy *policy, const struct sw_addr *addr, unsigned port)
{
	if (port != 53 || !policy_has_names(policy))
		return 0;
	return (policy->gate ? SW_ANSWER_GATED : 0) |
	       (naive_terms(policy, policy->resolvers.v, policy->resolvers.n, addr) ? SW_ANSWER_RESOLVER : 0);
}

/*
 * `name`: what the address was the answer to; NULL: nothing. Of several rules that have the name and the service, the
 * first says whether it opens private addresses. `private`: the address counts as one, whatever it is.
 */
static inline struct sw_verdict naive_addr(const struct policy *policy, const struct sw_addr *addr, unsigned proto,
					   unsigned port, const char *name, bool private)
{
	for (size_t i = 0; i < policy->rules.n; i++) {
		const struct rule *rule = &policy->rules.v[i];

		if ((rule->protos && !(rule->protos >> proto & 1)) || !naive_port(rule, port))
			continue;
		if (rule->names.n && name && naive_has_name(rule, name) && !rule->private &&
		    (private || naive_special(addr)))
			name = NULL;
		if (rule->names.n ? name && naive_has_name(rule, name)
				  : !rule->nets.n || naive_terms(policy, rule->nets.v, rule->nets.n, addr))
			return (struct sw_verdict){
				.rule = i,
				.allow = rule->allow,
				.billing = rule->exempt ? SW_EXEMPT : SW_BILLABLE,
				/* whose answers count is up to the rules without names */
				.resolver =
					(rule->names.n ? naive_addr(policy, addr, proto, port, NULL, private).resolver
					 : rule->allow ? naive_resolver(policy, addr, port)
						       : 0) |
					(rule->names.n && port == 53 && policy->gate ? SW_ANSWER_GATED : 0),
				.pattern = rule->names.n > 0,
			};
	}
	return (struct sw_verdict){
		.rule = SW_RULE_DEFAULT,
		.allow = policy->default_allow,
		.resolver = policy->default_allow ? naive_resolver(policy, addr, port) : 0,
	};
}

/* Which bytes of the address are an IPv4 address in disguise, and what to XOR them with. */
static inline bool naive_embedded(const struct sw_addr *addr, struct sw_addr *v4)
{
	static const __u8 nat64[12] = { 0, 0x64, 0xff, 0x9b }, siit[12] = { [8] = 0xff, 0xff }, teredo[4] = { 0x20, 1 },
			  zeroes[16], one[16] = { [15] = 1 };
	const __u8 *b = addr->b, *from;
	__u8 flip = 0;

	if (!memcmp(b, nat64, 12) || !memcmp(b, siit, 12)) {
		from = b + 12;
	} else if (b[0] == 0x20 && b[1] == 0x02) {
		from = b + 2;
	} else if (!memcmp(b, teredo, 4)) {
		from = b + 12;
		flip = 0xff;
	} else if (!memcmp(b, zeroes, 12) && memcmp(b, zeroes, 16) && memcmp(b, one, 16)) {
		from = b + 12;
	} else {
		return false;
	}
	*v4 = (struct sw_addr){
		.b = { [10] = 0xff, 0xff, from[0] ^ flip, from[1] ^ flip, from[2] ^ flip, from[3] ^ flip }
	};
	return true;
}

/* By way of the loopback device: a rule that denies loopback denies it, unless one before allows the address. */
static inline struct sw_verdict naive_loopback(const struct policy *policy, const struct sw_flow *flow,
					       const char *name, struct sw_verdict verdict)
{
	static const struct sw_addr one = { .b = { [15] = 1 } },
				    localhost = { .b = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };
	bool v4 = naive_is_v4(&flow->peer);
	struct sw_verdict other;

	if (!verdict.allow || (v4 ? flow->peer.b[12] == 127 : !memcmp(&flow->peer, &one, sizeof(one))))
		return verdict;
	other = naive_addr(policy, v4 ? &localhost : &one, flow->proto, flow->port, name, false);
	return !other.allow && other.rule < verdict.rule ? other : verdict;
}

static inline struct sw_verdict naive_decide(const struct policy *policy, const struct sw_flow *flow, const char *name)
{
	struct sw_verdict verdict;
	struct sw_addr v4;

	if (flow->proto > SW_UDP || !(policy->protocols >> flow->proto & 1))
		return (struct sw_verdict){ .rule = SW_RULE_NONE, .allow = 0, .reason = SW_REASON_PROTOCOL };
	verdict = naive_addr(policy, &flow->peer, flow->proto, flow->port, name, flow->local);
	if (flow->local) {
		verdict = naive_loopback(policy, flow, name, verdict);
		verdict.billing = SW_EXEMPT;
	} else if (verdict.allow && naive_embedded(&flow->peer, &v4)) {
		struct sw_verdict outer = verdict;

		verdict = naive_addr(policy, &v4, flow->proto, flow->port, name, false);
		if (outer.billing != SW_EXEMPT)
			verdict.billing = SW_BILLABLE;
		verdict.resolver = outer.resolver;
		verdict.pattern |= outer.pattern;
	}
	return verdict;
}

/* What the image says of an address that was the answer to a name, or to none. */
static inline struct sw_verdict naive_ask(const struct image *image, const struct sw_flow *flow, const char *name)
{
	size_t pattern = name ? image_pattern(image, name) : image->patterns.n;

	return pattern < image->patterns.n ? image_decide_named(image, flow, pattern) : image_decide(image, flow);
}

static inline bool naive_agrees(const struct policy *policy, const struct image *image, const struct sw_flow *flow,
				const char *name)
{
	struct sw_verdict want = naive_decide(policy, flow, name), have = naive_ask(image, flow, name);

	return want.allow == have.allow && want.rule == have.rule && want.reason == have.reason &&
	       (!want.allow ||
		(want.billing == have.billing && want.resolver == have.resolver && want.pattern == (have.pattern > 0)));
}

/* The first span tells whether there is more to ask in any of them. */
static inline bool naive_marked(const struct sw_span *span, __u32 n)
{
	bool named = false;

	for (__u32 i = 0; i < n; i++)
		named |= span[i].answer & SW_ANSWER_NAMED;
	return named == !!(span->answer & SW_ANSWER_CLASS);
}

/* What every image must be, whatever the policy. NULL, or what it is not. */
static inline const char *image_flaw(const struct image *image)
{
	for (size_t i = 0; i < image->entries.n; i++) {
		const struct entry *entry = &image->entries.v[i], *parent = &image->entries.v[entry->parent];
		const struct sw_span *span = &image->spans.v[entry->class.span];

		if (!i && (entry->prefix.len || entry->parent))
			return "the first entry is not ::/0";
		if (i && prefix_order(&image->entries.v[i - 1].prefix, &entry->prefix) >= 0)
			return "entries are not sorted";
		if (i && (entry->parent >= i || parent->prefix.len >= entry->prefix.len ||
			  !prefix_covers(&parent->prefix, &entry->prefix.addr)))
			return "the parent of an entry is not around it";
		if (i && entry->class.span == parent->class.span)
			return "an entry says what its parent says";
		for (size_t j = entry->parent + 1; i && j < i; j++)
			if (prefix_covers(&image->entries.v[j].prefix, &entry->prefix.addr))
				return "an entry lies between another and its parent";
		if (!entry->class.count || entry->class.span + entry->class.count > image->spans.n)
			return "a class has no spans, or they are not there";
		if (span->first)
			return "the spans of a class do not begin with service 0";
		for (__u32 j = 1; j < entry->class.count; j++) {
			if (span[j].first <= span[j - 1].first || span[j].first >= SW_SERVICES)
				return "spans do not ascend";
			if (span[j].rule == span[j - 1].rule &&
			    span[j].answer == (span[j - 1].answer & ~SW_ANSWER_CLASS))
				return "two spans in a row say the same";
		}
		if (!naive_marked(span, entry->class.count))
			return "the first span does not say whether names matter";
		for (__u32 j = 0; j < entry->class.count; j++)
			if (span[j].rule != SW_RULE_DEFAULT && span[j].rule >= image->texts.n)
				return "a span names a rule that is not there";
	}
	return NULL;
}

#endif
