// SPDX-License-Identifier: GPL-2.0-only
/*
 * Iterators beside those that judge:
 *
 *   census      every thread: which network namespace and which table of descriptors it has, and whose it is
 *   called      the descriptors of one process: sockets that are closed, and still in the kernel's tables. For one that
 *               a hook has closed in the middle of a call
 *   take_tcp,   the sockets of one network namespace: those that are closed are taken out of the kernel's tables, where
 *   take_udp    user space cannot do it one by one
 */
#include "pass.bpf.h"

/* Linux 6.5. Weak, or the object would not load before that. */
int bpf_sock_destroy(struct sock_common *sk) __ksym __weak;

/* Threads that have what the first one of their process has say nothing. */
static __always_inline bool is_like_first(const struct task_struct *task, const struct task_struct *first)
{
	return task != first && task->files == first->files && task->nsproxy == first->nsproxy &&
	       task->cgroups == first->cgroups;
}

/* As the reader's PID namespace has it; 0: it is not there. */
static __always_inline __u32 id_of(struct task_struct *task)
{
	struct task_struct *reader = bpf_get_current_task_btf();
	__u32 level = BPF_CORE_READ(reader, thread_pid, level), own = BPF_CORE_READ(task, thread_pid, level);
	const void *numbers = (void *)BPF_CORE_READ(task, thread_pid) + bpf_core_field_offset(struct pid, numbers);
	int nr;

	if (own < level || bpf_probe_read_kernel(&nr, sizeof(nr), numbers + level * bpf_core_type_size(struct upid)))
		return 0;
	return nr;
}

/* Held by a tenant in its namespace, which is not the host's for that. */
static __always_inline bool is_worker(const struct task_struct *task)
{
	char comm[sizeof(SW_WORKER)];

	BPF_CORE_READ_STR_INTO(&comm, task, comm);
	return !bpf_strncmp(comm, sizeof(comm), SW_WORKER);
}

SEC("iter/task") int sw_census(struct bpf_iter__task *ctx)
{
	struct sw_pass *p = pass_get(SW_PASS_WHOLE);
	struct task_struct *task = ctx->task;
	struct sw_task seen = { 0 };
	struct sw_tenant *tenant;
	struct net *net;

	if (!task || !p || task->flags & PF_KTHREAD || is_like_first(task, task->group_leader))
		return GO_ON;
	tenant = tenant_of(p->levels, task->cgroups->dfl_cgrp);
	net = BPF_CORE_READ(task, nsproxy, net_ns); /* a process that ends has none */
	seen.thread = id_of(task);
	seen.process = id_of(task->group_leader);
	seen.caller = task->tgid;
	seen.slot = tenant ? tenant->slot : 0;
	seen.files = (__u64)task->files;
	if (net && (tenant || !is_worker(task))) {
		seen.netns = BPF_CORE_READ(net, net_cookie);
		seen.inode = BPF_CORE_READ(net, ns.inum);
	}
	bpf_seq_write(ctx->meta->seq, &seen, sizeof(seen));
	return GO_ON;
}

SEC("iter/task_file") int sw_called(struct bpf_iter__task_file *ctx)
{
	struct sw_pass *p = pass_get(SW_PASS_CALLED);
	struct file *file = ctx->file;
	struct socket *socket;
	struct sw_found *found;
	struct sw_tenant *tenant;
	struct sw_sock *sock;
	struct sock *sk;

	if (!ctx->task || !file || !p)
		return GO_ON;
	if (step_over(p))
		return YIELD;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : NULL;
	sock = sk && is_internet(sk) ? bpf_sk_storage_get(&socks, sk, NULL, 0) : NULL;
	if (!sock || !sock->closed)
		return GO_ON;
	tenant = bpf_map_lookup_elem(&owners, &sock->owner);
	found = describe(sk, sock, tenant ? tenant->slot : 0, sock->closed, 0);
	if (found)
		tell(ctx->meta, sock, found);
	return GO_ON;
}

#define TAKE_STEPS 16 /* what it takes to close a socket, beside a look at one */

static __always_inline int take(struct sock_common *sk)
{
	struct sw_pass *p = pass_get(SW_PASS_WHOLE);
	struct sw_sock *sock;

	if (!sk || !p)
		return GO_ON;
	if (step_over(p))
		return YIELD;
	sock = bpf_sk_storage_get(&socks, sk, NULL, 0);
	if (!sock || !sock->closed)
		return GO_ON;
	p->steps += TAKE_STEPS;
	if (!bpf_sock_destroy(sk))
		p->closed++;
	return GO_ON;
}

SEC("iter/tcp") int sw_take_tcp(struct bpf_iter__tcp *ctx)
{
	return take(ctx->sk_common);
}

SEC("iter/udp") int sw_take_udp(struct bpf_iter__udp *ctx)
{
	return take((struct sock_common *)ctx->udp_sk);
}

char LICENSE[] SEC("license") __weak = "GPL";
