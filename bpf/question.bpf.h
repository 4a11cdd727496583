/* SPDX-License-Identifier: GPL-2.0-only */
/* For names.bpf.h: the questions that a socket has open, and the rule that a name falls under. */
#ifndef SW_QUESTION_BPF_H
#define SW_QUESTION_BPF_H

#include "work.bpf.h"

/*
 * All that an answer must repeat, in 48 bits that nobody else can compute, and none of them alone. The rest is for the
 * second it was asked.
 */
static __always_inline __u64 tag_of(const struct sw_questions *asked, const struct dns *dns)
{
	__u64 h = asked->seed ^ ((__u64)dns_16(dns, 0) << 16 | (dns->type & 0xffff));
	__u32 n = dns->n & (DNS_NAME - 1);

	for (__u32 i = 0; i < DNS_NAME / 8 && i < DNS_WORDS(n); i++) {
		h ^= dns_word(&dns->name, n, i);
		h *= 0xff51afd7ed558ccd;
		h ^= h >> 29;
	}
	h ^= asked->seed;
	h *= 0xc4ceb9fe1a85ec53;
	return (h ^ h >> 32) & ~0xffffULL;
}

static __always_inline void ask(struct sw_questions *asked, const struct sw_work *work)
{
	if (!asked->seed)
		asked->seed = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
	asked->strange = 0;
	asked->of[__sync_fetch_and_add(&asked->next, 1) & (SW_QUESTIONS - 1)] =
		tag_of(asked, &work->dns) | (work->now & 0xffff);
}

/* Uses the question up. */
static __always_inline bool was_asked(struct sw_questions *asked, const struct sw_work *work)
{
	__u64 tag = tag_of(asked, &work->dns);

	for (__u32 i = 0; i < SW_QUESTIONS && asked->seed; i++) {
		__u64 old = *(volatile __u64 *)&asked->of[i];

		if (old && !((old ^ tag) >> 16) && ((work->now - (__u32)old) & 0xffff) <= SW_ASKED_WITHIN &&
		    asked->strange < SW_STRANGE_MAX)
			return __sync_val_compare_and_swap(&asked->of[i], old, 0) == old;
	}
	__sync_fetch_and_add(&asked->strange, 1);
	return false;
}

/* The image's most specific pattern for the name that was read. */
static __always_inline void find_rule(struct sw_work *work)
{
	__u32 image = work->image, n = work->dns.n & (DNS_NAME - 1), at = DNS_KEY(n);
	void *trie = bpf_map_lookup_elem(&names, &image);
	struct sw_domain_rule *rule = NULL;

	if (trie && n) {
		*(__u32 *)&work->dns.name.bytes[at] = (n + 1) * 8;
		rule = bpf_map_lookup_elem(trie, &work->dns.name.bytes[at]);
		*(__u32 *)&work->dns.name.bytes[at] = 0;
	}
	work->rule = rule ? *rule : (struct sw_domain_rule){ 0 };
}

/* The name that was asked, for people: the front of a long one is cut off. */
static __always_inline void copy_asked(char out[SW_ASKED_MAX], const struct dns *dns)
{
	__u32 n = dns->n & (DNS_NAME - 1);

	for (__u32 i = 0; i < SW_ASKED_MAX / 8; i++)
		((__u64 *)out)[i] = i < DNS_WORDS(n) ? dns_word(&dns->name, n, i) : 0;
	out[SW_ASKED_MAX - 1] = '\0';
}

#endif
