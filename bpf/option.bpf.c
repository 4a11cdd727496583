// SPDX-License-Identifier: GPL-2.0-only
/*
 * Socket options that pretend. setsockopt is seen before the kernel: a mock is dropped there and reported
 * as done. getsockopt is seen after it: the answer is overwritten.
 */
#include "sock.bpf.h"

/* This many halvings end every search of a policy's options. */
#define OPTION_STEPS 12

static __always_inline const struct sw_option *option_at(void *table, const struct sw_settings *settings, __u32 index)
{
	struct sw_row *row = table_row(table, settings->options_at + index / SW_ROW_OPTIONS);

	return row ? &row->options[index % SW_ROW_OPTIONS] : NULL;
}

/* By halving, as spans are found: the last that is not beyond the wanted one. */
static __always_inline const struct sw_option *option_search(void *table, const struct sw_settings *settings,
							     __u64 wanted)
{
	__u32 low = 0, count = settings->option_count;
	const struct sw_option *option;

	for (int i = 0; i < OPTION_STEPS && count > 1; i++) {
		__u32 half = count / 2;

		option = option_at(table, settings, low + half);
		if (!option)
			return NULL;
		if (SW_OPTION(option->level, option->name) <= wanted) {
			low += half;
			count -= half;
		} else {
			count = half;
		}
	}
	option = count ? option_at(table, settings, low) : NULL;
	return option && SW_OPTION(option->level, option->name) == wanted ? option : NULL;
}

static __always_inline const struct sw_option *option_find(const struct scope *scope, struct bpf_sockopt *ctx)
{
	void *table = bpf_map_lookup_elem(&tables, &scope->tenant->image);

	return table ? option_search(table, scope->settings, SW_OPTION(ctx->level, ctx->optname)) : NULL;
}

/* A value beyond the page that the hook was given goes to the kernel from the program's own buffer. */
static __always_inline int option_pass(struct bpf_sockopt *ctx)
{
	if (ctx->optlen > ctx->optval_end - ctx->optval)
		ctx->optlen = 0;
	return PASS;
}

/* Copies as much of the mock as the program's buffer holds, as the kernel does with a real value. */
static __always_inline int option_answer(struct bpf_sockopt *ctx, const struct sw_option *option)
{
	__u8 *to = ctx->optval, *end = ctx->optval_end;
	int len = 0;

	for (int i = 0; i < SW_OPTVAL_MAX; i++) {
		if (i >= option->len || to + i + 1 > end)
			break;
		to[i] = option->val[i];
		len = i + 1;
	}
	ctx->optlen = len;
	barrier(); /* clang 14 would join the two stores into one that the verifier rejects */
	ctx->retval = 0;
	return PASS;
}

/*
 * Only the Internet's sockets are the policy's. Of a connection to a unix socket the server's end, too, belongs to who
 * connected: journald and D-Bus would be refused the options of their own sockets.
 */
static __always_inline bool option_ours(const struct bpf_sockopt *ctx)
{
	return ctx->sk && (ctx->sk->family == AF_INET || ctx->sk->family == AF_INET6);
}

/* What the policy makes of the option: REFUSE; or PASS, with the mock in `mock` if there is one. */
static __always_inline int option_decide(struct bpf_sockopt *ctx, enum sw_hook hook, const struct sw_option **mock)
{
	struct sw_denial denial = {
		.hook = hook,
		.reason = SW_REASON_OPTION,
		.family = ctx->sk ? ctx->sk->family : 0,
		.type = ctx->level,
		.protocol = ctx->optname,
	};
	const struct sw_option *option;
	struct sw_sock *sock;
	struct scope scope;

	*mock = NULL;
	if (!option_ours(ctx))
		return PASS;
	if (!scope_get(&scope))
		return REFUSE;
	if (used_by_stranger(&scope))
		return refuse_stranger(&scope, ctx->sk, &denial);
	sock = sock_find(ctx->sk);
	if (sock)
		sock_touch(sock);
	option = option_find(&scope, ctx);
	if (!option)
		return scope.settings->options ? PASS : refuse_call(&scope, &denial);
	if (!option->pass && !scope.settings->audit)
		*mock = option;
	return PASS;
}

SEC("cgroup/setsockopt") int sw_setsockopt(struct bpf_sockopt *ctx)
{
	const struct sw_option *mock;

	if (option_decide(ctx, SW_HOOK_SETSOCKOPT, &mock) == REFUSE)
		return REFUSE;
	if (!mock)
		return option_pass(ctx);
	ctx->optlen = -1; /* done, and the kernel never hears of it */
	return PASS;
}

SEC("cgroup/getsockopt") int sw_getsockopt(struct bpf_sockopt *ctx)
{
	const struct sw_option *mock;

	if (option_decide(ctx, SW_HOOK_GETSOCKOPT, &mock) == REFUSE)
		return REFUSE;
	return mock ? option_answer(ctx, mock) : option_pass(ctx);
}

char LICENSE[] SEC("license") __weak = "GPL";
