// SPDX-License-Identifier: GPL-2.0-only
/* Operations that name no new peer, yet say that the tenant still uses the socket. They cannot refuse. */
#include "sock.bpf.h"

static __always_inline int active(struct bpf_sock_addr *ctx)
{
	struct sw_sock *sock = sock_find(ctx->sk);

	if (sock)
		sock_touch(sock);
	return PASS;
}

#define ACTIVITY(name, section)                                                                                        \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                                               \
	{                                                                                                              \
		return active(ctx);                                                                                    \
	}

ACTIVITY(sw_getsockname4, "cgroup/getsockname4")
ACTIVITY(sw_getsockname6, "cgroup/getsockname6")
ACTIVITY(sw_getpeername4, "cgroup/getpeername4")
ACTIVITY(sw_getpeername6, "cgroup/getpeername6")
ACTIVITY(sw_recvmsg4, "cgroup/recvmsg4")
ACTIVITY(sw_recvmsg6, "cgroup/recvmsg6")

char LICENSE[] SEC("license") __weak = "GPL";
