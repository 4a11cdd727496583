/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows: deciding them, and remembering what was decided. A verdict depends on the image and the flow alone, and is
 * kept by these. What depends on the socket is kept on the socket: which peers a datagram socket turned to, and what an
 * audit let pass.
 */
#ifndef SW_FLOW_BPF_H
#define SW_FLOW_BPF_H

#include "sock.bpf.h"

typedef struct {
	void *trie;
	void *table;
	__u32 number;
	__u32 tenancy;
	__u32 held; /* number of a pattern that is open, whatever was learned and when; 0: none */
} sw_image;

#include "decide.h"

static inline const struct sw_class *sw_image_class(const sw_image *image, const struct sw_addr *addr)
{
	struct sw_prefix key = { .len = 128, .addr = *addr };

	return image->trie ? bpf_map_lookup_elem(image->trie, &key) : NULL;
}

static inline const struct sw_span *sw_image_span(const sw_image *image, __u32 index)
{
	struct sw_row *row = table_row(image->table, index / SW_ROW_SPANS);

	return row ? &row->spans[index % SW_ROW_SPANS] : NULL;
}

/* ---- what names have opened ------------------------------------------------------------------------------ */

/* A service of an address, what a span says of it, and who asks. */
struct named {
	struct sw_addr addr;
	__u32 service;
	__u32 image;
	__u32 tenancy;
	__u32 held;
	__u16 rule; /* whose names do not come before this one open nothing */
	__u8 answer;
	__u8 pad;
};

#define SW_PATTERN_STEPS 17 /* halvings of SW_PATTERNS_MAX */

/* By its number, in the image's table. */
static __always_inline struct sw_pattern *pattern_find(void *table, const struct sw_settings *settings, __u32 number)
{
	__u32 low = 0, count = settings->pattern_count;
	struct sw_pattern *pattern = NULL;

	for (int i = 0; i < SW_PATTERN_STEPS && count; i++) {
		__u32 half = count / 2, at = low + half;
		struct sw_row *row = table_row(table, settings->patterns_at + at / SW_ROW_PATTERNS);

		if (!row)
			return NULL;
		pattern = &row->patterns[at % SW_ROW_PATTERNS];
		if (pattern->number == number)
			return pattern;
		if (pattern->number < number) {
			low = at + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return NULL;
}

/*
 * Two functions that are not static, hence verified once and alone. They answer in one word: the number of the pattern,
 * what it says of name servers, how its rule is billed, and the rule; 0: it has none that comes before named->rule.
 */
__weak __noinline __u64 named_by(const struct named *named, __u32 number)
{
	struct sw_verdict verdict = { 0 };
	struct sw_pattern *pattern;
	struct sw_settings *of;
	sw_image image = { 0 };
	__u32 id;

	if (!named)
		return 0;
	id = named->image;
	of = bpf_map_lookup_elem(&settings, &id);
	image.table = bpf_map_lookup_elem(&tables, &id);
	pattern = of && image.table ? pattern_find(image.table, of, number) : NULL;
	verdict.rule = named->rule;
	if (pattern)
		sw_decide_pattern(&image, pattern, named->service, named->answer, &verdict);
	return verdict.pattern ? (__u64)verdict.pattern << 32 | (__u32)verdict.resolver << 24 |
					 (__u32)verdict.billing << 16 | verdict.rule
			       : 0;
}

/* Of all patterns that are open for the address, the one whose rule comes first. */
__weak __noinline __u64 named_answer(const struct named *named)
{
	struct sw_grant_key key = { 0 }; /* before Linux 6.2 what a global function is handed is no key of a map */
	struct sw_grant *grant;
	__u64 best, found;
	__u32 now;

	if (!named)
		return 0;
	key.tenancy = named->tenancy;
	key.addr = named->addr;
	best = named->held ? named_by(named, named->held) : 0;
	grant = bpf_map_lookup_elem(&grants, &key);
	if (!grant)
		return best;
	now = bpf_ktime_get_boot_ns() / 1000000000;
	for (int i = 0; i < SW_GRANT_PATTERNS; i++) {
		__u64 open = grant->open[i];

		found = (__u32)open > now ? named_by(named, open >> 32) : 0;
		if (found >> 32 && (!best || (__u16)found < (__u16)best))
			best = found;
	}
	return best;
}

static __always_inline void sw_image_named(const sw_image *image, const struct sw_addr *addr, __u32 service,
					   __u8 answer, struct sw_verdict *verdict)
{
	struct named named = {
		.addr = *addr,
		.service = service,
		.image = image->number,
		.tenancy = image->tenancy,
		.held = image->held,
		.rule = verdict->rule,
		.answer = answer,
	};
	__u64 found = named_answer(&named);

	if (!(found >> 32))
		return;
	verdict->rule = found;
	verdict->allow = 1;
	verdict->billing = (__u8)(found >> 16);
	verdict->resolver = (__u8)(found >> 24);
	verdict->pattern = found >> 32;
}

static __always_inline struct sw_verdict decide(const struct sw_settings *settings, const struct sw_flow *flow,
						__u32 number, __u32 tenancy, __u32 held)
{
	sw_image image = {
		.trie = bpf_map_lookup_elem(&tries, &number),
		.table = bpf_map_lookup_elem(&tables, &number),
		.number = number,
		.tenancy = tenancy,
		.held = held,
	};

	return sw_decide(&image, settings, flow);
}

/*
 * Verified once and alone, too, for a flow has many forms. In one word: the number of the pattern, the rule, the reason,
 * and in the lowest byte what is allowed, exempt and read. By the image that the caller keeps it for: the one in force
 * may be another by now, and this one comes into force again where others have it.
 */
__weak __noinline __u64 decided(const struct sw_flow *flow, __u32 number, __u32 tenancy, __u32 held)
{
	struct sw_settings *of = bpf_map_lookup_elem(&settings, &number);
	struct sw_verdict verdict;

	if (!flow || !of)
		return 0;
	verdict = decide(of, flow, number, tenancy, held);
	return (__u64)verdict.pattern << 32 | (__u32)verdict.rule << 16 | (__u32)verdict.reason << 8 |
	       verdict.billing << 1 | verdict.allow | verdict.resolver;
}

/* ---- what an image said of a flow ------------------------------------------------------------------------ */

/* A flow in as few words as there are: each is one load, where the struct it is read from is aligned for that. */
struct words {
	__u64 front, back;
	__u32 service;
};

static __always_inline struct words words_of(const struct sw_flow *flow)
{
	struct words words;

	__builtin_memcpy(&words.front, &flow->peer.w[0], sizeof(words.front));
	__builtin_memcpy(&words.back, &flow->peer.w[2], sizeof(words.back));
	__builtin_memcpy(&words.service, &flow->port, sizeof(words.service));
	return words;
}

static __always_inline bool same_flow(const struct sw_flow *a, const struct sw_flow *b)
{
	struct words x = words_of(a), y = words_of(b);

	return x.back == y.back && x.service == y.service && x.front == y.front;
}

static __always_inline __u32 hash_of(const struct sw_flow *flow, __u64 with)
{
	struct words words = words_of(flow);

	/* the half that depends on all */
	return ((words.front ^ words.back) + words.service + with) * 0x9e3779b97f4a7c15 >> 32;
}

/* On what terms a flow is allowed: as in sw_verdict. */
struct terms {
	__u32 pattern;
	__u8 billing;
	__u8 resolver;
};

/*
 * The image said yes to the flow. Without a lock: what changes while it is compared counts as not there. A tenant that
 * is not filled has serial 0, and so has an entry that is empty.
 */
static __always_inline bool kept_has(struct sw_kept *kept, const struct sw_flow *flow, __u64 serial,
				     struct terms *terms, __u16 *rule)
{
	__u32 version = version_of(&kept->version);

	if (!serial || version & 1 || kept->serial != serial || !same_flow(&kept->flow, flow))
		return false;
	*terms = (struct terms){ kept->pattern, kept->billing, kept->resolver };
	*rule = kept->rule;
	return version_of(&kept->version) == version;
}

/* False when someone else is writing it. */
static __always_inline bool kept_write(struct sw_kept *kept, const struct sw_flow *flow, __u64 serial, __u16 rule,
				       const struct terms *terms)
{
	if (!version_take(&kept->version))
		return false;
	kept->flow = *flow;
	kept->serial = serial;
	kept->rule = rule;
	kept->billing = terms->billing;
	kept->resolver = terms->resolver;
	kept->pattern = terms->pattern;
	version_give(&kept->version);
	return true;
}

/* ---- verdicts: of all sockets on this CPU ---------------------------------------------------------------- */

static __always_inline struct sw_kept *verdict_at(const struct sw_flow *flow, __u64 serial)
{
	__u32 at = hash_of(flow, serial) & ((1 << SW_VERDICT_BITS) - 1);

	return bpf_map_lookup_elem(&verdicts, &at);
}

static __always_inline bool verdict_find(const struct sw_flow *flow, __u64 serial, struct terms *terms, __u16 *rule)
{
	struct sw_kept *kept = verdict_at(flow, serial);

	return kept && kept_has(kept, flow, serial, terms, rule);
}

static __noinline int verdict_keep(const struct sw_flow *flow, __u64 serial, __u32 rule, const struct terms *terms)
{
	struct sw_kept *kept = verdict_at(flow, serial);

	if (kept)
		kept_write(kept, flow, serial, rule, terms);
	return 0;
}

/*
 * Does the policy allow the peer, and on what terms? A no is left to the caller to report in `denial`. `held` is the
 * pattern by which the flow was allowed before: for that flow it stays open.
 */
static __always_inline bool allowed(const struct scope *scope, const struct sw_flow *flow, __u32 held,
				    struct sw_denial *denial, struct terms *terms)
{
	__u64 serial = scope->tenant->serial;
	__u64 word;

	if (verdict_find(flow, serial, terms, &denial->rule))
		return true;
	word = decided(flow, scope->tenant->image, scope->tenant->tenancy, held);
	denial->reason = word >> 8 & (SW_REASONS_MAX - 1);
	denial->rule = word >> 16;
	terms->pattern = word >> 32;
	terms->billing = word >> 1 & 1;
	terms->resolver = word & (SW_ANSWER_RESOLVER | SW_ANSWER_GATED);
	if (!(word & SW_ANSWER_ALLOW))
		return false;
	if (!terms->pattern)
		verdict_keep(flow, serial, denial->rule, terms);
	return true;
}

/* ---- approvals: on a socket, where something is kept ------------------------------------------------------ */

/* Of the peer that is kept with the rest. Without a lock, as above. */
static __always_inline bool approved(struct sw_sock *sock, const struct sw_flow *flow, __u64 serial,
				     struct terms *terms)
{
	__u32 version = version_of(&sock->version);
	struct terms kept;

	if (version & 1 || sock->approved != serial || !same_flow(&sock->flow, flow))
		return false;
	kept = (struct terms){ sock->pattern, sock->billing, sock->resolver };
	if (version_of(&sock->version) != version)
		return false;
	*terms = kept;
	return true;
}

/*
 * Where the flow is among the contacts, if it is there at all. What the search finds is taken from the hint, or the
 * verifier would follow every place that it may be at.
 */
static __always_inline struct sw_kept *contact_find(struct sw_contacts *seen, const struct sw_flow *flow)
{
	volatile __u8 *hint = &seen->hint[hash_of(flow, 0) & (SW_HINTS - 1)];

	if (!same_flow(&seen->of[*hint & (SW_CONTACTS - 1)].flow, flow))
		for (int i = 0; i < SW_CONTACTS; i++)
			if (same_flow(&seen->of[i].flow, flow)) {
				*hint = i;
				break;
			}
	return &seen->of[*hint & (SW_CONTACTS - 1)];
}

static __always_inline struct sw_kept *contact_of(void *sk, const struct sw_flow *flow)
{
	struct sw_contacts *seen = bpf_sk_storage_get(&contacts, sk, NULL, 0);

	return seen ? contact_find(seen, flow) : NULL;
}

static __always_inline struct sw_kept *contact_next(struct sw_contacts *seen)
{
	return &seen->of[__sync_fetch_and_add(&seen->next, 1) & (SW_CONTACTS - 1)];
}

/* `sk` is the socket, as the program has it. */
static __always_inline bool contact_approved(void *sk, const struct sw_flow *flow, __u64 serial, struct terms *terms)
{
	struct sw_kept *contact = contact_of(sk, flow);
	__u16 unused;

	return contact && kept_has(contact, flow, serial, terms, &unused);
}

/* By the image in force. */
static __always_inline bool approved_on(void *sk, struct sw_sock *sock, const struct sw_flow *flow, __u64 serial,
					struct terms *terms)
{
	if (approved(sock, flow, serial, terms))
		return true;
	return flow->proto == SW_UDP && !sock->closed && contact_approved(sk, flow, serial, terms);
}

/* By whichever image. */
static __always_inline bool known_peer(void *sk, struct sw_sock *sock, const struct sw_flow *flow)
{
	struct sw_kept *contact;
	struct terms unused_terms;
	__u16 unused_rule;

	if (sock && sock->approved && approved(sock, flow, sock->approved, &unused_terms))
		return true;
	contact = sock ? contact_of(sk, flow) : NULL;
	return contact && kept_has(contact, flow, contact->serial, &unused_terms, &unused_rule);
}

/* The pattern by which the flow was allowed on this socket, by whichever image; 0: by none, or it was not. */
static __always_inline __u32 held_by(void *sk, struct sw_sock *sock, const struct sw_flow *flow)
{
	struct sw_kept *contact;
	struct terms terms;
	__u16 unused;

	if (!sock)
		return 0;
	if (sock->approved && same_flow(&sock->flow, flow))
		return sock->pattern;
	contact = flow->proto == SW_UDP ? contact_of(sk, flow) : NULL;
	return contact && kept_has(contact, flow, contact->serial, &terms, &unused) ? terms.pattern : 0;
}

static __always_inline bool approve(struct sw_sock *sock, const struct sw_flow *flow, __u64 serial,
				    const struct terms *terms)
{
	if (!version_take(&sock->version))
		return false;
	sock->flow = *flow;
	sock->approved = serial;
	sock->billing = terms->billing;
	sock->pattern = terms->pattern;
	sock->resolver = terms->resolver;
	version_give(&sock->version);
	return true;
}

static __noinline int keep_contact(struct bpf_sock *sk, const struct sw_flow *flow, __u64 serial,
				   const struct terms *terms)
{
	struct sw_contacts *seen = storage_make(&contacts, sk);
	struct sw_kept *at;

	if (!seen)
		return 0;
	at = contact_find(seen, flow);
	if (same_flow(&at->flow, flow) && kept_write(at, flow, serial, SW_RULE_NONE, terms))
		return 0;
	if (!kept_write(contact_next(seen), flow, serial, SW_RULE_NONE, terms)) /* another CPU is at it */
		kept_write(contact_next(seen), flow, serial, SW_RULE_NONE, terms);
	return 0;
}

/*
 * The peer may be used from now on, without being decided again while the image stays. A datagram socket keeps its
 * first, and all others beside it.
 */
static __always_inline void keep(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
				 const struct sw_flow *flow, const struct terms *terms)
{
	bool beside;

	if (!sock)
		return;
	beside = flow->proto == SW_UDP && sock->approved && !same_flow(&sock->flow, flow);

	if (beside || (!approve(sock, flow, scope->tenant->serial, terms) && flow->proto == SW_UDP))
		keep_contact(sk, flow, scope->tenant->serial, terms);
}

/* A decision that counts: the tenant turns to this peer. */
static __always_inline bool vet(const struct scope *scope, const struct sw_flow *flow, __u32 held,
				struct sw_denial *denial, struct terms *terms)
{
	struct sw_counts *c = bpf_map_lookup_elem(&counts, &scope->tenant->slot);

	if (!c || !allowed(scope, flow, held, denial, terms))
		return false;
	if (terms->billing == SW_BILLABLE && c->spent >= scope->tenant->limit) {
		denial->reason = SW_REASON_OVER_BUDGET;
		denial->rule = SW_RULE_NONE;
		return false;
	}
	count_hit(scope->tenant, denial->rule);
	__sync_fetch_and_add(&c->allowed, 1);
	return true;
}

#endif
