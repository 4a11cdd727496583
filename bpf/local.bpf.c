// SPDX-License-Identifier: GPL-2.0-only
/* The local end: which sockets may exist, what they may be bound to, and that none listens. */
#include "bind.bpf.h"

SEC("cgroup/sock_create") int sw_sock_create(struct bpf_sock *ctx)
{
	struct sw_denial denial = {
		.hook = SW_HOOK_SOCK_CREATE,
		.reason = SW_REASON_PROTOCOL,
		.family = ctx->family,
		.type = ctx->type,
		.protocol = ctx->protocol,
	};
	struct scope scope;

	if (!scope_get(&scope))
		return REFUSE;
	return socket_allowed(scope.settings, ctx) ? PASS : refuse_call(&scope, &denial);
}

/* What post_bind is to let pass is kept until then. */
static __always_inline int let_bind(const struct scope *scope, struct bpf_sock *sk, enum sw_bind binding,
				    struct sw_denial *denial)
{
	struct sw_sock *sock = sock_get_of_caller(scope->tenant, sk);

	denial->reason = SW_REASON_NO_ROOM;
	if (!sock)
		return refuse_call(scope, denial);
	sock->binding = binding;
	sock_touch(sock);
	return PASS;
}

static __always_inline int binding(struct bpf_sock_addr *ctx, enum sw_hook hook, struct sw_addr addr)
{
	struct sw_denial denial = {
		.hook = hook,
		.reason = SW_REASON_BIND,
		.family = ctx->family,
		.protocol = ctx->protocol,
		.flow = { .peer = addr, .port = bpf_ntohs(ctx->user_port), .proto = proto_of(ctx->protocol) },
	};
	struct sw_sock *sock;
	struct scope scope;

	if (!scope_get(&scope))
		return REFUSE;
	if (used_by_stranger(&scope) && refuse_stranger(&scope, ctx->sk, &denial) == REFUSE)
		return REFUSE;
	sock = sock_find(ctx->sk);
	if (sock && sock->closed)
		denial.reason = SW_REASON_CLOSED;
	else if (denial.reason == SW_REASON_TRANSFER) /* which has been reported */
		return let_bind(&scope, ctx->sk, SW_BIND_ALLOW, &denial);
	else if (binding_allowed(scope.settings, &denial.flow))
		return let_bind(&scope, ctx->sk, SW_BIND_EPHEMERAL, &denial);
	if (refuse_call(&scope, &denial) == REFUSE)
		return REFUSE;
	return let_bind(&scope, ctx->sk, SW_BIND_ALLOW, &denial);
}

SEC("cgroup/bind4") int sw_bind4(struct bpf_sock_addr *ctx)
{
	return binding(ctx, SW_HOOK_BIND4, sw_addr_v4(ctx->user_ip4));
}

SEC("cgroup/bind6") int sw_bind6(struct bpf_sock_addr *ctx)
{
	struct sw_addr addr = { .w = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] } };

	return binding(ctx, SW_HOOK_BIND6, addr);
}

/*
 * After the kernel has chosen: a program of another cgroup that ran behind ours may have rewritten the
 * address. A port other than 0 is the kernel's choice by now, so the request must have passed bind. What bind has
 * reported and let pass, under audit, is not reported again.
 */
static __always_inline int bound(struct bpf_sock *ctx, enum sw_hook hook, struct sw_addr addr)
{
	struct sw_denial denial = {
		.hook = hook,
		.reason = SW_REASON_BIND,
		.family = ctx->family,
		.protocol = ctx->protocol,
		.flow = { .peer = addr, .port = ctx->src_port, .proto = proto_of(ctx->protocol) },
	};
	struct sw_sock *sock;
	struct scope scope;

	if (!scope_get(&scope))
		return REFUSE;
	sock = sock_find(ctx);
	if ((scope.settings->bind == SW_BIND_ALLOW && !answers_itself(scope.settings, &denial.flow)) ||
	    (sock && sock->binding == SW_BIND_ALLOW) ||
	    (scope.settings->bind == SW_BIND_EPHEMERAL && sock && sock->binding && chooses_nothing(&addr)))
		return PASS;
	return refuse_call(&scope, &denial);
}

SEC("cgroup/post_bind4") int sw_post_bind4(struct bpf_sock *ctx)
{
	return bound(ctx, SW_HOOK_POST_BIND4, sw_addr_v4(ctx->src_ip4));
}

SEC("cgroup/post_bind6") int sw_post_bind6(struct bpf_sock *ctx)
{
	struct sw_addr addr = { .w = { ctx->src_ip6[0], ctx->src_ip6[1], ctx->src_ip6[2], ctx->src_ip6[3] } };

	return bound(ctx, SW_HOOK_POST_BIND6, addr);
}

/*
 * listen() has no hook that could refuse it: an unbound socket that listens passes every bind hook. Here
 * it is seen after the fact, and closed; until a pass takes it away, the packet programs drop what arrives for it.
 */
static __always_inline void listening(struct bpf_sock_ops *ctx, const struct scope *scope)
{
	struct sw_denial denial = {
		.hook = SW_HOOK_SOCKOPS,
		.reason = SW_REASON_LISTEN,
		.family = ctx->family,
		.protocol = IPPROTO_TCP,
		.flow = { .port = ctx->local_port },
	};

	if (scope->settings->listen || !ctx->sk)
		return;
	denial.pid = caller(denial.comm); /* it is called in listen() */
	if (refuse(scope->tenant, scope->settings, &denial) == REFUSE)
		sock_end(scope, ctx->sk, SW_CAUSE_LISTEN, &denial);
}

/* Called for many events of each TCP connection: leave early. */
SEC("sockops") int sw_sockops(struct bpf_sock_ops *ctx)
{
	struct sw_sock *sock;
	struct scope scope;

	if (ctx->op != BPF_SOCK_OPS_TCP_LISTEN_CB && ctx->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return PASS;
	if (!scope_get(&scope))
		return PASS;
	if (ctx->op == BPF_SOCK_OPS_TCP_LISTEN_CB) {
		listening(ctx, &scope);
	} else if (scope.settings->listen) {
		sock = sock_get(scope.tenant, ctx->sk);
		if (sock)
			sock->inbound = 1;
	}
	return PASS;
}

char LICENSE[] SEC("license") __weak = "GPL";
