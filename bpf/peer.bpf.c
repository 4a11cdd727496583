// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() and sendmsg() name a peer: decide before the kernel does anything about it.
 *
 * Which hook runs says how to read the address, never `user_family`: AF_UNSPEC reaches bind4 and sendmsg4
 * and is served as AF_INET, and a v4-mapped address reaches sendmsg4 from an AF_INET6 socket.
 */
#include "flow.bpf.h"

/*
 * connect() on a datagram socket sends nothing, and programs use it to learn which source address they would have. So
 * it is not decided, counted or remembered; the first packet is.
 */
static __always_inline bool sends_nothing(enum sw_hook hook, const struct sw_flow *flow)
{
	return flow->proto == SW_UDP && (hook == SW_HOOK_CONNECT4 || hook == SW_HOOK_CONNECT6);
}

/* Reported, and let pass: once is enough. It is billed as if it had been asked for. */
static __always_inline int let_pass(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
				    const struct sw_flow *flow)
{
	struct sw_denial unused = { 0 };
	__u8 billing;

	if (!allowed(scope, flow, &unused, &billing))
		billing = SW_BILLABLE;
	keep(scope, sk, sock, flow, billing);
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
	sock = sock_get(scope.tenant, sk);
	if (used_by_stranger(&scope) && refuse_stranger(&scope, sock, &denial) == REFUSE)
		return REFUSE;
	if (sock) {
		sock->inbound = 0; /* an accepted socket that was disconnected chooses its peer now */
		sock_touch(sock);
		if (approved(sock, &flow, scope.tenant->serial, &billing))
			return PASS;
		if (sock->closed) {
			denial.reason = SW_REASON_CLOSED;
			return refuse_call(&scope, &denial);
		}
	}
	if (denial.reason == SW_REASON_TRANSFER) /* a stranger's, which has been reported */
		return let_pass(&scope, sk, sock, &flow);
	if (sends_nothing(hook, &flow) || vet(&scope, sk, sock, &flow, &denial, &billing))
		return PASS;
	return refuse_call(&scope, &denial) == REFUSE ? REFUSE : let_pass(&scope, sk, sock, &flow);
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
