// SPDX-License-Identifier: GPL-2.0-only
/* What a pass over the sockets is compared with: programs that look at nothing, and ones that just close. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

int bpf_sock_destroy(struct sock_common *sk) __ksym;

#define BARE(name, section)                                                                                            \
	SEC(section) int bare_##name(void *ctx)                                                                        \
	{                                                                                                              \
		(void)ctx;                                                                                             \
		return 0;                                                                                              \
	}

BARE(files, "iter/task_file")
BARE(storage, "iter/bpf_sk_storage_map")
BARE(tcp, "iter/tcp")
BARE(udp, "iter/udp")

SEC("iter/tcp") int close_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;

	if (tcp && ((struct sock *)tcp)->sk_mark)
		bpf_sock_destroy(sk);
	return 0;
}

SEC("iter/udp") int close_udp(struct bpf_iter__udp *ctx)
{
	struct udp_sock *udp = ctx->udp_sk;

	if (udp && ((struct sock *)udp)->sk_mark)
		bpf_sock_destroy((struct sock_common *)udp);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
