/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names, learned from the answers to a tenant's own questions.
 *
 * connect and sendmsg mark a socket whose peer is a name server that the policy believes, or under the gate any peer at
 * port 53 (peer.bpf.c). Of a socket with that mark, and of no other, the packets are read here:
 *
 *   a question goes out   its tag is kept on the socket; under `gate: dns`, refused if no pattern has its name
 *   an answer comes in    over UDP it must use up the tag of a question; over TCP it must be in sequence. The addresses
 *                         it gives are open from then on, before the datagram is in its socket's queue: so whoever
 *                         reads the answer can connect
 *
 * What is open, for whom and how long is in `grants`: struct sw_grant of abi.h. The parts, each on the one before:
 * work.bpf.h, question.bpf.h, grant.bpf.h, answer.bpf.h.
 */
#ifndef SW_NAMES_BPF_H
#define SW_NAMES_BPF_H

#include "answer.bpf.h"

/* The message that was loaded is a question; it is remembered. False: the gate is not for it. */
static __always_inline bool question_read(struct sw_work *work, struct sw_questions *asked)
{
	struct dns *dns = &work->dns;

	work->rule.pattern = 0;
	if (dns_question(dns) || !dns_is_question(dns))
		return false;
	find_rule(work);
	if (asked && (dns->type == DNS_TYPE_A || dns->type == DNS_TYPE_AAAA)) {
		ask(asked, work);
		if (work->rule.opens)
			naming_count(work->slot, SW_NAMING_ASKED);
	}
	return work->rule.pattern;
}

/* For the log: which one it was. */
static __always_inline void note_refused(struct sw_work *work)
{
	copy_asked(work->heard.asked, &work->dns);
	work->key.tenancy = work->tenancy;
	work->key.addr = (struct sw_addr){ 0 };
	bpf_map_update_elem(&heard, &work->key, &work->heard, BPF_ANY);
	naming_count(work->slot, SW_NAMING_GATED);
}

/* All that the segment carries is questions, whole ones, that may be asked. */
static __always_inline bool segment_known(struct __sk_buff *skb, __u32 off, struct sw_work *work)
{
	__be16 size;

	for (int i = 0; i < SW_MESSAGES && off < skb->len; i++) {
		if (bpf_skb_load_bytes(skb, off, &size, sizeof(size)) || !load(skb, &work->dns, off + sizeof(size)) ||
		    bpf_ntohs(size) > work->dns.len)
			return false;
		work->dns.len = bpf_ntohs(size);
		if (!question_read(work, NULL))
			return false;
		off += sizeof(size) + bpf_ntohs(size);
	}
	return off == skb->len;
}

#define SW_STREAM 1 /* a segment: under the gate that is whole messages, each after its size */
#define SW_OTHER  2 /* perhaps no name server's: nothing is refused */
#define SW_URGENT 4 /* a byte of it is urgent, now or soon: who reads the stream may not find it there */

/* A packet to a name server: `how` it is read. PASS or REFUSE. */
__noinline int question_out(struct __sk_buff *skb, __u32 off, __u32 how)
{
	struct sw_questions *asked;
	struct bpf_sock *sk = skb->sk;
	struct sw_work *work;
	struct scope scope;
	int ret = PASS;
	__u32 which;
	bool known;

	if (!sk || !scope_get(&scope))
		return REFUSE;
	asked = how & SW_STREAM ? NULL : bpf_sk_storage_get(&questions, sk, NULL, 0);
	if (skb->len <= off && !(how & SW_URGENT))
		return PASS;
	work = work_claim(scope.tenant->slot, &which);
	if (!work) { /* EPERM now is better than an answer that opens nothing */
		naming_count(scope.tenant->slot, SW_NAMING_NO_ROOM);
		return REFUSE;
	}
	work_begin(work, &scope);
	known = how & SW_STREAM ? !(how & SW_URGENT) && segment_known(skb, off, work)
				: !skb->gso_size && load(skb, &work->dns, off) && question_read(work, asked);
	if (scope.settings->gate && !(how & SW_OTHER) && (!known || is_borrowed(skb, how & SW_STREAM))) {
		note_refused(work);
		ret = REFUSE;
	}
	work_end(work);
	return ret;
}

#define TCP_FLAGS    13 /* the byte with the flags */
#define TCP_FLAG_RST 0x04
#define TCP_FLAG_URG 0x20

static __always_inline __u8 tcp_flags(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 flags = 0;

	bpf_skb_load_bytes(skb, packet->transport + TCP_FLAGS, &flags, sizeof(flags));
	return flags;
}

/*
 * On the way out the wire may show another peer than the program named (DNAT). Who is connected has one peer; a datagram
 * of a socket that is not may be for anyone. What it is allowed by says whether that is a name server.
 */
static __always_inline __u32 how_to_read(struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet)
{
	if (packet->flow.proto == SW_TCP)
		return SW_STREAM | (tcp_flags(skb, packet) & TCP_FLAG_URG ? SW_URGENT : 0);
	return sk->dst_port || packet->terms.resolver ? 0 : SW_OTHER;
}

/* At a name server's own port: the other end may be the socket itself, or another one there, and is no name server. */
static __always_inline bool may_be_told_by_itself(struct bpf_sock *sk)
{
	sk = bpf_sk_fullsock(sk);
	return !sk || sk->src_port == SW_DNS_PORT;
}

/* Of a socket that asks, once the packet may pass. PASS or REFUSE. */
static __always_inline int names_read(struct __sk_buff *skb, enum direction dir, const struct packet *packet,
				      const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock)
{
	bool stream = packet->flow.proto == SW_TCP;
	int ret = PASS;

	if (dir == OUT) {
		if (!stream || scope->settings->gate)
			ret = question_out(skb, packet->payload, how_to_read(skb, sk, packet));
	} else if (sock->asks >= SW_LEARN && packet->terms.resolver & SW_ANSWER_RESOLVER &&
		   !may_be_told_by_itself(sk)) {
		if (stream)
			ret = answers_in(skb, packet, scope);
		else
			answer_in(skb, packet->payload);
	}
	hide(ret);
	return ret ? PASS : REFUSE;
}

#endif