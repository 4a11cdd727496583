/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose a socket and a task are, for programs that run in no cgroup; and whether one may have the other. */
#ifndef SW_WHOSE_BPF_H
#define SW_WHOSE_BPF_H

#include "kernel.bpf.h"
#include "tenant.bpf.h"

#define ALL_LEVELS (~0U)

static __always_inline struct cgroup *ancestor_at(struct cgroup *cgroup, __u32 level)
{
	struct cgroup *above = NULL;

	bpf_probe_read_kernel(&above, sizeof(above),
			      (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestors) + level * sizeof(above));
	return above;
}

/* The tenant that a cgroup is, or is below. `levels`: bits of the depths that tenants may be at. */
static __always_inline struct sw_tenant *tenant_of(__u32 levels, struct cgroup *cgroup)
{
	__u32 level = cgroup->level;

	for (__u32 i = 1; i < SW_LEVELS; i++) {
		struct sw_tenant *tenant;
		__u64 id;

		if (i > level)
			break;
		if (!(levels & 1U << i))
			continue;
		id = BPF_CORE_READ(ancestor_at(cgroup, i), kn, id);
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

/* Made by the kernel in a tenant's system call, for its own use (VXLAN, NFS): not the tenant's to leave idle. */
static __always_inline bool is_kernels(const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock);
}

static __always_inline struct sw_flow end_of(const struct sock *sk, __be32 v4, const struct in6_addr *v6, __u16 port)
{
	struct sw_flow flow = { .port = port, .proto = proto_of(sk->sk_protocol) };

	if (sk->__sk_common.skc_family == AF_INET)
		flow.peer = sw_addr_v4(v4);
	else
		__builtin_memcpy(&flow.peer, v6, sizeof(flow.peer));
	flow.local = sw_addr_is_loopback(&flow.peer);
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

/*
 * What user space said of the tenants may hold no longer: one that has been detached leaves its slot to another, and a
 * policy that was replaced is cleared away, hash first, while we go on.
 */
static __always_inline bool in_force(const struct scope *scope)
{
	const volatile __u64 *hash = (const void *)scope->settings->hash;
	const struct sw_record *record = bpf_map_lookup_elem(&records, &scope->tenant->slot);

	return *hash && scope->settings->serial == scope->tenant->serial && record &&
	       record->cgroup == scope->tenant->cgroup;
}

/* False if there is no tenant, or it has no policy in force. */
static __always_inline bool scope_in_force(const struct sw_tenant *tenant, struct scope *scope)
{
	scope->tenant = tenant;
	scope->settings = tenant ? bpf_map_lookup_elem(&settings, &tenant->image) : NULL;
	return scope->settings && in_force(scope);
}

/*
 * A socket that was made in `owner`, in the hands of `holder`; NULL is the host. The tenant whose policy forbids that:
 * its owner's comes first. NULL: none does.
 */
static __always_inline struct sw_tenant *forbids_transfer(struct sw_tenant *owner, struct sw_tenant *holder)
{
	struct scope scope;

	if (owner == holder || (owner && holder && owner->cgroup == holder->cgroup)) /* it may be replaced in between */
		return NULL;
	if (scope_in_force(owner, &scope) && scope.settings->audit)
		return NULL;
	if (scope_in_force(owner, &scope) && !scope.settings->transfer)
		return owner;
	if (scope_in_force(holder, &scope) && !scope.settings->transfer && !scope.settings->audit)
		return holder;
	return NULL;
}

#endif
