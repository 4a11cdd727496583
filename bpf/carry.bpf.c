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

/* It was being changed at that moment: then what it had been approved for is asked again. */
static __always_inline void mend(struct sw_sock *sock)
{
	if (!(sock->version & 1) || sock->closed)
		return;
	sock->version++;
	sock->approved = 0;
}

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

/* What ours have noted since the last time is newer than what theirs had; but what theirs closed is closed. */
static __always_inline int carry(struct sock *sk)
{
	const void *from = bpf_sk_storage_get(&before, sk, NULL, 0);
	struct sw_sock *sock = from ? storage_make(&socks, sk) : NULL;

	if (!sock || (sock->active > THERE(from, active) && !THERE(from, closed)))
		return 0;
	for (int i = 0; i < SW_MOVES_MAX; i++) {
		__u32 to = moves[i].to, len = moves[i].len;

		if (!len)
			break;
		if (len <= SW_MOVE_MAX && to <= sizeof(*sock) - len)
			bpf_probe_read_kernel((void *)sock + to, len, from + moves[i].from);
	}
	mend(sock);
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
