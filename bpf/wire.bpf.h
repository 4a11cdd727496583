/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet at the hook becomes, or was, on the wire. The hooks run before a super-packet is cut into segments
 * and a large datagram into fragments on the way out, and after both were put together on the way in; what is
 * billed are the packets of the wire, each with its own headers.
 */
#ifndef SW_WIRE_BPF_H
#define SW_WIRE_BPF_H

#include "flow.bpf.h"

/* What the headers say. `flow` has the remote end, whichever way the packet goes. */
struct packet {
	struct sw_flow flow;
	__u32 ipproto;
	__u32 transport;    /* offset of the transport header */
	__u32 payload;      /* offset of what TCP or UDP carries; of the transport header for any other */
	__u32 jumbo;        /* bytes of a header that is on no wire */
	bool source_route;  /* the address on the wire is not where it goes */
	struct terms terms; /* once the packet has been allowed */
} __attribute__((aligned(8)));

/* Which of the two ends is the remote one. */
enum direction { OUT = SW_EGRESS, IN = SW_INGRESS };

#define IPV6_FRAGMENT_HEADER 8
#define IPV6_JUMBO_HEADER    8

/* What we read of the kernel's own packet; offsets are relocated when the program is loaded. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sk_buff {
	struct sk_buff *next;
	unsigned int len;
	unsigned char *head;
	unsigned int end;
	char cb[48];
};

struct skb_shared_info {
	__u8 flags;
	struct sk_buff *frag_list;
};

struct inet_skb_parm {
	__u16 frag_max_size;
};

struct inet6_skb_parm {
	__u16 frag_max_size;
};
#pragma clang attribute pop

/* Linux 6.2 reads its own structures in place; before that they are copied. */
void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;
void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

/* Set before the programs are loaded: a locked down kernel has no bpf_probe_read_kernel(). */
const volatile bool may_copy = false;

#define IN_PLACE (bpf_cast_to_kern_ctx && bpf_rdonly_cast)

/* Both for structures of the kernel's that the verifier does not know of. */
#define CAST(type, at)                                                                                                 \
	((struct type *)(IN_PLACE ? bpf_rdonly_cast(at, bpf_core_type_id_kernel(struct type)) : (void *)(at)))

#define READ(at)                                                                                                       \
	({                                                                                                             \
		typeof(*(at)) value = 0;                                                                               \
		if (IN_PLACE)                                                                                          \
			value = *(at);                                                                                 \
		else                                                                                                   \
			bpf_probe_read_kernel(&value, sizeof(value), at);                                              \
		value;                                                                                                 \
	})

static __always_inline struct sk_buff *kernel_skb(struct __sk_buff *ctx)
{
	return IN_PLACE ? bpf_cast_to_kern_ctx(ctx) : (void *)ctx; /* which is what it is */
}

static __always_inline struct skb_shared_info *shared_info(struct sk_buff *skb)
{
	return CAST(skb_shared_info, READ(&skb->head) + READ(&skb->end));
}

#define SKBFL_SHARED_FRAG 2 /* linux/skbuff.h */

/*
 * Its data may lie in pages that a program or a file has, too, and can still be changed (sendfile, MSG_ZEROCOPY). Of a
 * datagram the kernel does not always say so; but a short one is in one piece, unless it was put together.
 */
static __always_inline bool is_borrowed(struct __sk_buff *ctx, bool stream)
{
	if (!stream)
		return ctx->data_end - ctx->data < ctx->len;
	if (!IN_PLACE && !may_copy)
		return false;
	return READ(&shared_info(kernel_skb(ctx))->flags) & SKBFL_SHARED_FRAG;
}

/*
 * On the way out the kernel has made the pieces already and hung them on the first: each carries as much as the
 * second does, but for the last. Payload of the IP layer in each fragment; 0: there are none.
 */
static __always_inline __u32 fragment_out(struct sk_buff *skb, __u32 whole)
{
	struct sk_buff *second = READ(&shared_info(skb)->frag_list);

	if (!second)
		return 0;
	return READ(&second->next) ? READ(&second->len) : whole - READ(&second->len);
}

/* On the way in it remembers how large the largest was, with its headers. */
static __always_inline __u32 fragment_in(struct sk_buff *skb, bool v4, __u32 header)
{
	__u32 largest;

	if (v4)
		largest = READ(&CAST(inet_skb_parm, skb->cb)->frag_max_size);
	else
		largest = READ(&CAST(inet6_skb_parm, skb->cb)->frag_max_size);
	return largest > header ? largest - header : 0;
}

/* A datagram in fragments: each has the IP header again and, in IPv6, a header that says which fragment it is. */
static __always_inline void count_fragments(struct __sk_buff *ctx, enum direction dir, const struct packet *packet,
					    struct sw_traffic *traffic)
{
	bool v4 = ctx->protocol == bpf_htons(ETH_P_IP);
	__u32 extra = v4 ? 0 : IPV6_FRAGMENT_HEADER, header = packet->transport, whole = ctx->len - header, each;
	struct sk_buff *skb;

	if (!IN_PLACE && !may_copy)
		return;
	skb = kernel_skb(ctx);
	each = dir == OUT ? fragment_out(skb, whole) : fragment_in(skb, v4, header + extra);
	if (!each || each >= whole)
		return;
	traffic->packets = (whole + each - 1) / each;
	traffic->bytes += (traffic->packets - 1) * header + traffic->packets * extra;
}

static __always_inline struct sw_traffic traffic_of(struct __sk_buff *skb, enum direction dir,
						    const struct packet *packet)
{
	struct sw_traffic traffic = { .bytes = skb->len, .packets = 1 };
	__u32 size = skb->gso_size;

	if (skb->len > packet->payload)
		traffic.payload = skb->len - packet->payload;
	if (size) {
		traffic.packets = skb->gso_segs ? skb->gso_segs : (traffic.payload + size - 1) / size;
		traffic.bytes += (traffic.packets - 1) * packet->payload - traffic.packets * packet->jumbo;
	} else if (packet->flow.proto == SW_UDP) {
		count_fragments(skb, dir, packet, &traffic);
	}
	return traffic;
}

/*
 * Atomic although the counters are per CPU: an interrupt may run this program in the middle of its own
 * update on the same CPU, and what is billed must not lose a packet to that.
 */
static __always_inline void meter(const struct sw_tenant *tenant, enum direction dir, const struct packet *packet,
				  const struct sw_traffic *traffic)
{
	struct sw_meter *m = bpf_map_lookup_elem(&meters, &tenant->slot);
	struct sw_traffic *sum;

	if (!m)
		return;
	sum = &m->of[packet->terms.billing == SW_EXEMPT ? SW_EXEMPT : SW_BILLABLE][dir];
	__sync_fetch_and_add(&sum->bytes, traffic->bytes);
	__sync_fetch_and_add(&sum->payload, traffic->payload);
	__sync_fetch_and_add(&sum->packets, traffic->packets);
}

/*
 * Takes the bytes from the tenant's budget. False when it has none left: as each CPU looks before it takes, all of
 * them together exceed it by a packet each at most.
 */
static __always_inline bool spend(const struct scope *scope, const struct sw_traffic *traffic)
{
	struct sw_counts *c;

	if (scope->tenant->limit == SW_NO_LIMIT)
		return true;
	c = bpf_map_lookup_elem(&counts, &scope->tenant->slot);
	if (!c || (c->spent >= scope->tenant->limit && !lenient(scope->settings, SW_REASON_OVER_BUDGET)))
		return false;
	__sync_fetch_and_add(&c->spent, traffic->bytes);
	return true;
}

#endif
