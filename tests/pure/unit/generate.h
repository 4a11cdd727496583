/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random policies, and flows that come close to their edges. What is random comes from a seed, for the
 * property test, or from bytes, so that a fuzzer can steer it.
 */
#ifndef SW_GENERATE_H
#define SW_GENERATE_H

#include <stdint.h>
#include <string.h>

#include "policy.h"
#include "sets.h"

struct draw {
	const uint8_t *bytes; /* NULL: from `state` */
	size_t left;
	uint64_t state;
};

static inline uint64_t draw_mix(struct draw *draw) /* splitmix64 */
{
	uint64_t z = draw->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t draw_byte(struct draw *draw)
{
	if (!draw->left)
		return 0;
	draw->left--;
	return *draw->bytes++;
}

/* A number below `below`. No more bytes are taken than it needs, so that one byte changed changes little. */
static inline uint32_t draw_below(struct draw *draw, uint32_t below)
{
	uint32_t value = 0;

	if (!draw->bytes)
		return (uint32_t)(draw_mix(draw) >> 32) % below;
	for (uint32_t limit = below - 1; limit; limit >>= 8)
		value = value << 8 | draw_byte(draw);
	return value % below;
}

static inline bool draw_chance(struct draw *draw, uint32_t percent)
{
	return draw_below(draw, 100) < percent;
}

static inline void prefix_cut(struct sw_prefix *prefix, unsigned len)
{
	prefix->len = len;
	for (unsigned bit = len; bit < 128; bit++)
		prefix->addr.b[bit / 8] &= ~(0x80 >> bit % 8);
}

static inline struct sw_prefix prefix_of(const char *text)
{
	struct sw_prefix prefix;

	if (prefix_parse(text, &prefix))
		__builtin_trap();
	return prefix;
}

/* Places where policies and the forms that embed an IPv4 address meet. */
static const char *const generate_bases[] = {
	"0.0.0.0/0",
	"10.0.0.0/8",
	"10.1.2.0/24",
	"8.8.8.8",
	"127.0.0.1",
	"255.255.255.255",
	"::/0",
	"2001:db8::/32",
	"2001:db8:1::/48",
	"64:ff9b::/96",
	"64:ff9b::a00:0/104",
	"2002::/16",
	"2002:a00::/24",
	"2001::/32",
	"::/96",
	"::1",
	"::/80",
	"2001::/23",
	"::fffe:0:0/96",
	"::fffe:0:0/95",
	"fc00::/7",
	"64:ff9b::808:808",
};
#define GENERATE_BASES (sizeof(generate_bases) / sizeof(*generate_bases))

/* A prefix of the policy so far; false when there is none. */
static inline bool generate_known(struct draw *draw, const struct policy *policy, struct sw_prefix *out)
{
	const struct rule *rule;
	const struct prefixes *set;

	if (!policy->rules.n)
		return false;
	rule = &policy->rules.v[draw_below(draw, policy->rules.n)];
	if (!rule->nets.n)
		return false;
	set = &policy->terms.v[rule->nets.v[draw_below(draw, rule->nets.n)]].prefixes;
	*out = set->v[draw_below(draw, set->n)];
	return true;
}

/* New, or around, inside or equal to one that is there: nesting is what is hard to compile. */
static inline struct sw_prefix generate_prefix(struct draw *draw, const struct policy *policy)
{
	struct sw_prefix prefix;
	unsigned floor;

	if (!draw_chance(draw, 60) || !generate_known(draw, policy, &prefix))
		prefix = prefix_of(generate_bases[draw_below(draw, GENERATE_BASES)]);
	if (draw_chance(draw, 25))
		return prefix;
	floor = prefix_is_v4(&prefix) ? SW_V4_BITS : 0;
	if (draw_chance(draw, 40) && prefix.len > floor) {
		prefix_cut(&prefix, floor + draw_below(draw, prefix.len - floor));
		return prefix;
	}
	for (unsigned grow = draw_below(draw, 12); grow && prefix.len < 128; grow--) {
		if (draw_chance(draw, 50))
			prefix.addr.b[prefix.len / 8] |= 0x80 >> prefix.len % 8;
		prefix.len++;
	}
	return prefix;
}

static inline __u16 generate_port(struct draw *draw)
{
	static const __u16 edges[] = { 0, 1, 21, 25, 53, 80, 443, 1023, 1024, 32768, 65534, 65535 };

	return draw_chance(draw, 60) ? edges[draw_below(draw, sizeof(edges) / sizeof(*edges))]
				     : draw_below(draw, 65536);
}

static inline void generate_net(struct draw *draw, struct policy *policy, struct rule *rule)
{
	static const char *const sets[] = { "private", "special", "multicast", "protocol-assignments", "loopback" };
	struct net_term term = { 0 };
	char text[SW_PREFIX_TEXT];

	if (policy->terms.n && draw_chance(draw, 20)) { /* one that other rules name too */
		*list_add(&rule->nets) = draw_below(draw, policy->terms.n);
		return;
	}
	if (draw_chance(draw, 10)) {
		const char *name = sets[draw_below(draw, sizeof(sets) / sizeof(*sets))];

		set_find(name, &term.prefixes);
		term.text = mem_strdup(name);
	} else {
		struct sw_prefix prefix = generate_prefix(draw, policy);

		*list_add(&term.prefixes) = prefix;
		term.text = mem_strdup(prefix_format(&prefix, text));
		term.literal = true;
	}
	*list_add(&rule->nets) = policy->terms.n;
	*list_add(&policy->terms) = term;
}

/* Names and patterns that cover one another, and some that only look so. */
static const char *const generate_patterns[] = {
	"example.com",        "smtp.example.com",
	"a.smtp.example.com", "*.example.com",
	"*.smtp.example.com", "*.com",
	"example.org",        "*.org",
	"xexample.com",       "com",
};
#define GENERATE_PATTERNS (sizeof(generate_patterns) / sizeof(*generate_patterns))

static const char *const generate_names[] = {
	"example.com",       "smtp.example.com", "a.smtp.example.com", "b.a.smtp.example.com",
	"xsmtp.example.com", "example.org",      "xexample.com",       "com",
	"example.net",       "a.com.net",
};
#define GENERATE_NAMES (sizeof(generate_names) / sizeof(*generate_names))

static inline const char *generate_name(struct draw *draw)
{
	return generate_names[draw_below(draw, GENERATE_NAMES)];
}

static inline void generate_rule_names(struct draw *draw, struct rule *rule)
{
	unsigned first = draw_below(draw, GENERATE_PATTERNS), n = 1 + draw_below(draw, 3);

	for (unsigned i = 0; i < n; i++)
		*list_add(&rule->names) = mem_strdup(generate_patterns[(first + i) % GENERATE_PATTERNS]);
	rule->allow = true;
	rule->private = draw_chance(draw, 40);
}

static inline void generate_rule(struct draw *draw, struct policy *policy)
{
	struct rule rule = { .allow = draw_chance(draw, 50), .from.line = policy->rules.n + 1 };
	unsigned nets = draw_chance(draw, 80) ? 1 + draw_below(draw, 4) : 0;
	unsigned ports = draw_chance(draw, 60) ? 1 + draw_below(draw, 3) : 0;

	if (draw_chance(draw, 25)) {
		generate_rule_names(draw, &rule);
		nets = 0;
	}
	for (; nets; nets--)
		generate_net(draw, policy, &rule);
	for (; ports; ports--) {
		struct port_range range = { .first = generate_port(draw) };

		range.last = range.first;
		if (draw_chance(draw, 50))
			range.last += draw_below(draw, 65536 - range.first);
		*list_add(&rule.ports) = range;
	}
	if (draw_chance(draw, 40))
		rule.protos = 1 + draw_below(draw, 3);
	if (!rule.nets.n && !rule.names.n && !rule.ports.n && !rule.protos)
		rule.protos = 1; /* a rule about everything cannot be written */
	rule.exempt = rule.allow && draw_chance(draw, 25);
	*list_add(&policy->rules) = rule;
}

/* Whose answers are believed: some of what rules list, or others. */
static inline void generate_resolvers(struct draw *draw, struct policy *policy)
{
	struct rule rule = { 0 };

	for (unsigned n = draw_below(draw, 4); n; n--)
		generate_net(draw, policy, &rule);
	policy->says_resolvers = rule.nets.n > 0;
	policy->resolvers.v = rule.nets.v;
	policy->resolvers.n = rule.nets.n;
}

static inline void generate_unix(struct draw *draw, struct policy *policy)
{
	static const char *const paths[] = { "/run/nscd/socket", "/dev/log", "/a \"b\"" };

	policy->unix_others = draw_chance(draw, 50);
	for (unsigned i = 0; i < 3; i++) {
		struct sw_unix path = { .answer = draw_below(draw, 2), .len = strlen(paths[i]) };

		memcpy(path.text, paths[i], path.len);
		if (draw_chance(draw, 20))
			*list_add(&policy->paths) = path;
	}
}

static inline struct policy *generate_policy(struct draw *draw)
{
	struct policy *policy = mem_alloc(1, sizeof(*policy));

	strcpy(policy->name, "random");
	policy->protocols = draw_chance(draw, 80) ? 3 : 1 + draw_below(draw, 2);
	policy->bind = SW_BIND_EPHEMERAL;
	policy->other_options = true;
	policy->default_allow = draw_chance(draw, 50);
	for (unsigned rules = draw_below(draw, 16); rules; rules--)
		generate_rule(draw, policy);
	policy->keep = 1 + draw_below(draw, 1000);
	policy->gate = draw_chance(draw, 5);
	policy->says_search = true;
	if (draw_chance(draw, 10))
		*list_add(&policy->search) = mem_strdup(generate_name(draw));
	generate_resolvers(draw, policy);
	policy->system_calls = draw_chance(draw, 50);
	policy->user_namespaces = draw_chance(draw, 50);
	generate_unix(draw, policy);
	return policy;
}

/* The address before or behind, around the end of all addresses too. */
static inline void addr_step(struct sw_addr *addr, int step)
{
	for (int i = 15; i >= 0; i--) {
		addr->b[i] += step;
		if (addr->b[i] != (step > 0 ? 0 : 0xff))
			break;
	}
}

/* An IPv4 address in one of the forms that carry one. */
static inline struct sw_addr generate_disguise(struct draw *draw, const struct sw_addr *v4)
{
	const __u8 *b = v4->b + 12;

	switch (draw_below(draw, 5)) {
	case 0:
		return (struct sw_addr){ .b = { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, b[0], b[1], b[2], b[3] } };
	case 1:
		return (struct sw_addr){ .b = { 0x20, 2, b[0], b[1], b[2], b[3], 0, draw_below(draw, 2) } };
	case 2:
		return (struct sw_addr){ .b = { 0x20, 1, 0, 0, 1, 2, 3, 4, 0, 0, 5, 6, ~b[0], ~b[1], ~b[2], ~b[3] } };
	case 3:
		return (struct sw_addr){ .b = { [8] = 0xff, 0xff, 0, 0, b[0], b[1], b[2], b[3] } };
	default:
		return (struct sw_addr){ .b = { [12] = b[0], b[1], b[2], b[3] } };
	}
}

static inline struct sw_addr generate_addr(struct draw *draw, const struct policy *policy)
{
	struct sw_prefix prefix;
	struct sw_addr addr;

	if (!draw_chance(draw, 90) || !generate_known(draw, policy, &prefix))
		prefix = prefix_of(generate_bases[draw_below(draw, GENERATE_BASES)]);
	addr = draw_chance(draw, 50) ? prefix_last(&prefix) : prefix.addr;
	if (draw_chance(draw, 50))
		addr_step(&addr, draw_chance(draw, 50) ? 1 : -1);
	if (sw_addr_is_v4(&addr) && draw_chance(draw, 30))
		addr = generate_disguise(draw, &addr);
	if (draw_chance(draw, 10))
		addr.b[draw_below(draw, 16)] ^= 1 << draw_below(draw, 8);
	return addr;
}

static inline struct sw_flow generate_flow(struct draw *draw, const struct policy *policy)
{
	struct sw_flow flow = { .peer = generate_addr(draw, policy), .port = generate_port(draw) };
	const struct rule *rule = policy->rules.n ? &policy->rules.v[draw_below(draw, policy->rules.n)] : NULL;

	flow.local = draw_chance(draw, 20);
	flow.proto = draw_chance(draw, 98) ? draw_below(draw, 2) : 2 + draw_below(draw, 254);
	if (rule && rule->ports.n && draw_chance(draw, 80)) {
		const struct port_range *range = &rule->ports.v[draw_below(draw, rule->ports.n)];

		flow.port = draw_chance(draw, 50) ? range->first : range->last;
		flow.port += (int)draw_below(draw, 3) - 1;
	}
	return flow;
}

#endif
