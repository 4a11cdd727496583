// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pass over the sockets, in iterators that user space reads one after the other:
 *
 *   strays      every descriptor of every process: closes sockets that are held outside the tenant they were made in,
 *               and of all others of a tenant the idle, revoked and listening ones; user space is told of each
 *   survey      every socket we keep something on, in whichever network namespace, in the kernel's tables or not:
 *               does the same to those that no process holds any more. Some kernels refuse that iterator
 *   survey_tcp, the sockets in the tables of one network namespace: the same, to those that no process ever held while
 *   survey_udp  a pass went by, and that we have nothing on
 *   take_tcp,   the sockets of one network namespace: those that are closed are taken out of the kernel's tables
 *   take_udp
 *
 * From when a pass first sees a socket there is something on it, by which it is watched. Closing is a mark on the socket, after which every hook refuses it. So the pass may be interrupted anywhere, and the
 * next one goes on; and what cannot be taken out of the tables is closed for its tenant nevertheless.
 */
#include "flow.bpf.h"
#include "kernel.bpf.h"

#define GO_ON 0
#define YIELD 1 /* the reader gets what there is so far, and reads on from the same object */

/* Linux 6.5. Weak, or the object would not load before that. */
int bpf_sock_destroy(struct sock_common *sk) __ksym __weak;

static __always_inline struct sw_pass *pass_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pass, &zero);
}

static __always_inline bool step_over(struct sw_pass *p)
{
	if (++p->steps < p->pause)
		return false;
	p->steps = 0;
	return true;
}

/* The tenant that a cgroup is, or is below. */
static __always_inline struct sw_tenant *tenant_of(const struct sw_pass *p, struct cgroup *cgroup)
{
	__u32 level = cgroup->level;

	for (__u32 i = 1; i < SW_LEVELS; i++) {
		struct sw_tenant *tenant;
		struct cgroup *above;
		__u64 id;

		if (i > level)
			break;
		if (!(p->levels & 1U << i))
			continue;
		bpf_probe_read_kernel(&above, sizeof(above),
				      (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestors) +
					      i * sizeof(above));
		id = BPF_CORE_READ(above, kn, id);
		tenant = bpf_map_lookup_elem(&owners, &id);
		if (tenant)
			return tenant;
	}
	return NULL;
}

static __always_inline bool is_internet(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) &&
	       ((sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP) ||
		(sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP));
}

static __always_inline struct sw_flow end_of(const struct sock *sk, __be32 v4, const struct in6_addr *v6, __u16 port)
{
	struct sw_flow flow = { .port = port, .proto = proto_of(sk->sk_protocol) };

	if (sk->__sk_common.skc_family == AF_INET)
		flow.peer = sw_addr_v4(v4);
	else
		__builtin_memcpy(&flow.peer, v6, sizeof(flow.peer));
	return flow;
}

/* All zeroes when it has none. */
static __always_inline struct sw_flow peer_of(const struct sock *sk)
{
	struct in6_addr v6 = sk->__sk_common.skc_v6_daddr;
	struct sw_flow none = { .proto = proto_of(sk->sk_protocol) };

	if (!sk->__sk_common.skc_dport)
		return none;
	return end_of(sk, sk->__sk_common.skc_daddr, &v6, bpf_ntohs(sk->__sk_common.skc_dport));
}

static __always_inline struct sw_flow local_of(const struct sock *sk)
{
	struct in6_addr v6 = sk->__sk_common.skc_v6_rcv_saddr;

	return end_of(sk, sk->__sk_common.skc_rcv_saddr, &v6, sk->__sk_common.skc_num);
}

#define RCV_SHUTDOWN 1 /* net/sock.h */
#define SOCK_DONE    1 /* the bit of sk_flags: the peer has ended its side */

/*
 * A number that changes with whatever the tenant or new data does, and with nothing else: retransmissions, keepalives
 * and the peer's end move none of these. A reset shuts down, too, but moves no sequence number.
 */
static __always_inline __u64 progress_tcp(struct sock *sk, __u64 before)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	bool ended = sk->__sk_common.skc_flags & 1 << SOCK_DONE;
	__u8 shutdown = sk->sk_shutdown;

	if (!tcp)
		return before;
	if (ended)
		shutdown &= ~RCV_SHUTDOWN;
	if (sk->__sk_common.skc_state == BPF_TCP_CLOSE)
		shutdown = before >> 32;
	return (__u64)shutdown << 32 | (__u32)(tcp->write_seq + tcp->snd_nxt + tcp->copied_seq + tcp->rcv_nxt - ended);
}

/* Packets are seen by the hooks; not so a datagram that waits for more to be added, or is read without an address. */
static __always_inline __u64 progress_udp(struct sock *sk)
{
	struct udp_sock *udp = (void *)sk;
	__u32 waiting = sk->sk_receive_queue.qlen + BPF_CORE_READ(udp, reader_queue.qlen);

	return (__u64)sk->sk_shutdown << 32 | waiting << 16 | BPF_CORE_READ(udp, len);
}

static __always_inline __u64 progress(struct sock *sk, __u64 before)
{
	return sk->sk_protocol == IPPROTO_TCP ? progress_tcp(sk, before) : progress_udp(sk);
}

/* Jiffies since the last operation. */
static __always_inline __u64 idle_of(struct sw_sock *sock, struct sock *sk)
{
	__u64 now = bpf_jiffies64(), moved = progress(sk, sock->moved), active;

	if (sock->moved != moved) {
		sock->moved = moved;
		sock->active = now;
	}
	active = sock->active;
	return active < now ? now - active : 0;
}

/*
 * Does the policy in force still allow the peer? Asked once for each policy. A datagram socket that was connected and
 * has sent nothing was never allowed its peer, so nothing is revoked.
 */
static __always_inline bool revoked(const struct scope *scope, struct sock *sk, struct sw_sock *sock,
				    const struct sw_flow *peer)
{
	struct sw_verdict verdict;

	if (!scope->settings->revoke || sock->inbound || !peer->port || sock->judged == scope->tenant->serial)
		return false;
	if (peer->proto == SW_UDP && !sock->judged && !known_peer(sk, sock, peer))
		return false;
	verdict = decide(scope, peer);
	if (!verdict.allow)
		return verdict.reason == SW_REASON_RULE; /* no other: the policy has just been cleared away */
	sock->judged = scope->tenant->serial;
	return false;
}

static __always_inline bool is_idle(const struct sw_pass *p, const struct scope *scope, __u64 idle)
{
	__u64 timeout = p->idle;

	if (timeout == SW_NO_LIMIT)
		timeout = (__u64)scope->settings->idle_timeout * p->hz;
	return timeout && idle >= timeout;
}

static __always_inline enum sw_cause judge(const struct sw_pass *p, const struct scope *scope, struct sw_sock *sock,
					   struct sock *sk, const struct sw_flow *peer, __u64 idle)
{
	bool listens = sk->__sk_common.skc_state == BPF_TCP_LISTEN && sk->sk_protocol == IPPROTO_TCP;

	if (scope->settings->audit)
		return SW_CAUSE_NONE;
	if (listens) /* one that is allowed waits for others: that is its use */
		return scope->settings->listen ? SW_CAUSE_NONE : SW_CAUSE_LISTEN;
	if (revoked(scope, sk, sock, peer))
		return SW_CAUSE_REVOKED;
	return is_idle(p, scope, idle) ? SW_CAUSE_IDLE : SW_CAUSE_NONE;
}

/* A socket and its inode are one allocation. 0 when it was closed by all who had it. */
static __always_inline __u64 file_of(const struct sock *sk)
{
	struct socket_alloc *file = (void *)sk->sk_socket;

	return file ? BPF_CORE_READ(file, vfs_inode.i_ino) : 0;
}

/* Of a connection the kernel counts what it carries, once. */
static __always_inline void payload_of(struct sock *sk, const struct sw_sock *sock, __u64 bytes[SW_DIRECTIONS])
{
	const struct tcp_sock *tcp = sk->sk_protocol == IPPROTO_TCP ? bpf_skc_to_tcp_sock(sk) : NULL;

	bytes[SW_EGRESS] = bytes[SW_INGRESS] = SW_NOT_KNOWN;
	if (tcp) {
		bytes[SW_EGRESS] = tcp->bytes_sent - tcp->bytes_retrans;
		bytes[SW_INGRESS] = tcp->bytes_received;
	}
	barrier(); /* or clang joins the two reads, of pointers that the verifier does not take for each other */
	if (!tcp && sock) {
		bytes[SW_EGRESS] = sock->payload[SW_EGRESS];
		bytes[SW_INGRESS] = sock->payload[SW_INGRESS];
	}
}

static __always_inline struct sw_found describe(struct sock *sk, const struct sw_sock *sock, __u32 slot,
						enum sw_cause cause, __u64 idle_ms)
{
	struct net *net = sk->__sk_common.skc_net.net;
	struct sw_found found = {
		.cookie = bpf_get_socket_cookie(sk),
		.netns = net->net_cookie,
		.inode = net->ns.inum,
		.file = file_of(sk),
		.closing = { .idle = idle_ms, .cause = cause },
		.peer = peer_of(sk),
		.local = local_of(sk),
		.device = sk->__sk_common.skc_bound_dev_if,
		.slot = slot,
		.family = sk->__sk_common.skc_family,
		.state = sk->__sk_common.skc_state,
		.bound = sk->__sk_common.skc_node.pprev != NULL,
		.fresh = 1,
	};

	payload_of(sk, sock, found.closing.bytes);
	if (sock) {
		found.pid = sock->pid;
		found.fresh = !sock->told;
		__builtin_memcpy(found.comm, sock->comm, sizeof(found.comm));
	}
	return found;
}

static __always_inline void log_closing(const struct scope *scope, const struct sw_sock *sock, struct sw_found *found)
{
	struct sw_denial denial = {
		.flow = found->peer.port || !sock ? found->peer : sock->flow,
		.pid = found->pid,
		.hook = SW_HOOK_PASS,
		.rule = SW_RULE_NONE,
		.family = found->family,
		.protocol = found->peer.proto == SW_TCP ? IPPROTO_TCP : IPPROTO_UDP,
	};

	denial.flow.proto = found->peer.proto;
	__builtin_memcpy(denial.comm, found->comm, sizeof(denial.comm));
	say_closed(scope->tenant, scope->settings, &denial, &found->closing);
}

/*
 * Once, and for as long as there is something to take out: an earlier pass may have been ended before it could, and one
 * that came from outside is under no hook of ours, and may come back. A record that does not fit is thrown away, and
 * the program runs again for the same object: false.
 */
static __always_inline bool tell(struct bpf_iter_meta *meta, struct sw_sock *sock, const struct sw_found *found)
{
	if (sock->told && !found->bound)
		return true;
	if (bpf_seq_write(meta->seq, found, sizeof(*found)))
		return false;
	sock->told = 1;
	return true;
}

/*
 * What user space said of the tenants when the pass began may hold no longer: one that has been detached leaves its
 * slot to another, and a policy that was replaced is cleared away, hash first, while the pass goes on.
 */
static __always_inline bool in_force(const struct scope *scope)
{
	const volatile __u64 *hash = (const void *)scope->settings->hash;
	const struct sw_record *record = bpf_map_lookup_elem(&records, &scope->tenant->slot);

	return *hash && scope->settings->serial == scope->tenant->serial && record &&
	       record->cgroup == scope->tenant->cgroup;
}

/* False if the tenant is not of this pass, or there is none. */
static __always_inline bool scope_of(const struct sw_pass *p, const struct sw_tenant *tenant, struct scope *scope)
{
	scope->tenant = tenant;
	scope->settings = tenant ? bpf_map_lookup_elem(&settings, &tenant->image) : NULL;
	return scope->settings && (!p->slot || p->slot == tenant->slot) && in_force(scope);
}

static __always_inline struct sw_tenant *owner_of(const struct sw_pass *p, struct sock *sk, const struct sw_sock *sock)
{
	struct sw_tenant *owner = bpf_map_lookup_elem(&owners, &sock->owner);

	return owner ? owner : tenant_of(p, sk->sk_cgrp_data.cgroup);
}

/* Does to one socket what its tenant's policy says, once in a pass. */
static __always_inline void look(struct bpf_iter_meta *meta, struct sw_pass *p, struct sock *sk, struct sw_sock *sock)
{
	struct sw_found found;
	struct sw_flow peer;
	struct scope scope;
	enum sw_cause cause;
	__u64 idle;

	if (sock->looked == p->number || !scope_of(p, owner_of(p, sk, sock), &scope))
		return;
	if (sock->tenancy != scope.tenant->tenancy) { /* until now nothing saw whether it was used */
		sock->tenancy = scope.tenant->tenancy;
		sock_touch(sock);
	}
	idle = idle_of(sock, sk);
	peer = peer_of(sk);
	cause = sock->closed ? sock->closed : judge(p, &scope, sock, sk, &peer, idle);
	if (cause && in_force(&scope)) { /* else judged by what was being cleared away meanwhile */
		found = describe(sk, sock, scope.tenant->slot, cause, idle * 1000 / p->hz);
		if (!p->dry && !sock->closed && sock_close(sock, cause))
			log_closing(&scope, sock, &found);
		if (p->dry ? bpf_seq_write(meta->seq, &found, sizeof(found))
			   : sock->closed && !tell(meta, sock, &found))
			return;
	}
	sock->looked = p->number;
	p->seen++;
}

static __always_inline void note_holder(struct sw_sock *sock, struct task_struct *task)
{
	sock->pid = task->tgid;
	BPF_CORE_READ_STR_INTO(&sock->comm, task, comm);
}

/* A socket that we have had nothing on: from here on it is watched. NULL when there is no room for that. */
static __always_inline struct sw_sock *adopt(struct sock *sk, const struct sw_tenant *owner)
{
	struct sw_sock *sock = storage_make(&socks, sk);

	if (!sock || sock->owner)
		return sock;
	sock->owner = owner->cgroup;
	sock->tenancy = owner->tenancy;
	sock->judged = SW_AT_CONNECT; /* or something had been kept */
	sock_touch(sock);
	return sock;
}

#define PF_FORKNOEXEC 0x40       /* linux/sched.h */
#define TIME_TO_EXEC  2000000000 /* ns */

/*
 * Who starts a tenant's process forks into the tenant's cgroup, or moves there: until it calls exec() the child has all
 * that its parent has, which is the host's, and close-on-exec. What it keeps a later pass sees.
 */
static __always_inline bool is_starting(const struct task_struct *task)
{
	return task->flags & PF_FORKNOEXEC && bpf_ktime_get_boot_ns() - task->start_boottime < TIME_TO_EXEC;
}

/* Held outside the tenant it was made in, and the policy of either side forbids that. Says whose policy does. */
static __always_inline struct sw_tenant *stray(struct sw_tenant *owner, struct sw_tenant *holder,
					       const struct task_struct *task)
{
	struct scope scope;
	struct sw_pass all = { 0 };

	if (owner == holder || (!owner && is_starting(task)))
		return NULL;
	if (scope_of(&all, owner, &scope) && scope.settings->audit)
		return NULL;
	if (scope_of(&all, owner, &scope) && !scope.settings->transfer)
		return owner;
	if (scope_of(&all, holder, &scope) && !scope.settings->transfer && !scope.settings->audit)
		return holder;
	return NULL;
}

static __always_inline void end_stray(struct bpf_iter_meta *meta, struct sw_pass *p, struct task_struct *task,
				      struct sock *sk, struct sw_sock *sock, const struct sw_tenant *tenant)
{
	struct sw_found found;
	struct scope scope;

	if (!scope_of(p, tenant, &scope) || (sock && sock->closed))
		return;
	if (sock && !p->dry) /* whoever made it need not know of it */
		note_holder(sock, task);
	found = describe(sk, sock, tenant->slot, SW_CAUSE_TRANSFER, 0);
	if (p->dry || !sock) { /* what cannot be marked is taken by its cookie */
		found.unmarked = !sock;
		if (!bpf_seq_write(meta->seq, &found, sizeof(found)) && !p->dry)
			log_closing(&scope, sock, &found);
	} else if (sock && sock_close(sock, SW_CAUSE_TRANSFER)) {
		log_closing(&scope, sock, &found);
		sock->looked = 0; /* the tenant's own process may have had it looked at before */
	}
}

SEC("iter/task_file") int sw_strays(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sw_pass *p = pass_get();
	struct sw_tenant *owner, *holder, *whose;
	struct socket *socket;
	struct scope scope;
	struct sw_sock *sock;
	struct sock *sk;
	bool at_home;

	if (!task || !file || !p)
		return GO_ON;
	if (step_over(p))
		return YIELD;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : NULL;
	if (!sk || !is_internet(sk))
		return GO_ON;
	sock = bpf_sk_storage_get(&socks, sk, NULL, 0);
	at_home = task->cgroups->dfl_cgrp == sk->sk_cgrp_data.cgroup;
	if (at_home && sock) {
		if (!sock->pid)
			note_holder(sock, task);
		look(ctx->meta, p, sk, sock);
		return GO_ON;
	}
	owner = tenant_of(p, sk->sk_cgrp_data.cgroup);
	holder = at_home ? owner : tenant_of(p, task->cgroups->dfl_cgrp);
	whose = stray(owner, holder, task);
	if (!owner && !scope_of(p, whose, &scope)) /* the host's own, or none of this pass's concern */
		return GO_ON;
	if (!sock && !(whose && p->dry))
		sock = adopt(sk, whose ? whose : owner);
	if (sock && !sock->pid)
		note_holder(sock, task);
	if (whose)
		end_stray(ctx->meta, p, task, sk, sock, whose);
	if (sock && !(whose && p->dry))
		look(ctx->meta, p, sk, sock);
	return GO_ON;
}

/*
 * To go on after a pause, the kernel counts off all sockets it has been through in a list, of which there are no more
 * than processors. So pauses are the rarer the farther we are, or nearly all of the time would go into that; and so it
 * is the walk over the descriptors that looks at most sockets: there a pause costs nothing.
 */
static __always_inline bool survey_over(struct sw_pass *p)
{
	if (!step_over(p))
		return false;
	p->pause += p->pause / 2;
	return true;
}

/* Made by the kernel in a tenant's system call, for its own use (VXLAN, NFS): not the tenant's to leave idle. */
static __always_inline bool is_kernels(const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock);
}

SEC("iter/bpf_sk_storage_map") int sw_survey(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct sw_sock *known = ctx->value;
	struct sw_pass *p = pass_get();
	struct sock *sk = ctx->sk;
	struct sw_sock *sock;

	if (!p)
		return GO_ON;
	if (!sk || !known) { /* that was the last */
		p->pause = SW_PASS_STEP;
		return GO_ON;
	}
	if (survey_over(p))
		return YIELD;
	if (known->looked == p->number || is_kernels(sk) || !is_internet(sk))
		return GO_ON;
	sock = bpf_sk_storage_get(&socks, sk, NULL, 0);
	if (sock)
		look(ctx->meta, p, sk, sock);
	return GO_ON;
}

/*
 * A tenant may see to it that there is no room (net.core.optmem_max in a namespace of its own): then no mark can be put
 * on its socket, so it is taken out at once, and by the next pass again if it is used again.
 */
static __always_inline void end_unmarkable(struct bpf_iter_meta *meta, struct sw_pass *p, const struct scope *scope,
					   struct sock_common *skc, struct sock *sk)
{
	struct sw_found found;

	if (scope->settings->audit)
		return;
	found = describe(sk, NULL, scope->tenant->slot, SW_CAUSE_NO_ROOM, 0);
	if (bpf_seq_write(meta->seq, &found, sizeof(found)) || p->dry)
		return;
	log_closing(scope, NULL, &found);
	if (bpf_sock_destroy && !bpf_sock_destroy(skc))
		p->closed++;
}

static __always_inline int survey_table(struct bpf_iter_meta *meta, struct sock_common *skc, struct sock *sk)
{
	struct sw_pass *p = pass_get();
	struct sw_tenant *owner;
	struct scope scope;
	struct sw_sock *sock;

	if (!sk || !p)
		return GO_ON;
	if (step_over(p))
		return YIELD;
	if (is_kernels(sk) || !is_internet(sk))
		return GO_ON;
	sock = bpf_sk_storage_get(&socks, sk, NULL, 0);
	owner = sock ? NULL : tenant_of(p, sk->sk_cgrp_data.cgroup);
	if (owner && scope_of(p, owner, &scope)) {
		sock = adopt(sk, owner);
		if (!sock)
			end_unmarkable(meta, p, &scope, skc, sk);
	}
	if (sock)
		look(meta, p, sk, sock);
	return GO_ON;
}

SEC("iter/tcp") int sw_survey_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;

	return sk ? survey_table(ctx->meta, sk, (struct sock *)bpf_skc_to_tcp_sock(sk)) : GO_ON;
}

SEC("iter/udp") int sw_survey_udp(struct bpf_iter__udp *ctx)
{
	struct sock *sk = (struct sock *)ctx->udp_sk;

	return sk ? survey_table(ctx->meta, (struct sock_common *)sk, sk) : GO_ON;
}

#define TAKE_STEPS 16 /* what it takes to close a socket, beside a look at one */

static __always_inline int take(struct sock_common *sk)
{
	struct sw_pass *p = pass_get();
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
