/* SPDX-License-Identifier: GPL-2.0-only */
/* The few members we read of kernel structs too large for vmlinux.h; their offsets are relocated like all others. */
#ifndef SW_KERNEL_BPF_H
#define SW_KERNEL_BPF_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	u64 id;
};

struct cgroup_subsys_state {
	unsigned int flags;
};

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[0];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct user_namespace {
	int level;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[0];
};

struct fdtable {
	unsigned int max_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct net;

struct nsproxy {
	struct net *net_ns;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct files_struct *files;
	struct pid *thread_pid;
	char comm[16];
};

/* Linux 6.13 counts references in another way than those before. */
struct file___before_6_13 {
	atomic64_t f_count;
};

struct file_ref {
	atomic64_t refcnt;
};

struct file___since_6_13 {
	struct file_ref f_ref;
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
	struct user_namespace *user_ns;
	struct ns_common ns;
};

#pragma clang attribute pop

#endif
