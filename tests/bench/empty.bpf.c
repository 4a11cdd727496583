// SPDX-License-Identifier: GPL-2.0-only
/* The least a program can do on each hook. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define EMPTY(name, section)                                                                                           \
	SEC(section) int empty_##name(void *ctx)                                                                       \
	{                                                                                                              \
		return 1;                                                                                              \
	}

EMPTY(egress, "cgroup_skb/egress")
EMPTY(ingress, "cgroup_skb/ingress")
EMPTY(sock_create, "cgroup/sock_create")
EMPTY(connect4, "cgroup/connect4")
EMPTY(connect6, "cgroup/connect6")
EMPTY(sendmsg4, "cgroup/sendmsg4")
EMPTY(sendmsg6, "cgroup/sendmsg6")
EMPTY(bind4, "cgroup/bind4")
EMPTY(bind6, "cgroup/bind6")
EMPTY(post_bind4, "cgroup/post_bind4")
EMPTY(post_bind6, "cgroup/post_bind6")
EMPTY(getsockopt, "cgroup/getsockopt")
EMPTY(setsockopt, "cgroup/setsockopt")
EMPTY(sockops, "sockops")
EMPTY(getsockname4, "cgroup/getsockname4")
EMPTY(getsockname6, "cgroup/getsockname6")
EMPTY(getpeername4, "cgroup/getpeername4")
EMPTY(getpeername6, "cgroup/getpeername6")
EMPTY(recvmsg4, "cgroup/recvmsg4")
EMPTY(recvmsg6, "cgroup/recvmsg6")

char LICENSE[] SEC("license") = "GPL";
