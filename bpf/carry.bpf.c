// SPDX-License-Identifier: GPL-2.0-only
/*
 * What another build has kept on sockets, in a map of another layout, is carried over field by field, once, by who
 * takes over (user/kern/carry.h). Above all a socket that was closed stays closed. Two ways to the sockets: all that
 * have something in that map, or where the kernel refuses that iterator those that a process holds.
 */
#include "kernel.bpf.h"
#include "sock.bpf.h"

const volatile struct sw_move moves[SW_MOVES_MAX] = {};

/* The other build's `socks`: this says its type only. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sw_sock);
} before SEC(".maps");

/* A member of ours, as the other build has it; 0 if that has none. */
static __always_inline __u64 there(const void *from, __u32 at, __u32 size)
{
	__u64 value = 0; /* little-endian, or of full size */

	for (int i = 0; i < SW_MOVES_MAX; i++) {
		__u32 to = moves[i].to, len = moves[i].len;

		if (!len)
			break;
		if (at >= to && at + size <= to + len)
			bpf_probe_read_kernel(&value, size, from + moves[i].from + (at - to));
	}
	return value;
}

#define THERE(from, member) there(from, offsetof(struct sw_sock, member), sizeof(((struct sw_sock *)0)->member))

static __always_inline void take_members(struct sw_sock *into, const void *from)
{
	for (int i = 0; i < SW_MOVES_MAX; i++) {
		__u32 to = moves[i].to, len = moves[i].len;

		if (!len)
			break;
		if (len <= SW_MOVE_MAX && to <= sizeof(*into) - len)
			bpf_probe_read_kernel((void *)into + to, len, from + moves[i].from);
	}
}

/* Whom ours have approved, theirs were not asked for. */
static __always_inline void keep_approval(struct sw_sock *into, const struct sw_sock *ours)
{
	into->approved = ours->approved;
	into->flow = ours->flow;
	into->billing = ours->billing;
	into->asks = ours->asks;
	into->resolver = ours->resolver;
	into->pattern = ours->pattern;
}

/*
 * What is closed by either is closed. Of the rest, what ours have noted since the last time is newer than what theirs
 * had, unless theirs have gone on; what theirs were changing at that moment is asked again.
 */
static __always_inline void merge(struct sw_sock *ours, const void *from)
{
	struct sw_sock both = *ours;

	if (ours->active > THERE(from, active) && !THERE(from, closed))
		return;
	take_members(&both, from);
	if (!both.closed && both.version & 1)
		both.approved = 0;
	if (!both.approved && ours->approved)
		keep_approval(&both, ours);
	both.inbound |= ours->inbound;
	both.version = ours->version;
	*ours = both;
}

/* One of ours that is at it at this moment knows better; but for what was closed. */
static __always_inline int carry(struct sock *sk)
{
	const void *from = bpf_sk_storage_get(&before, sk, NULL, 0);
	struct sw_sock *sock = from ? storage_make(&socks, sk) : NULL;
	__u8 closed = from ? THERE(from, closed) : 0;

	if (!sock || sock->closed)
		return 0;
	if (!version_take(&sock->version)) {
		if (closed) /* or who is at it may be closing it, which is not to be undone */
			sock->closed = closed;
		return 0;
	}
	merge(sock, from);
	if (!sock->closed)
		version_give(&sock->version);
	return 0;
}

SEC("iter/bpf_sk_storage_map") int sw_carry_all(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;

	return sk ? carry(sk) : 0;
}

SEC("iter/task_file") int sw_carry_held(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct socket *socket = file ? bpf_sock_from_file(file) : NULL;
	struct sock *sk = socket ? socket->sk : NULL;

	return sk ? carry(sk) : 0;
}

char LICENSE[] SEC("license") __weak = "GPL";
