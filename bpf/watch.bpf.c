// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on a socket that no hook of a cgroup sees: that it is used, and by whom. An object of its own, because not
 * every kernel lets every program of it be loaded.
 *
 * These run for every socket of the host. Most are used in the cgroup they were made in, and have nothing kept on them:
 * for them all ends with a look at three pointers.
 */
#include "sock.bpf.h"
#include "whose.bpf.h"

/* What a watch can do about a use that is not allowed. */
enum watch_can {
	CAN_REFUSE,
	CAN_TELL, /* it is called too late for that, or nobody asks what it says */
};

/*
 * ---- pairs of cgroups that have nothing to do with a tenant --------------------------------------------------
 *
 * A service's socket may be used in another cgroup all the time (a session's, a helper's). Whether either is a tenant's
 * is asked once in a tick, on each CPU, for each such pair.
 */

struct pair {
	__u32 version; /* odd while the rest changes: the CPU may be given to another in the midst of it */
	__u32 pad;
	__u64 made, used; /* ids of the cgroups */
	__u64 tick;       /* jiffies */
};

#define PAIRS 16

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PAIRS);
	__type(key, __u32);
	__type(value, struct pair);
} pairs SEC(".maps");

static __always_inline struct pair *pair_place(__u64 made, __u64 used)
{
	__u32 place = (made ^ used * 5) % PAIRS;

	return bpf_map_lookup_elem(&pairs, &place);
}

static __always_inline bool pair_is_free(__u64 made, __u64 used)
{
	struct pair *pair = pair_place(made, used);
	__u32 version;

	if (!pair)
		return false;
	version = version_of(&pair->version);
	return !(version & 1) && pair->made == made && pair->used == used && pair->tick == bpf_jiffies64() &&
	       version_of(&pair->version) == version;
}

static __always_inline void pair_note(__u64 made, __u64 used)
{
	struct pair *pair = pair_place(made, used);

	if (!pair || !version_take(&pair->version))
		return;
	pair->made = made;
	pair->used = used;
	pair->tick = bpf_jiffies64();
	version_give(&pair->version);
}

/* ---- a use by one who may not ------------------------------------------------------------------------------- */

/* Its owner's policy forbids it: closed for good. What cannot be marked, for there is no room, the pass takes. */
static __always_inline void end_use(const struct scope *scope, struct sock *sk, struct sw_denial *denial)
{
	struct sw_closing closing = { .cause = SW_CAUSE_TRANSFER, .bytes = { SW_NOT_KNOWN, SW_NOT_KNOWN } };
	struct sw_sock *sock = sock_get(scope->tenant, sk);

	if (sock && !sock_close(sock, SW_CAUSE_TRANSFER))
		return;
	if (sock)
		say_closed(scope->tenant, scope->settings, denial, &closing);
	call_daemon(scope->tenant->slot, denial->pid);
}

/*
 * The user's own policy forbids it. The socket is not the tenant's, and others may have it, who do nothing wrong: it
 * stays, and the process goes, if it is the tenant's.
 */
static __always_inline void end_user(const struct sw_tenant *tenant, struct task_struct *task)
{
	struct task_struct *first = task->group_leader;
	struct task_struct *one = first->flags & PF_EXITING ? task : first; /* who has ended stays where it did */
	const struct sw_tenant *whole = tenant_of(ALL_LEVELS, one->cgroups->dfl_cgrp);

	if (whole && whole->cgroup == tenant->cgroup)
		bpf_send_signal(SIGKILL);
}

/*
 * `owner`: id of the cgroup of the tenant that the socket was made in, or 0. Not whether that forbids it, as a bool:
 * Linux 6.1 remembers of a number on the stack that it was 0 on one way here, does not look at the other, on which it
 * is 1, and throws away what would be done then (tests/machine/kernels/kept).
 */
static __noinline int stop_use(struct sock *sk, const struct sw_tenant *forbids, __u64 owner, enum watch_can can)
{
	bool owns = forbids->cgroup == owner;
	struct sw_sock *sock = bpf_sk_storage_get(&socks, sk, NULL, 0);
	struct task_struct *task = bpf_get_current_task_btf();
	struct sw_denial denial = {
		.flow = peer_of(sk),
		.hook = SW_HOOK_USE,
		.reason = SW_REASON_TRANSFER,
		.rule = SW_RULE_NONE,
		.family = sk->__sk_common.skc_family,
		.protocol = sk->sk_protocol,
	};
	struct scope scope;

	if (sock && sock->closed) /* there is nothing left to use */
		return -EACCES;
	if (!scope_in_force(forbids, &scope))
		return 0;
	denial.pid = caller(denial.comm);
	if (can == CAN_REFUSE || !owns)
		refuse(scope.tenant, scope.settings, &denial);
	if (owns)
		end_use(&scope, sk, &denial);
	else if (can == CAN_TELL)
		end_user(scope.tenant, task);
	return -EACCES;
}

/*
 * Twice, for the tenants may change between two looks at them: who is attached this very moment is no stranger to what
 * it has made.
 */
static __noinline int used_elsewhere(struct sock *sk, enum watch_can can)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cgroup *made = sk->sk_cgrp_data.cgroup, *used = task->cgroups->dfl_cgrp;
	struct sw_tenant *owner, *forbids = NULL;

	if (!is_internet(sk) || task->flags & (PF_KTHREAD | PF_MEMALLOC))
		return 0;
	if (pair_is_free(made->kn->id, used->kn->id))
		return 0;
	for (int i = 0; i < 2; i++) {
		owner = tenant_of(ALL_LEVELS, made);
		forbids = forbids_transfer(owner, tenant_of(ALL_LEVELS, used));
		if (!forbids) {
			pair_note(made->kn->id, used->kn->id);
			return 0;
		}
	}
	return is_kernels(sk) ? 0 : stop_use(sk, forbids, owner ? owner->cgroup : 0, can);
}

/* 0, or -EACCES: the task that runs has no right to use that socket. */
static __always_inline int judge_use(struct sock *sk, enum watch_can can)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->cgroups->dfl_cgrp == sk->sk_cgrp_data.cgroup ? 0 : used_elsewhere(sk, can);
}

static __always_inline struct sw_sock *touch(struct sock *sk)
{
	struct sw_sock *sock = bpf_sk_storage_get(&socks, sk, NULL, 0);

	if (sock)
		sock_touch(sock);
	return sock;
}

static __always_inline int watch_use(struct sock *sk)
{
	if (!sk)
		return 0;
	judge_use(sk, CAN_TELL);
	touch(sk);
	return 0;
}

/* ---- those that can refuse: (socket, message, ..., what the one before us said) --------------------------------- */

/* A reclaimed UDP socket would otherwise wait for ever for what cannot arrive. */
SEC("lsm/socket_recvmsg") int sw_receive(__u64 *ctx)
{
	struct sock *sk = ((struct socket *)ctx[0])->sk;
	struct sw_sock *sock = sk ? touch(sk) : NULL;
	int before = ctx[4], err;

	if (sock && sock->closed)
		return -ECONNABORTED;
	err = sk ? judge_use(sk, CAN_REFUSE) : 0;
	return err ? err : before;
}

SEC("lsm/socket_sendmsg") int sw_send(__u64 *ctx)
{
	struct sock *sk = ((struct socket *)ctx[0])->sk;
	int before = ctx[3], err = sk ? judge_use(sk, CAN_REFUSE) : 0;

	if (sk)
		touch(sk);
	return err ? err : before;
}

/* ---- those that only see ---------------------------------------------------------------------------------------- */

#define WATCH(name, section, what, sk)                                                                                 \
	SEC(section) int name(__u64 *ctx)                                                                              \
	{                                                                                                              \
		return what(sk);                                                                                       \
	}

#define SOCKET(argument) (((struct socket *)ctx[argument])->sk)
#define SOCK(argument)   ((struct sock *)ctx[argument])

static __always_inline int watch_operation(struct sock *sk)
{
	if (sk)
		touch(sk);
	return 0;
}

/*
 * Reading by splice, or TCP_ZEROCOPY_RECEIVE: seen when data is taken out of a connection. The kernel may do that by
 * itself, whoever runs then; who has locked the socket runs in a system call on it.
 */
static __always_inline int watch_drained(struct sock *sk)
{
	if (sk->sk_lock.owned)
		judge_use(sk, CAN_TELL);
	return 0;
}

/* connect() and listen() by a tenant on a socket that is not in its cgroup. Other states may come from the network. */
static __always_inline int watch_state(struct sock *sk, int state)
{
	if (state == BPF_TCP_SYN_SENT || state == BPF_TCP_LISTEN)
		judge_use(sk, CAN_TELL);
	return 0;
}

WATCH(sw_receive_entry, "fentry/security_socket_recvmsg", watch_use, SOCKET(0))
WATCH(sw_receive_length, "tp_btf/sock_recv_length", watch_use, SOCK(0)) /* Linux 6.3 */
WATCH(sw_send_entry, "fentry/security_socket_sendmsg", watch_use, SOCKET(0))
WATCH(sw_send_length, "tp_btf/sock_send_length", watch_use, SOCK(0)) /* Linux 6.3 */
WATCH(sw_send_page, "fentry/inet_sendpage", watch_use, SOCKET(0))    /* until Linux 6.4: from then on it is a send */
WATCH(sw_drain, "tp_btf/tcp_rcv_space_adjust", watch_drained, SOCK(0))
WATCH(sw_poll_tcp, "fentry/tcp_poll", watch_operation, SOCKET(1))
WATCH(sw_poll_udp, "fentry/udp_poll", watch_operation, SOCKET(1))
WATCH(sw_ioctl4, "fentry/inet_ioctl", watch_operation, SOCKET(0))
WATCH(sw_ioctl6, "fentry/inet6_ioctl", watch_operation, SOCKET(0))
WATCH(sw_shutdown, "fentry/inet_shutdown", watch_operation, SOCKET(0))

/* (socket, the state it had, the one it gets) */
SEC("tp_btf/inet_sock_set_state") int sw_state(__u64 *ctx)
{
	return watch_state(SOCK(0), ctx[2]);
}

char LICENSE[] SEC("license") __weak = "GPL";
