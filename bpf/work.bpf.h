/* SPDX-License-Identifier: GPL-2.0-only */
/* For names.bpf.h: where messages of name servers are taken apart. */
#ifndef SW_WORK_BPF_H
#define SW_WORK_BPF_H

#include "wire.bpf.h"

#define DNS_GLOBAL __noinline
#define dns_loop(n, fn, of)                                                                                            \
	do {                                                                                                           \
		struct dns_walk walk = { .dns = (of) };                                                                \
                                                                                                                       \
		bpf_loop(n, fn, &walk, 0);                                                                             \
	} while (0)

#include "dns.h"

#define SW_GRACE        30          /* seconds that an address stays open beyond its time: who was told it late */
#define SW_KEEP_MAX     (7 * 86400) /* RFC 8767, 4 */
#define SW_ASKED_WITHIN 30          /* seconds in which an answer must come */
#define SW_STRANGE_MAX  8           /* answers to no question, until none is believed: who guesses has so many tries */
#define SW_TURNS        16          /* places that are looked at for a new address */
#define SW_TURNS_OLD    4           /* so many are, before the ring grows */

/* What takes a message apart. One of a few on each CPU: a program at egress may be preempted by another there. */
struct sw_work {
	__u32 busy; /* slot of the tenant whose message is in it; 0: there is none */
	__u32 now;  /* boot clock, seconds */
	__u32 slot;
	__u32 image;
	__u32 tenancy;
	__u32 keep;
	__u32 ttl; /* of the address at hand */
	__u32 pad;
	__u64 serial;
	struct sw_domain_rule rule; /* of the name in question; pattern 0: none */
	struct sw_prefix prefix;    /* what follows are keys and values, out of the stack */
	struct sw_grant_key key, old;
	struct sw_turn turn;
	struct sw_grant fresh;
	struct sw_heard heard; /* the name in question */
	struct dns dns;
};

/* Of the header of TCP, from its sequence number on. */
#define TCP_SEQUENCE 4
struct sequence {
	__be32 at, ack;
	__u8 offset, flags;
} __attribute__((packed));
#define TCP_FLAG_SYN 0x02

#define SW_WORKS        6
#define SW_WORKS_OF_ONE 4 /* where programs are preempted, one tenant could have all of them taken, and keep them */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SW_WORKS);
	__type(key, __u32);
	__type(value, struct sw_work);
} works __weak SEC(".maps");

static __always_inline struct sw_work *work_claim(__u32 slot, __u32 *which)
{
	__u32 has = 0;

	for (__u32 i = 0; i < SW_WORKS && has < SW_WORKS_OF_ONE; i++) {
		struct sw_work *work;

		*which = i;
		work = bpf_map_lookup_elem(&works, which);
		if (!work)
			continue;
		if (!__sync_val_compare_and_swap(&work->busy, 0, slot))
			return work;
		has += work->busy == slot;
	}
	return NULL;
}

static __always_inline void work_begin(struct sw_work *work, const struct scope *scope)
{
	work->now = bpf_ktime_get_boot_ns() / 1000000000;
	work->slot = scope->tenant->slot;
	work->image = scope->tenant->image;
	work->tenancy = scope->tenant->tenancy;
	work->serial = scope->tenant->serial;
	work->keep = scope->settings->keep;
	work->dns.n = 0; /* the name is another tenant's, until one is read */
}

static __always_inline void work_end(struct sw_work *work)
{
	__sync_lock_test_and_set(&work->busy, 0);
}

/* 1 to mask + 1, for any number: the form that the verifiers follow, and that clang leaves as it is. */
static __always_inline __u32 bounded(__u32 len, __u32 mask)
{
	len--;
	hide(len);
	return (len & mask) + 1;
}

#endif
