// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pass over the sockets, in iterators that user space reads one after the other:
 *
 *   strays      every descriptor of a process, one process after the other: closes sockets that are held outside the tenant they were made in,
 *               and of all others of a tenant the idle, revoked and listening ones; user space is told of each
 *   survey      every socket we keep something on, in whichever network namespace, in the kernel's tables or not:
 *               does the same to those that no process holds any more. Some kernels refuse that iterator
 *   survey_tcp, the sockets in the tables of one network namespace: the same, to those that no process ever held while
 *   survey_udp  a pass went by, and that we have nothing on
 *
 * From when a pass first sees a socket there is something on it, by which it is watched. Closing is a mark on the socket, after which every hook refuses it. So the pass may be interrupted anywhere, and the
 * next one goes on; and what cannot be taken out of the tables is closed for its tenant nevertheless.
 */
#include "pass.bpf.h"
#include "flow.bpf.h"

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
				    struct sw_flow *peer)
{
	struct sw_verdict verdict;

	if (!scope->settings->revoke || sock->inbound || !peer->port || sock->judged == scope->tenant->serial)
		return false;
	if (sw_addr_equal(&peer->peer, &sock->flow.peer)) /* its packets have shown which way they go */
		peer->local = sock->flow.local;
	if (peer->proto == SW_UDP && !sock->judged && !known_peer(sk, sock, peer))
		return false;
	verdict = decide(scope->settings, peer, scope->tenant->image, scope->tenant->tenancy, held_by(sk, sock, peer));
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

#define CSS_ONLINE 2 /* linux/cgroup-defs.h: until it is removed */

/*
 * Its cgroup was removed long ago: a peer that acknowledges a byte a minute, or nothing, would keep an orphan, and with
 * it slot, links and cgroup, for as long as it likes. Who has the socket elsewhere, as the policy permits, keeps it.
 */
static __always_inline bool outstays(const struct scope *scope, struct sock *sk)
{
	struct sw_counts *c = bpf_map_lookup_elem(&counts, &scope->tenant->slot);
	struct cgroup *cgroup = ancestor_at(sk->sk_cgrp_data.cgroup, scope->tenant->level);
	__u64 now = bpf_ktime_get_boot_ns() / 1000000000;

	if (!c || BPF_CORE_READ(cgroup, kn, id) != scope->tenant->cgroup ||
	    BPF_CORE_READ(cgroup, self.flags) & CSS_ONLINE)
		return false;
	if (!c->removed)
		c->removed = now;
	return now - c->removed > SW_LINGER && !(scope->settings->transfer && sk->sk_socket);
}

/* Its policy may be out of force already, so that it makes no more of them; then only the pass says who it is. */
static __always_inline bool leaves(const struct sw_pass *p, const struct sw_tenant *tenant)
{
	return p->leaves && p->leaves == tenant->tenancy;
}

static __always_inline enum sw_cause judge(const struct sw_pass *p, const struct scope *scope, struct sw_sock *sock,
					   struct sock *sk, struct sw_flow *peer, __u64 idle)
{
	bool listens = sk->__sk_common.skc_state == BPF_TCP_LISTEN && sk->sk_protocol == IPPROTO_TCP;

	if (leaves(p, scope->tenant))
		return SW_CAUSE_DETACHED;
	if (outstays(scope, sk))
		return SW_CAUSE_LINGERING;
	if (scope->settings->audit)
		return SW_CAUSE_NONE;
	if (listens) /* one that is allowed waits for others: that is its use */
		return scope->settings->listen ? SW_CAUSE_NONE : SW_CAUSE_LISTEN;
	if (revoked(scope, sk, sock, peer))
		return SW_CAUSE_REVOKED;
	return is_idle(p, scope, idle) ? SW_CAUSE_IDLE : SW_CAUSE_NONE;
}

/* A function of its own, for the stack: it is not in use any more when a decision needs it. */
static __noinline int log_closing(const struct scope *scope, const struct sw_sock *sock, struct sw_found *found)
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
	return say_closed(scope->tenant, scope->settings, &denial, &found->closing);
}

/* False if the tenant is not of this pass, or there is none. */
static __always_inline bool scope_of(const struct sw_pass *p, const struct sw_tenant *tenant, struct scope *scope)
{
	if (!scope_in_force(tenant, scope) && !(scope->settings && leaves(p, tenant)))
		return false;
	return !p->slot || p->slot == tenant->slot;
}

static __always_inline struct sw_tenant *owner_of(const struct sw_pass *p, struct sock *sk, const struct sw_sock *sock)
{
	struct sw_tenant *owner = bpf_map_lookup_elem(&owners, &sock->owner);

	return owner ? owner : tenant_of(p->levels, sk->sk_cgrp_data.cgroup);
}

#define SW_HELD 180 /* seconds: some passes */

static __always_inline void hold_open(const struct sw_tenant *tenant, const struct sw_addr *addr, __u32 pattern)
{
	struct sw_grant_key key = { .tenancy = tenant->tenancy, .addr = *addr };
	__u64 until = (__u64)pattern << 32 | (__u32)(bpf_ktime_get_boot_ns() / 1000000000 + SW_HELD);
	struct sw_grant *grant = bpf_map_lookup_elem(&grants, &key);

	for (int i = 0; i < SW_GRANT_PATTERNS && grant; i++) {
		__u64 old = grant->open[i];

		if (old >> 32 == pattern && old < until)
			__sync_val_compare_and_swap(&grant->open[i], old, until);
	}
}

/* What a name has opened stays so while a socket to it is open: for programs that ask once, and connect again later. */
static __always_inline void hold_name(const struct sw_tenant *tenant, const struct sock *sk, struct sw_sock *sock)
{
	struct sw_addr v4;

	if (!sock->pattern || sock->closed ||
	    (sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state == BPF_TCP_CLOSE))
		return;
	hold_open(tenant, &sock->flow.peer, sock->pattern);
	if (sw_addr_embedded_v4(&sock->flow.peer, &v4))
		hold_open(tenant, &v4, sock->pattern);
}

/* Does to one socket what its tenant's policy says, once in a pass. */
static __always_inline void look(struct bpf_iter_meta *meta, struct sw_pass *p, struct sock *sk, struct sw_sock *sock)
{
	struct sw_found *found;
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
	/* else judged by what was being cleared away meanwhile */
	if (cause && (leaves(p, scope.tenant) || in_force(&scope))) {
		found = describe(sk, sock, scope.tenant->slot, cause, idle * 1000 / p->hz);
		if (!found)
			return;
		if (!p->dry && !sock->closed && sock_close(sock, cause))
			log_closing(&scope, sock, found);
		if (p->dry ? bpf_seq_write(meta->seq, found, sizeof(*found)) : sock->closed && !tell(meta, sock, found))
			return;
	}
	if (!p->dry)
		hold_name(scope.tenant, sk, sock);
	sock->looked = p->number;
	p->seen++;
}

static __always_inline void note_holder(struct sw_sock *sock, struct task_struct *task)
{
	sock->pid = task->tgid;
	BPF_CORE_READ_STR_INTO(&sock->comm, task, comm);
}

static __always_inline __u64 references(struct file *file)
{
	struct file___before_6_13 *before = (void *)file;
	struct file___since_6_13 *since = (void *)file;

	if (bpf_core_field_exists(since->f_ref)) /* one less than there are */
		return BPF_CORE_READ(since, f_ref.refcnt.counter) + 1;
	return BPF_CORE_READ(before, f_count.counter);
}

/* Descriptors of one of the host's sockets that this pass has found in tenants' hands. */
struct sw_hands {
	__u32 pass; /* number of the pass */
	__u32 n;
	__u32 all; /* of the last pass to which these were all there are; 0: none since one was outside */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* cookie of the socket */
	__type(value, struct sw_hands);
} hands SEC(".maps");

/*
 * The host's socket: closing it must hurt nobody outside. So all there are of its descriptors must have been found with
 * tenants: whoever starts a tenant's process has one as well, and so has a message on its way, or a call under way. By
 * two passes, for in the midst of one a tenant can be handed the socket, and move it so that it is counted twice; the
 * next one begins with the host's tables.
 */
static __always_inline bool all_with_tenants(const struct sw_pass *p, struct sock *sk, struct file *file)
{
	struct sw_hands one = { .pass = p->number }, *seen;
	__u64 key = bpf_get_socket_cookie(sk);

	seen = bpf_map_lookup_elem(&hands, &key);
	if (seen)
		one.all = seen->all;
	if (!seen || seen->pass != p->number) {
		bpf_map_update_elem(&hands, &key, &one, BPF_ANY);
		seen = bpf_map_lookup_elem(&hands, &key);
	}
	if (!seen || references(file) != ++seen->n + 1) /* the walk holds one itself */
		return false;
	seen->all = p->number;
	return one.all && one.all == p->whole;
}

/* Tenants have it, or had it. */
static __always_inline bool has_hands(struct sock *sk)
{
	__u64 key = bpf_get_socket_cookie(sk);

	return bpf_map_lookup_elem(&hands, &key);
}

#define HANDS_OUTSIDE (1U << 31) /* more than there can be */

/*
 * One who may has it, too: then it stays, whatever is counted. A tenant can have a descriptor found twice, at another
 * number or in another process, and so stand in for one outside; the host's tables are gone through before tenants'.
 * Who has it alone need not be noted, unless tenants had it before.
 */
static __always_inline void note_outside(const struct sw_pass *p, struct sock *sk, struct file *file)
{
	const struct sw_hands outside = { .pass = p->number, .n = HANDS_OUTSIDE };
	__u64 key = bpf_get_socket_cookie(sk);

	if (references(file) > 2 || has_hands(sk)) /* 2: one, and the walk's own */
		bpf_map_update_elem(&hands, &key, &outside, BPF_ANY);
}

static __always_inline void end_stray(struct bpf_iter_meta *meta, struct sw_pass *p, struct task_struct *task,
				      struct sock *sk, struct sw_sock *sock, const struct sw_tenant *tenant)
{
	struct sw_found *found;
	struct scope scope;

	if (!scope_of(p, tenant, &scope) || (sock && sock->closed))
		return;
	if (sock && !p->dry) /* whoever made it need not know of it */
		note_holder(sock, task);
	found = describe(sk, sock, tenant->slot, SW_CAUSE_TRANSFER, 0);
	if (!found)
		return;
	if (p->dry || !sock) { /* what cannot be marked is taken by its cookie */
		if (!bpf_seq_write(meta->seq, found, sizeof(*found)) && !p->dry)
			log_closing(&scope, sock, found);
	} else if (sock && sock_close(sock, SW_CAUSE_TRANSFER)) {
		log_closing(&scope, sock, found);
		sock->looked = 0; /* the tenant's own process may have had it looked at before */
	}
}

SEC("iter/task_file") int sw_strays(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sw_pass *p = pass_get(SW_PASS_WHOLE);
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
		if (has_hands(sk) && !tenant_of(p->levels, sk->sk_cgrp_data.cgroup))
			note_outside(p, sk, file);
		if (!sock->pid)
			note_holder(sock, task);
		look(ctx->meta, p, sk, sock);
		return GO_ON;
	}
	owner = tenant_of(p->levels, sk->sk_cgrp_data.cgroup);
	holder = at_home ? owner : tenant_of(p->levels, task->cgroups->dfl_cgrp);
	whose = forbids_transfer(owner, holder);
	if (!whose && !owner)
		note_outside(p, sk, file);
	if (whose && !owner && !all_with_tenants(p, sk, file))
		whose = NULL;
	if (!owner && !scope_of(p, whose, &scope)) /* the host's own, or none of this pass's concern */
		return GO_ON;
	if (!sock && !(whose && p->dry))
		sock = sock_get(whose ? whose : owner, sk);
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

SEC("iter/bpf_sk_storage_map") int sw_survey(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct sw_sock *known = ctx->value;
	struct sw_pass *p = pass_get(SW_PASS_WHOLE);
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
					   struct sock *sk)
{
	struct sw_found *found;

	if (scope->settings->audit)
		return;
	found = describe(sk, NULL, scope->tenant->slot, SW_CAUSE_NO_ROOM, 0);
	if (!found)
		return;
	if (bpf_seq_write(meta->seq, found, sizeof(*found)) || p->dry)
		return;
	log_closing(scope, NULL, found);
}

static __always_inline int survey_table(struct bpf_iter_meta *meta, struct sock *sk)
{
	struct sw_pass *p = pass_get(SW_PASS_WHOLE);
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
	owner = sock ? NULL : tenant_of(p->levels, sk->sk_cgrp_data.cgroup);
	if (owner && scope_of(p, owner, &scope)) {
		sock = sock_get(owner, sk);
		if (!sock)
			end_unmarkable(meta, p, &scope, sk);
	}
	if (sock)
		look(meta, p, sk, sock);
	return GO_ON;
}

SEC("iter/tcp") int sw_survey_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;

	return sk ? survey_table(ctx->meta, (struct sock *)bpf_skc_to_tcp_sock(sk)) : GO_ON;
}

SEC("iter/udp") int sw_survey_udp(struct bpf_iter__udp *ctx)
{
	return survey_table(ctx->meta, (struct sock *)ctx->udp_sk);
}

char LICENSE[] SEC("license") __weak = "GPL";
