/* SPDX-License-Identifier: GPL-2.0-only */
/* What we keep on a socket: whose it is, that it is used, and that it is closed for good. */
#ifndef SW_SOCK_BPF_H
#define SW_SOCK_BPF_H

#include "tenant.bpf.h"

static __always_inline void sock_touch(struct sw_sock *sock)
{
	sock->active = bpf_jiffies64(); /* a clock would be a tenth of a packet's cost */
}

/* What is kept on the socket already, if anything is. */
static __always_inline struct sw_sock *sock_find(struct bpf_sock *sk)
{
	return sk ? bpf_sk_storage_get(&socks, sk, NULL, 0) : NULL;
}

/* Of two CPUs that make the same storage at once the kernel gives it to one: the other has to ask again. */
static __always_inline void *storage_make(void *map, void *sk)
{
	void *made = bpf_sk_storage_get(map, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	return made ? made : bpf_sk_storage_get(map, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

/*
 * From here on something is kept. NULL when there is no socket, or no room: memory, or net.core.optmem_max. A peer that
 * it has by now was allowed when it was named, or something had been kept.
 */
static __always_inline struct sw_sock *sock_get(const struct sw_tenant *tenant, void *sk)
{
	struct sw_sock *sock = sk ? storage_make(&socks, sk) : NULL;

	if (sock && !sock->owner) {
		sock->owner = tenant->cgroup;
		sock->tenancy = tenant->tenancy;
		sock->judged = SW_AT_CONNECT;
		sock_touch(sock);
	}
	return sock;
}

/* The same in a system call of the socket's user: notes who that is. */
static __always_inline struct sw_sock *sock_get_of_caller(const struct sw_tenant *tenant, struct bpf_sock *sk)
{
	struct sw_sock *sock = sock_get(tenant, sk);

	if (sock && !sock->pid)
		sock->pid = caller(sock->comm);
	return sock;
}

/*
 * The version of a socket's approval, in order with the reads and writes around it. x86 keeps reads in order by
 * itself; elsewhere the one barrier a BPF program has is an atomic operation that returns a value.
 */
static __always_inline __u32 version_of(__u32 *at)
{
	__u32 version;

	barrier();
#ifdef __TARGET_ARCH_x86
	version = *(volatile __u32 *)at;
#else
	version = __sync_fetch_and_add(at, 0);
#endif
	barrier();
	return version;
}

/* Takes what the version is of for oneself: false when someone else is at it. */
static __always_inline bool version_take(__u32 *at)
{
	__u32 version = version_of(at);

	return !(version & 1) && __sync_val_compare_and_swap(at, version, version + 1) == version;
}

/* Not fetch_and_add: where its value is not used it becomes an add that orders nothing. */
static __always_inline void version_give(__u32 *at)
{
	__u32 version = version_of(at);

	__sync_val_compare_and_swap(at, version, version + 1);
}

/*
 * From here on every operation that a hook sees is refused; what is left to do is taking the socket out of the kernel's
 * tables, which only a pass can. True for the one who closed it.
 */
static __always_inline bool sock_close(struct sw_sock *sock, enum sw_cause cause)
{
	/* an approval that is being changed this very moment leaves it to the next pass */
	if (!version_take(&sock->version))
		return false;
	sock->closed = cause;
	return true;
}

/* Counts and logs that a socket was closed; `denial` says whose it was and which peer it had. */
static __noinline int say_closed(const struct sw_tenant *tenant, const struct sw_settings *settings,
				 struct sw_denial *denial, struct sw_closing *closing)
{
	struct sw_counts *c = bpf_map_lookup_elem(&counts, &tenant->slot);

	if (!c || closing->cause >= SW_CAUSE_COUNT)
		return 0;
	__sync_fetch_and_add(&c->closed[closing->cause], 1);
	log_event(tenant, settings, c, denial, closing, NULL);
	return 0;
}

/*
 * Has what the process has and is closed taken out of the kernel's tables, at once. `slot`: the tenant it is closed for.
 * What a packet program closes has no caller, and waits for a pass.
 */
static __always_inline void call_daemon(__u32 slot, __u32 process)
{
	struct sw_call call = { .slot = slot, .process = process };
	struct sw_counts *c = bpf_map_lookup_elem(&counts, &slot);
	__u64 now = bpf_jiffies64();

	if (!c)
		return;
	if (c->called != now) {
		c->called = now;
		c->calls = 0;
	}
	if (c->calls++ >= SW_CALLS_MAX)
		return;
	bpf_ringbuf_output(&calls, &call, sizeof(call), BPF_RB_FORCE_WAKEUP);
}

/* Closes the socket in the middle of what `denial` refuses, and calls the daemon. */
static __always_inline void sock_end(const struct scope *scope, struct bpf_sock *sk, enum sw_cause cause,
				     struct sw_denial *denial)
{
	struct sw_closing closing = { .cause = cause, .bytes = { SW_NOT_KNOWN, SW_NOT_KNOWN } };
	struct sw_sock *sock = scope->settings->audit ? NULL : sock_get(scope->tenant, sk);

	if (!sock || !sock_close(sock, cause))
		return;
	if (sk->protocol == IPPROTO_UDP)
		__builtin_memcpy(closing.bytes, sock->payload, sizeof(closing.bytes));
	say_closed(scope->tenant, scope->settings, denial, &closing);
	call_daemon(scope->tenant->slot, denial->pid);
}

/* For used_by_stranger(): the socket is no good any more to anyone. */
static __always_inline int refuse_stranger(const struct scope *scope, struct bpf_sock *sk, struct sw_denial *denial)
{
	denial->reason = SW_REASON_TRANSFER;
	if (refuse_call(scope, denial) == PASS)
		return PASS;
	sock_end(scope, sk, SW_CAUSE_TRANSFER, denial);
	return REFUSE;
}

#endif
