/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy means, said as plainly as possible: rules are asked in order and the first that matches
 * decides. It shares no code with the compiler or with decide.h, which must give the same answers.
 */
#ifndef SW_NAIVE_H
#define SW_NAIVE_H

#include <string.h>

#include "image.h"

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

static inline bool naive_net(const struct policy *policy, const struct rule *rule, const struct sw_addr *addr)
{
	if (rule->names.n) /* the addresses of names are not learned */
		return false;
	for (size_t i = 0; i < rule->nets.n; i++) {
		const struct prefixes *set = &policy->terms.v[rule->nets.v[i]].prefixes;

		for (size_t j = 0; j < set->n; j++)
			if (naive_covers(&set->v[j], addr))
				return true;
	}
	return !rule->nets.n;
}

static inline bool naive_port(const struct rule *rule, unsigned port)
{
	for (size_t i = 0; i < rule->ports.n; i++)
		if (port >= rule->ports.v[i].first && port <= rule->ports.v[i].last)
			return true;
	return !rule->ports.n;
}

static inline struct sw_verdict naive_addr(const struct policy *policy, const struct sw_addr *addr, unsigned proto,
					   unsigned port)
{
	for (size_t i = 0; i < policy->rules.n; i++) {
		const struct rule *rule = &policy->rules.v[i];
		bool proto_matches = !rule->protos || rule->protos >> proto & 1;

		if (proto_matches && naive_port(rule, port) && naive_net(policy, rule, addr))
			return (struct sw_verdict){
				.rule = i,
				.allow = rule->allow,
				.billing = rule->exempt ? SW_EXEMPT : SW_BILLABLE,
			};
	}
	return (struct sw_verdict){ .rule = SW_RULE_DEFAULT, .allow = policy->default_allow };
}

/* Which bytes of the address are an IPv4 address in disguise, and what to XOR them with. */
static inline bool naive_embedded(const struct sw_addr *addr, struct sw_addr *v4)
{
	static const __u8 nat64[12] = { 0, 0x64, 0xff, 0x9b }, teredo[4] = { 0x20, 1 }, zeroes[16],
			  one[16] = { [15] = 1 };
	const __u8 *b = addr->b, *from;
	__u8 flip = 0;

	if (!memcmp(b, nat64, 12)) {
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

static inline struct sw_verdict naive_decide(const struct policy *policy, const struct sw_flow *flow)
{
	struct sw_verdict verdict;
	struct sw_addr v4;

	if (flow->proto > SW_UDP || !(policy->protocols >> flow->proto & 1))
		return (struct sw_verdict){ .rule = SW_RULE_NONE, .allow = 0, .reason = SW_REASON_PROTOCOL };
	verdict = naive_addr(policy, &flow->peer, flow->proto, flow->port);
	if (verdict.allow && naive_embedded(&flow->peer, &v4)) {
		bool exempt = verdict.billing == SW_EXEMPT;

		verdict = naive_addr(policy, &v4, flow->proto, flow->port);
		if (!exempt)
			verdict.billing = SW_BILLABLE;
	}
	return verdict;
}

static inline bool naive_agrees(const struct policy *policy, const struct image *image, const struct sw_flow *flow)
{
	struct sw_verdict want = naive_decide(policy, flow), have = image_decide(image, flow);

	return want.allow == have.allow && want.rule == have.rule && want.reason == have.reason &&
	       (!want.allow || want.billing == have.billing);
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
			if (span[j].rule == span[j - 1].rule)
				return "two spans in a row have the same rule";
		}
		for (__u32 j = 0; j < entry->class.count; j++)
			if (span[j].rule != SW_RULE_DEFAULT && span[j].rule >= image->texts.n)
				return "a span names a rule that is not there";
	}
	return NULL;
}

#endif
