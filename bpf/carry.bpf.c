// SPDX-License-Identifier: GPL-2.0-only
/*
 * What another build has kept on sockets, in a map of another layout, is carried over field by field: an iterator over
 * that map, which is read once by who takes over (user/kern/carry.h). Above all a socket that was closed stays closed.
 */
#include "maps.bpf.h"

const volatile struct sw_move moves[SW_MOVES_MAX] = {};

/* It was being changed at that moment: then what it had been approved for is asked again. */
static __always_inline void mend(struct sw_sock *sock)
{
	if (!(sock->version & 1) || sock->closed)
		return;
	sock->version++;
	sock->approved = 0;
}

SEC("iter/bpf_sk_storage_map") int sw_carry(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const void *from = ctx->value;
	struct sock *sk = ctx->sk;
	struct sw_sock *sock;

	if (!sk || !from) /* that was the last */
		return 0;
	sock = bpf_sk_storage_get(&socks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!sock)
		return 0;
	for (int i = 0; i < SW_MOVES_MAX; i++) {
		__u32 to = moves[i].to, len = moves[i].len;

		if (!len)
			break;
		if (len > SW_MOVE_MAX || to > sizeof(*sock) - len)
			continue;
		bpf_probe_read_kernel((void *)sock + to, len, from + moves[i].from);
	}
	mend(sock);
	return 0;
}

char LICENSE[] SEC("license") __weak = "GPL";
