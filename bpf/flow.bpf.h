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

static __always_inline struct sw_verdict decide(const struct scope *scope, const struct sw_flow *flow)
{
	__u32 id = scope->tenant->image;
	sw_image image = {
		.trie = bpf_map_lookup_elem(&tries, &id),
		.table = bpf_map_lookup_elem(&tables, &id),
	};

	return sw_decide(&image, scope->settings, flow);
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

/*
 * The image said yes to the flow. Without a lock: what changes while it is compared counts as not there. A tenant that
 * is not filled has serial 0, and so has an entry that is empty.
 */
static __always_inline bool kept_has(struct sw_kept *kept, const struct sw_flow *flow, __u64 serial, __u8 *billing,
				     __u16 *rule)
{
	__u32 version = version_of(&kept->version);

	if (!serial || version & 1 || kept->serial != serial || !same_flow(&kept->flow, flow))
		return false;
	*billing = kept->billing;
	*rule = kept->rule;
	return version_of(&kept->version) == version;
}

/* False when someone else is writing it. */
static __always_inline bool kept_write(struct sw_kept *kept, const struct sw_flow *flow, __u64 serial, __u16 rule,
				       __u8 billing)
{
	if (!version_take(&kept->version))
		return false;
	kept->flow = *flow;
	kept->serial = serial;
	kept->rule = rule;
	kept->billing = billing;
	version_give(&kept->version);
	return true;
}

/* ---- verdicts: of all sockets on this CPU ---------------------------------------------------------------- */

static __always_inline struct sw_kept *verdict_at(const struct sw_flow *flow, __u64 serial)
{
	__u32 at = hash_of(flow, serial) & ((1 << SW_VERDICT_BITS) - 1);

	return bpf_map_lookup_elem(&verdicts, &at);
}

static __always_inline bool verdict_find(const struct sw_flow *flow, __u64 serial, __u8 *billing, __u16 *rule)
{
	struct sw_kept *kept = verdict_at(flow, serial);

	return kept && kept_has(kept, flow, serial, billing, rule);
}

static __noinline int verdict_keep(const struct sw_flow *flow, __u64 serial, __u32 rule, __u32 billing)
{
	struct sw_kept *kept = verdict_at(flow, serial);

	if (kept)
		kept_write(kept, flow, serial, rule, billing);
	return 0;
}

/* Does the policy allow the peer, and how is it billed? A no is left to the caller to report in `denial`. */
static __always_inline bool allowed(const struct scope *scope, const struct sw_flow *flow, struct sw_denial *denial,
				    __u8 *billing)
{
	__u64 serial = scope->tenant->serial;
	struct sw_verdict verdict;

	if (verdict_find(flow, serial, billing, &denial->rule))
		return true;
	verdict = decide(scope, flow);
	denial->reason = verdict.reason;
	denial->rule = verdict.rule;
	*billing = verdict.billing;
	if (verdict.allow)
		verdict_keep(flow, serial, verdict.rule, verdict.billing);
	return verdict.allow;
}

/* ---- approvals: on a socket, where something is kept ------------------------------------------------------ */

/* Of the peer that is kept with the rest. Without a lock, as above. */
static __always_inline bool approved(struct sw_sock *sock, const struct sw_flow *flow, __u64 serial, __u8 *billing)
{
	__u32 version = version_of(&sock->version);
	__u8 kept;

	if (version & 1 || sock->approved != serial || !same_flow(&sock->flow, flow))
		return false;
	kept = sock->billing;
	if (version_of(&sock->version) != version)
		return false;
	*billing = kept;
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
static __always_inline bool contact_approved(void *sk, const struct sw_flow *flow, __u64 serial, __u8 *billing)
{
	struct sw_kept *contact = contact_of(sk, flow);
	__u16 unused;

	return contact && kept_has(contact, flow, serial, billing, &unused);
}

/* By the image in force. */
static __always_inline bool approved_on(void *sk, struct sw_sock *sock, const struct sw_flow *flow, __u64 serial,
					__u8 *billing)
{
	if (approved(sock, flow, serial, billing))
		return true;
	return flow->proto == SW_UDP && !sock->closed && contact_approved(sk, flow, serial, billing);
}

/* By whichever image. */
static __always_inline bool known_peer(void *sk, struct sw_sock *sock, const struct sw_flow *flow)
{
	struct sw_kept *contact;
	__u16 unused_rule;
	__u8 unused;

	if (sock && sock->approved && approved(sock, flow, sock->approved, &unused))
		return true;
	contact = sock ? contact_of(sk, flow) : NULL;
	return contact && kept_has(contact, flow, contact->serial, &unused, &unused_rule);
}

static __always_inline bool approve(struct sw_sock *sock, const struct sw_flow *flow, __u64 serial, __u8 billing)
{
	if (!version_take(&sock->version))
		return false;
	sock->flow = *flow;
	sock->approved = serial;
	sock->billing = billing;
	version_give(&sock->version);
	return true;
}

static __noinline int keep_contact(struct bpf_sock *sk, const struct sw_flow *flow, __u64 serial, __u32 billing)
{
	struct sw_contacts *seen = storage_make(&contacts, sk);
	struct sw_kept *at;

	if (!seen)
		return 0;
	at = contact_find(seen, flow);
	if (same_flow(&at->flow, flow) && kept_write(at, flow, serial, SW_RULE_NONE, billing))
		return 0;
	if (!kept_write(contact_next(seen), flow, serial, SW_RULE_NONE, billing)) /* another CPU is at it */
		kept_write(contact_next(seen), flow, serial, SW_RULE_NONE, billing);
	return 0;
}

/*
 * The peer may be used from now on, without being decided again while the image stays. A datagram socket keeps its
 * first, and all others beside it.
 */
static __always_inline void keep(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
				 const struct sw_flow *flow, __u8 billing)
{
	bool beside;

	if (!sock)
		return;
	beside = flow->proto == SW_UDP && sock->approved && !same_flow(&sock->flow, flow);

	if (beside || (!approve(sock, flow, scope->tenant->serial, billing) && flow->proto == SW_UDP))
		keep_contact(sk, flow, scope->tenant->serial, billing);
}

/* A decision that counts: the tenant turns to this peer. */
static __always_inline bool vet(const struct scope *scope, const struct sw_flow *flow, struct sw_denial *denial,
				__u8 *billing)
{
	struct sw_counts *c = bpf_map_lookup_elem(&counts, &scope->tenant->slot);

	if (!c || !allowed(scope, flow, denial, billing))
		return false;
	if (*billing == SW_BILLABLE && c->spent >= scope->tenant->limit) {
		denial->reason = SW_REASON_OVER_BUDGET;
		denial->rule = SW_RULE_NONE;
		return false;
	}
	count_hit(scope->tenant, denial->rule);
	__sync_fetch_and_add(&c->allowed, 1);
	return true;
}

#endif
