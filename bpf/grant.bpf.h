/* SPDX-License-Identifier: GPL-2.0-only */
/* For names.bpf.h: the addresses that an answer opens. */
#ifndef SW_GRANT_BPF_H
#define SW_GRANT_BPF_H

#include "question.bpf.h"

/* Some service of the address is one that a name may open. */
static __always_inline bool may_open(struct sw_work *work)
{
	__u32 image = work->image;
	void *trie = bpf_map_lookup_elem(&tries, &image), *table = bpf_map_lookup_elem(&tables, &image);
	sw_image of = { .trie = trie, .table = table };
	struct sw_class *class;
	const struct sw_span *span;

	work->prefix.len = 128;
	work->prefix.addr = work->key.addr;
	class = trie ? bpf_map_lookup_elem(trie, &work->prefix) : NULL;
	span = class ? sw_image_span(&of, class->span) : NULL;
	return span && span->answer & SW_ANSWER_CLASS;
}

static __always_inline bool is_live(const struct sw_grant *grant, __u32 now)
{
	bool live = false;

	for (int i = 0; i < SW_GRANT_PATTERNS; i++)
		live |= (__u32)grant->open[i] > now;
	return live;
}

/* Of the ring. Two CPUs that both make its last place make one too many: that is an old one. */
static __always_inline __u32 place_next(struct sw_naming_counts *c, int looked_at)
{
	__u32 places = c->places;

	if (!places || (places < SW_GRANTS_EACH && looked_at >= SW_TURNS_OLD))
		return __sync_fetch_and_add(&c->places, 1) % SW_GRANTS_EACH;
	if (places > SW_GRANTS_EACH)
		places = SW_GRANTS_EACH;
	return __sync_fetch_and_add(&c->turn, 1) % places;
}

/*
 * A place in the tenant's ring for the address: the next whose own is not open any more, and then goes. What is open
 * never does: where all that are looked at are, the new one finds no place.
 */
static __always_inline bool take_turn(struct sw_work *work)
{
	__u32 slot = work->slot;
	struct sw_naming_counts *c = bpf_map_lookup_elem(&namings, &slot);

	for (int i = 0; i < SW_TURNS && c; i++) {
		struct sw_grant *grant;
		struct sw_addr *there;

		work->turn.tenancy = work->tenancy;
		work->turn.at = place_next(c, i);
		there = bpf_map_lookup_elem(&turns, &work->turn);
		if (there) {
			work->old.tenancy = work->tenancy;
			work->old.addr = *there;
			grant = bpf_map_lookup_elem(&grants, &work->old);
			if (grant && is_live(grant, work->now))
				continue;
			if (grant && !bpf_map_delete_elem(&grants, &work->old))
				naming_count(work->slot, SW_NAMING_EXPIRED);
		}
		return !bpf_map_update_elem(&turns, &work->turn, &work->key.addr, BPF_ANY);
	}
	return false;
}

static __always_inline void describe_grant(struct sw_work *work, struct sw_grant *grant)
{
	grant->serial = work->serial;
	grant->learned = work->now;
	grant->ttl = work->ttl;
	__builtin_memcpy(grant->asked, work->heard.asked, sizeof(grant->asked));
}

/* A tenant's first answer with this address. NULL, and counted, when there is no room. */
static __always_inline struct sw_grant *grant_make(struct sw_work *work)
{
	struct sw_grant *grant;

	if (!take_turn(work)) {
		naming_count(work->slot, SW_NAMING_CAP);
		return NULL;
	}
	bpf_map_update_elem(&grants, &work->key, &work->fresh, BPF_NOEXIST);
	grant = bpf_map_lookup_elem(&grants, &work->key); /* which another CPU may have made */
	if (!grant)
		naming_count(work->slot, SW_NAMING_NO_ROOM);
	return grant;
}

/* Until when the pattern is open for the address, with its number. */
static __always_inline __u64 open_until(const struct sw_work *work)
{
	__u32 stay = work->ttl;

	if (stay < work->keep)
		stay = work->keep;
	if (stay > SW_KEEP_MAX)
		stay = SW_KEEP_MAX;
	return (__u64)work->rule.pattern << 32 | (work->now + stay + SW_GRACE);
}

/* Each word is replaced whole, so that two CPUs need no lock: what one of them loses is a second of time. */
static __always_inline enum sw_naming grant_open(struct sw_work *work, struct sw_grant *grant)
{
	__u64 open = open_until(work);

	for (int i = 0; i < SW_GRANT_PATTERNS; i++) {
		__u64 old = grant->open[i];

		if (old >> 32 != work->rule.pattern)
			continue;
		if (old < open)
			__sync_val_compare_and_swap(&grant->open[i], old, open);
		return (__u32)old > work->now ? SW_NAMING_RENEWED : SW_NAMING_LEARNED;
	}
	for (int i = 0; i < SW_GRANT_PATTERNS; i++) {
		__u64 old = grant->open[i];

		if ((__u32)old <= work->now && __sync_val_compare_and_swap(&grant->open[i], old, open) == old)
			return SW_NAMING_LEARNED;
	}
	return SW_NAMING_CAP;
}

struct opening {
	struct sw_work *work;
};

/* An answer gives work->key.addr. */
static __always_inline void address_found(struct sw_work *work)
{
	struct sw_grant *grant;
	enum sw_naming what;

	work->key.tenancy = work->tenancy;
	if (!work->rule.opens || !may_open(work)) {
		bpf_map_update_elem(&heard, &work->key, &work->heard, BPF_ANY);
		if (work->rule.opens)
			naming_count(work->slot, SW_NAMING_CLOSED);
		return;
	}
	grant = bpf_map_lookup_elem(&grants, &work->key);
	if (!grant)
		grant = grant_make(work);
	if (!grant)
		return;
	what = grant_open(work, grant);
	describe_grant(work, grant);
	naming_count(work->slot, what);
}

static long address_step(__u32 index, void *ctx)
{
	struct sw_work *work = ((struct opening *)ctx)->work;
	const struct dns_address *found = &work->dns.found[index & (DNS_ADDRESSES - 1)];

	work->key.addr = found->addr;
	work->ttl = found->ttl;
	address_found(work);
	return DNS_GO_ON;
}

#endif
