/* SPDX-License-Identifier: GPL-2.0-only */
/* The few members we read of kernel structs too large for vmlinux.h; their offsets are relocated like all others. */
#ifndef SW_KERNEL_BPF_H
#define SW_KERNEL_BPF_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[0];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int flags;
	int tgid;
	u64 start_boottime;
	struct task_struct *group_leader;
	struct css_set *cgroups;
	char comm[16];
};

struct socket {
	struct sock *sk;
};

struct inode {
	unsigned long i_ino;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	u64 net_cookie;
	struct ns_common ns;
};

#pragma clang attribute pop

#endif
