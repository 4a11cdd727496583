// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() and sendmsg() name a peer: decide before the kernel does anything about it.
 *
 * Which hook runs says how to read the address, never `user_family`: AF_UNSPEC reaches bind4 and sendmsg4
 * and is served as AF_INET, and a v4-mapped address reaches sendmsg4 from an AF_INET6 socket.
 */
#include "flow.bpf.h"

#define SENDS(hook) ((hook) == SW_HOOK_SENDMSG4 || (hook) == SW_HOOK_SENDMSG6)

/* Reported, and let pass: once is enough. It is billed as if it had been asked for. */
static __always_inline int let_pass(const struct scope *scope, struct bpf_sock *sk, const struct sw_flow *flow)
{
	struct sw_denial unused = { 0 };
	__u8 billing;

	if (!allowed(scope, flow, &unused, &billing))
		billing = SW_BILLABLE;
	keep(scope, sk, sock_get_of_caller(scope->tenant, sk), flow, billing);
	return PASS;
}

/*
 * connect() on a datagram socket sends nothing, and programs use it to learn which source address they would have. So
 * it is never refused; the first packet is. Then nobody may be there to be asked who it was: so that is kept now.
 */
static __always_inline int connect_datagram(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					    const struct sw_flow *flow, struct sw_denial *unused)
{
	__u8 billing;
	bool may = vet(scope, flow, unused, &billing);

	if (!may && !sock)
		sock = sock_get_of_caller(scope->tenant, sk);
	if (sock)
		sock->judged = may ? SW_AT_CONNECT : 0;
	return PASS;
}

/* The peer of a datagram is kept, for its answer is to come in. */
static __always_inline int turn_to(const struct scope *scope, struct bpf_sock *sk, struct sw_denial *denial,
				   __u8 billing)
{
	struct sw_sock *sock = sock_get_of_caller(scope->tenant, sk);

	denial->reason = SW_REASON_NO_ROOM;
	if (!sock)
		return refuse_call(scope, denial);
	keep(scope, sk, sock, &denial->flow, billing);
	return PASS;
}

static __always_inline int peer_named(struct bpf_sock_addr *ctx, enum sw_hook hook, struct sw_addr peer)
{
	struct sw_flow flow = {
		.peer = peer,
		.port = bpf_ntohs(ctx->user_port),
		.proto = proto_of(ctx->protocol),
	};
	struct sw_denial denial = { .hook = hook, .family = ctx->family, .protocol = ctx->protocol, .flow = flow };
	__u8 billing = SW_BILLABLE;
	struct bpf_sock *sk = ctx->sk;
	struct sw_sock *sock;
	struct scope scope;

	if (!sk || !scope_get(&scope))
		return REFUSE;
	if (used_by_stranger(&scope) && refuse_stranger(&scope, sk, &denial) == REFUSE)
		return REFUSE;
	sock = sock_find(sk);
	if (sock) {
		sock->inbound = 0; /* an accepted socket that was disconnected chooses its peer now */
		sock_touch(sock);
		if (approved_on(sk, sock, &flow, scope.tenant->serial, &billing))
			return PASS;
		if (sock->closed) {
			denial.reason = SW_REASON_CLOSED;
			return refuse_call(&scope, &denial);
		}
	}
	if (denial.reason == SW_REASON_TRANSFER) /* a stranger's, which has been reported */
		return let_pass(&scope, sk, &flow);
	if (flow.proto == SW_UDP && !SENDS(hook))
		return connect_datagram(&scope, sk, sock, &flow, &denial);
	if (!vet(&scope, &flow, &denial, &billing))
		return refuse_call(&scope, &denial) == REFUSE ? REFUSE : let_pass(&scope, sk, &flow);
	if (SENDS(hook))
		return turn_to(&scope, sk, &denial, billing);
	keep(&scope, sk, sock, &flow, billing);
	return PASS;
}

#define PEER4(name, section, hook)                                                                                     \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                                               \
	{                                                                                                              \
		return peer_named(ctx, hook, sw_addr_v4(ctx->user_ip4));                                               \
	}

#define PEER6(name, section, hook)                                                                                     \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                                               \
	{                                                                                                              \
		struct sw_addr peer = { .w = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],                   \
					       ctx->user_ip6[3] } };                                                   \
                                                                                                                       \
		return peer_named(ctx, hook, peer);                                                                    \
	}

PEER4(sw_connect4, "cgroup/connect4", SW_HOOK_CONNECT4)
PEER6(sw_connect6, "cgroup/connect6", SW_HOOK_CONNECT6)
PEER4(sw_sendmsg4, "cgroup/sendmsg4", SW_HOOK_SENDMSG4)
PEER6(sw_sendmsg6, "cgroup/sendmsg6", SW_HOOK_SENDMSG6)

char LICENSE[] SEC("license") __weak = "GPL";
