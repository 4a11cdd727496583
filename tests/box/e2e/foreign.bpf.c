// SPDX-License-Identifier: GPL-2.0-only
/* Somebody else's program: lets everything pass. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

SEC("cgroup/connect4") int foreign(struct bpf_sock_addr *ctx)
{
	(void)ctx;
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
