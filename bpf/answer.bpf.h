/* SPDX-License-Identifier: GPL-2.0-only */
/* For names.bpf.h: what name servers send, in datagrams and in streams. */
#ifndef SW_ANSWER_BPF_H
#define SW_ANSWER_BPF_H

#include "grant.bpf.h"

/*
 * The message is in the work area `which`. It is fetched here, not handed over: before Linux 6.2 the memory that a global
 * function is handed is no key of a map. What came in a `datagram` may be from anyone, and must be an answer to a question
 * of the socket; what a connection delivers is its peer's. 0, or what is wrong with it (enum sw_naming).
 */
__noinline int learn(struct __sk_buff *skb, __u32 which, bool datagram)
{
	struct sw_work *work = bpf_map_lookup_elem(&works, &which);
	struct bpf_sock *sk = skb->sk;
	struct sw_questions *asked;
	struct opening opening;
	bool whole;

	if (!sk || !work)
		return 0;
	if (dns_question(&work->dns))
		return SW_NAMING_MALFORMED;
	if (datagram) {
		asked = bpf_sk_storage_get(&questions, sk, NULL, 0);
		/* used up whatever it says: an answer that another one of the same question had before is not believed */
		if (!asked || !was_asked(asked, work))
			return SW_NAMING_UNASKED;
	}
	if (!dns_is_answer(&work->dns))
		return 0;
	opening.work = work;
	find_rule(work);
	if (work->rule.opens)
		naming_count(work->slot, SW_NAMING_ANSWERED);
	copy_asked(work->heard.asked, &work->dns); /* what follows reads other names */
	whole = dns_answer(&work->dns);
	bpf_loop(work->dns.count, address_step, &opening, 0);
	return whole ? 0 : SW_NAMING_MALFORMED;
}

/* Loads what lies behind `off`; false when there is no message. */
static __always_inline bool load(struct __sk_buff *skb, struct dns *dns, __u32 off)
{
	__u32 len = skb->len;

	if (len < off + DNS_HEADER)
		return false;
	len -= off;
	if (len > DNS_MAX)
		len = DNS_MAX;
	len = bounded(len, DNS_MASK);
	dns->len = len;
	return !bpf_skb_load_bytes(skb, off, dns->msg, len);
}

/* A datagram that is let in. */
__noinline int answer_in(struct __sk_buff *skb, __u32 off)
{
	struct sw_work *work;
	struct scope scope;
	__u32 which;
	int wrong;

	if (!scope_get(&scope) || skb->gso_size)
		return 0;
	work = work_claim(scope.tenant->slot, &which);
	if (!work) {
		naming_count(scope.tenant->slot, SW_NAMING_NO_ROOM);
		return 0;
	}
	work_begin(work, &scope);
	wrong = load(skb, &work->dns, off) ? learn(skb, which, true) : SW_NAMING_MALFORMED;
	work_end(work);
	if (wrong)
		naming_count(scope.tenant->slot, wrong);
	return 0;
}

#define SW_PIECE      512 /* bytes of a segment that are read at once. A power of two */
#define SW_PIECE_MASK (SW_PIECE - 1)

/* A connection to a name server: what has come of a message. Linux 7.3 gives a socket no more than some 8 KB for it. */
struct sw_stream {
	__u32 busy;
	__u32 state;    /* enum stream_state */
	__u32 next;     /* sequence number of what is wanted */
	__u32 size;     /* of the message, or the first byte of that */
	__u32 sized;    /* bytes of the size that there are */
	__u32 have;     /* bytes of the message */
	__u32 off, end; /* of the segment that is read */
	__u32 ready;    /* bytes of `msg`, once the message is whole */
	__u32 messages; /* of the segment, so far */
	__u8 msg[DNS_MAX + SW_PIECE];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sw_stream);
} streams __weak SEC(".maps");

enum stream_state {
	STREAM_READ = 1,
	STREAM_LOST = 2, /* its beginning was not seen, or it could not be read: nothing more is learned from it */
};

static __always_inline void stream_end(struct sw_stream *stream)
{
	__sync_lock_test_and_set(&stream->busy, 0);
}

struct piece {
	struct sw_stream *stream;
	struct __sk_buff *skb;
};

/* Two bytes of a message's size, what is looked at of it, and what is not. */
#define SW_PIECES (2 + DNS_MAX / SW_PIECE + 1)

static long piece_step(__u32 index, void *ctx)
{
	struct sw_stream *stream = ((struct piece *)ctx)->stream;
	struct __sk_buff *skb = ((struct piece *)ctx)->skb;
	__u32 off = stream->off, have = stream->have, part;
	__u8 byte;

	(void)index;
	if (off >= stream->end)
		return DNS_STOP;
	if (stream->sized < 2) {
		if (bpf_skb_load_bytes(skb, off, &byte, 1))
			return DNS_STOP;
		stream->size = stream->size << 8 | byte;
		stream->sized++;
		stream->off = off + 1;
		return DNS_GO_ON;
	}
	part = stream->end - off;
	if (part > stream->size - have)
		part = stream->size - have;
	if (part && have < DNS_MAX) {
		part = bounded(part > SW_PIECE ? SW_PIECE : part, SW_PIECE_MASK);
		if (bpf_skb_load_bytes(skb, off, &stream->msg[have & DNS_MASK], part))
			stream->state = STREAM_LOST;
	}
	stream->off = off + part;
	stream->have = have + part;
	if (stream->have < stream->size)
		return DNS_GO_ON;
	stream->ready = stream->size > DNS_MAX ? DNS_MAX : stream->size;
	stream->size = stream->sized = stream->have = 0;
	return DNS_STOP;
}

/*
 * Where the segment goes on from what was read: nothing of it is read twice, and nothing that the connection may not
 * deliver. -1: it is ahead. 1: there is nothing new in it. 0: stream->off to stream->end is to be read.
 */
static __always_inline int stream_place(struct sw_stream *stream, __u32 off, __u32 end, __u32 seq)
{
	__s32 ahead = seq - stream->next;
	__u32 old = -ahead;

	if (ahead > 0)
		return -1;
	if (old >= end - off)
		return 1;
	stream->off = off + old;
	stream->end = end;
	stream->next += end - off - old;
	return 0;
}

/* The first segment with data of a connection; the socket may have had another one before. */
static __always_inline void stream_begin(struct sw_stream *stream, struct sw_sock *sock, const struct bpf_tcp_sock *tcp)
{
	stream->state = tcp->bytes_received ? STREAM_LOST : STREAM_READ;
	stream->next = tcp->rcv_nxt;
	stream->size = stream->sized = stream->have = 0;
	sock->asks = SW_LEARN_ON;
}

/*
 * A segment that is let in. What is ahead of the stream is dropped, and comes again: so what is learned is what the
 * connection delivers. 1: its messages are to be read, by stream_next(), until that has no more; 0; or -1: drop it.
 */
__noinline int stream_in(struct __sk_buff *skb, __u32 off, __u32 seq)
{
	struct bpf_sock *sk = skb->sk;
	struct sw_stream *stream;
	struct bpf_tcp_sock *tcp;
	struct sw_sock *sock;
	struct scope scope;
	int place;

	if (!sk || skb->len <= off || !scope_get(&scope))
		return 0;
	sk = bpf_sk_fullsock(sk);
	sock = sock_find(sk);
	if (!sock)
		return 0;
	if (sk->state == BPF_TCP_SYN_SENT) /* nobody knows its numbers yet */
		return -1;
	tcp = bpf_tcp_sock(sk);
	if (!tcp)
		return 0;
	stream = storage_make(&streams, sk);
	if (!stream) {
		naming_count(scope.tenant->slot, SW_NAMING_NO_ROOM);
		return 0;
	}
	if (__sync_val_compare_and_swap(&stream->busy, 0, 1))
		return -1;
	if (sock->asks == SW_LEARN)
		stream_begin(stream, sock, tcp);
	if ((__s32)(tcp->rcv_nxt - stream->next) > 0) /* some of it went by unread, and will not come again */
		stream->state = STREAM_LOST;
	place = stream->state == STREAM_READ ? stream_place(stream, off, skb->len, seq) : 1;
	if (!place) {
		stream->messages = 0;
		return 1;
	}
	stream_end(stream);
	if (place > 0)
		return 0;
	naming_count(scope.tenant->slot, SW_NAMING_GAP);
	return -1;
}

#define SW_MESSAGES 16 /* that end in one segment */

/* 1: a message of the segment is whole, and waits for message_in(). 0: there is no more; -1: nor will there be any. */
__noinline int stream_next(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct sw_stream *stream = sk ? bpf_sk_storage_get(&streams, sk, NULL, 0) : NULL;
	struct piece piece = { .stream = stream, .skb = skb };
	int ret;

	if (!stream)
		return 0;
	stream->ready = 0;
	if (stream->messages++ == SW_MESSAGES)
		stream->state = STREAM_LOST;
	if (stream->state == STREAM_READ)
		bpf_loop(SW_PIECES, piece_step, &piece, 0);
	if (stream->ready && stream->state == STREAM_READ)
		return 1;
	ret = stream->state == STREAM_LOST ? -1 : 0;
	stream_end(stream);
	return ret;
}

#define SW_COPIED 64 /* bytes in a step */

struct copying {
	struct sw_stream *stream;
	struct sw_work *work;
};

static long copy_step(__u32 index, void *ctx)
{
	const __u8 *from = ((struct copying *)ctx)->stream->msg;
	__u8 *to = ((struct copying *)ctx)->work->dns.msg;
	__u32 at = index * SW_COPIED & DNS_MASK & ~(SW_COPIED - 1);

	for (__u32 i = 0; i < SW_COPIED; i += 8)
		*(__u64 *)&to[at + i] = *(const __u64 *)&from[at + i];
	return DNS_GO_ON;
}

/* A message of a stream. 0, or what is wrong with it. */
__noinline int message_in(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct sw_stream *stream = sk ? bpf_sk_storage_get(&streams, sk, NULL, 0) : NULL;
	struct copying copying = { .stream = stream };
	struct scope scope;
	__u32 which;
	int wrong;

	if (!stream || !scope_get(&scope))
		return 0;
	copying.work = work_claim(scope.tenant->slot, &which);
	if (!copying.work)
		return SW_NAMING_NO_ROOM;
	work_begin(copying.work, &scope);
	copying.work->dns.len = stream->ready;
	bpf_loop((stream->ready + SW_COPIED - 1) / SW_COPIED, copy_step, &copying, 0);
	wrong = learn(skb, which, false);
	work_end(copying.work);
	return wrong;
}

/* What a name server has sent over a connection. What comes with a SYN is not read. PASS or REFUSE. */
static __always_inline int answers_in(struct __sk_buff *skb, const struct packet *packet, const struct scope *scope)
{
	struct sequence seq;
	int more, wrong;

	if (bpf_skb_load_bytes(skb, packet->transport + TCP_SEQUENCE, &seq, sizeof(seq)))
		return REFUSE;
	if (seq.flags & TCP_FLAG_SYN)
		return PASS;
	more = stream_in(skb, packet->payload, bpf_ntohl(seq.at));
	if (more < 0)
		return REFUSE;
	for (int i = 0; i <= SW_MESSAGES && more > 0; i++) {
		more = stream_next(skb);
		wrong = more > 0 ? message_in(skb) : more ? SW_NAMING_MALFORMED : 0;
		if (wrong)
			naming_count(scope->tenant->slot, wrong);
	}
	return PASS;
}

#endif
