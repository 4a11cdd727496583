/* SPDX-License-Identifier: GPL-2.0-only */
/* What the iterators of a pass have in common: whose a cgroup is, and what there is to say of a socket. */
#ifndef SW_PASS_BPF_H
#define SW_PASS_BPF_H

#include "sock.bpf.h"
#include "whose.bpf.h"

#define GO_ON 0
#define YIELD 1 /* the reader gets what there is so far, and reads on from the same object */

/* `which`: enum sw_pass_of. */
static __always_inline struct sw_pass *pass_get(__u32 which)
{
	return bpf_map_lookup_elem(&pass, &which);
}

static __always_inline bool step_over(struct sw_pass *p)
{
	if (++p->steps < p->pause)
		return false;
	p->steps = 0;
	return true;
}

static __always_inline struct sw_flow local_of(const struct sock *sk)
{
	struct in6_addr v6 = sk->__sk_common.skc_v6_rcv_saddr;

	return end_of(sk, sk->__sk_common.skc_rcv_saddr, &v6, sk->__sk_common.skc_num);
}

/* A socket and its inode are one allocation. 0 when it was closed by all who had it. */
static __always_inline __u64 file_of(const struct sock *sk)
{
	struct socket_alloc *file = (void *)sk->sk_socket;

	return file ? BPF_CORE_READ(file, vfs_inode.i_ino) : 0;
}

/* Of a connection the kernel counts what it carries, once. */
static __always_inline void payload_of(struct sock *sk, const struct sw_sock *sock, __u64 bytes[SW_DIRECTIONS])
{
	const struct tcp_sock *tcp = sk->sk_protocol == IPPROTO_TCP ? bpf_skc_to_tcp_sock(sk) : NULL;

	bytes[SW_EGRESS] = bytes[SW_INGRESS] = SW_NOT_KNOWN;
	if (tcp) {
		bytes[SW_EGRESS] = tcp->bytes_sent - tcp->bytes_retrans;
		bytes[SW_INGRESS] = tcp->bytes_received;
	}
	barrier(); /* or clang joins the two reads, of pointers that the verifier does not take for each other */
	if (!tcp && sock) {
		bytes[SW_EGRESS] = sock->payload[SW_EGRESS];
		bytes[SW_INGRESS] = sock->payload[SW_INGRESS];
	}
}

/* Where a socket is described: out of the stack, which a decision needs. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_found);
} described __weak SEC(".maps");

/* Never NULL. */
static __always_inline struct sw_found *describe(struct sock *sk, const struct sw_sock *sock, __u32 slot,
						 enum sw_cause cause, __u64 idle_ms)
{
	struct net *net = sk->__sk_common.skc_net.net;
	__u32 zero = 0;
	struct sw_found *found = bpf_map_lookup_elem(&described, &zero);

	if (!found)
		return NULL;
	*found = (struct sw_found){
		.cookie = bpf_get_socket_cookie(sk),
		.netns = net->net_cookie,
		.inode = net->ns.inum,
		.file = file_of(sk),
		.closing = { .idle = idle_ms, .cause = cause },
		.peer = peer_of(sk),
		.local = local_of(sk),
		.device = sk->__sk_common.skc_bound_dev_if,
		.slot = slot,
		.family = sk->__sk_common.skc_family,
		.state = sk->__sk_common.skc_state,
		.bound = sk->__sk_common.skc_node.pprev != NULL,
		.fresh = 1,
	};
	payload_of(sk, sock, found->closing.bytes);
	if (sock) {
		found->pid = sock->pid;
		found->fresh = !sock->told;
		__builtin_memcpy(found->comm, sock->comm, sizeof(found->comm));
	}
	return found;
}

/*
 * Once, and for as long as there is something to take out: an earlier pass may have been ended before it could, and one
 * that came from outside is under no hook of ours, and may come back. A record that does not fit is thrown away, and
 * the program runs again for the same object: false.
 */
static __always_inline bool tell(struct bpf_iter_meta *meta, struct sw_sock *sock, const struct sw_found *found)
{
	if (sock->told && !found->bound)
		return true;
	if (bpf_seq_write(meta->seq, found, sizeof(*found)))
		return false;
	sock->told = 1;
	return true;
}

#endif
