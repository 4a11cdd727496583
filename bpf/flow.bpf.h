/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows and their approval. A decision is made when a program names a peer (connect, sendmsg) and kept on
 * the socket with the serial of the image that made it. Packets are held against that approval; one that
 * differs, in its peer or because the policy has changed since, is decided again on what the wire says.
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

/*
 * Runs for every packet, hence without a lock: what changes while it is compared counts as not approved. If the flow
 * is, says how it is billed.
 */
static __always_inline bool approved(struct sw_sock *sock, const struct sw_flow *flow, __u64 serial, __u8 *billing)
{
	__u32 version = version_of(sock);
	__u8 kept;

	if (version & 1 || sock->approved != serial || !sw_flow_equal(&sock->flow, flow))
		return false;
	kept = sock->billing;
	if (version_of(sock) != version)
		return false;
	*billing = kept;
	return true;
}

/*
 * Keeps the approval on the socket. Returns true when there is then a flow, in `other`, that was approved and is
 * not the one on the socket: the one it takes the place of, or this one, if another CPU is at the same.
 */
static __always_inline bool approve(struct sw_sock *sock, const struct sw_flow *flow, __u64 serial, __u8 billing,
				    struct sw_flow *other)
{
	__u32 version = version_of(sock);
	bool had;

	if (version & 1 || __sync_val_compare_and_swap(&sock->version, version, version + 1) != version) {
		*other = *flow;
		return true;
	}
	had = sock->approved != 0;
	*other = sock->flow;
	sock->flow = *flow;
	sock->approved = serial;
	sock->billing = billing;
	/* Not fetch_and_add: where its value is not used it becomes an add that orders nothing. */
	__sync_val_compare_and_swap(&sock->version, version + 1, version + 2);
	return had && !sw_flow_equal(other, flow);
}

static __always_inline bool contacted(const struct sw_contacts *seen, const struct sw_flow *flow)
{
	for (int i = 0; i < SW_CONTACTS; i++)
		if (sw_flow_equal(&seen->flow[i], flow))
			return true;
	return false;
}

/* Was the peer ever approved on this socket, by whichever image? `sk` is the socket, as the program has it. */
static __always_inline bool known_peer(void *sk, struct sw_sock *sock, const struct sw_flow *flow)
{
	struct sw_contacts *seen;
	__u8 billing;

	if (sock && sock->approved && approved(sock, flow, sock->approved, &billing))
		return true;
	seen = bpf_sk_storage_get(&contacts, sk, NULL, 0);
	return seen && contacted(seen, flow);
}

/* An approved peer that is not the one on the socket: its answers are welcome too. */
static __noinline int keep_contact(struct bpf_sock *sk, const struct sw_flow *flow)
{
	struct sw_contacts *seen = bpf_sk_storage_get(&contacts, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (seen && !contacted(seen, flow))
		seen->flow[__sync_fetch_and_add(&seen->next, 1) % SW_CONTACTS] = *flow;
	return 0;
}

/* Does the policy allow the peer, and how is it billed? A no is left to the caller to report in `denial`. */
static __always_inline bool allowed(const struct scope *scope, const struct sw_flow *flow, struct sw_denial *denial,
				    __u8 *billing)
{
	struct sw_verdict verdict = decide(scope, flow);

	denial->reason = verdict.reason;
	denial->rule = verdict.rule;
	*billing = verdict.billing;
	return verdict.allow;
}

/* The peer may be used from now on, without being decided again while the image stays. */
static __always_inline void keep(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
				 const struct sw_flow *flow, __u8 billing)
{
	struct sw_flow other;

	if (sock && approve(sock, flow, scope->tenant->serial, billing, &other) && flow->proto == SW_UDP)
		keep_contact(sk, &other);
}

/* A decision that counts: the tenant turns to this peer. */
static __always_inline bool vet(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
				const struct sw_flow *flow, struct sw_denial *denial, __u8 *billing)
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
	keep(scope, sk, sock, flow, *billing);
	return true;
}

#endif
