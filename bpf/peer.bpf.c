// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() and sendmsg() name a peer: decide before the kernel does anything about it.
 *
 * Which hook runs says how to read the address, never `user_family`: AF_UNSPEC reaches bind4 and sendmsg4
 * and is served as AF_INET, and a v4-mapped address reaches sendmsg4 from an AF_INET6 socket.
 */
#include "bind.bpf.h"
#include "flow.bpf.h"

#define SENDS(hook) ((hook) == SW_HOOK_SENDMSG4 || (hook) == SW_HOOK_SENDMSG6)

/*
 * The namespace that the socket is in is the host's own making, and its user is in it. In one that a tenant has made it
 * may be every name server itself.
 */
static __always_inline bool is_home(struct bpf_sock_addr *ctx)
{
	struct net *net = bpf_get_current_task_btf()->nsproxy->net_ns;

	return net->net_cookie == bpf_get_netns_cookie(ctx) && !net->user_ns->level;
}

/* These terms are kept on the socket, or what they say is lost. */
static __always_inline bool matters(const struct terms *terms)
{
	return terms->pattern || terms->resolver;
}

/* The slot may have been another's. */
static __always_inline void naming_begin(const struct sw_tenant *tenant)
{
	struct sw_naming_counts *c = bpf_map_lookup_elem(&namings, &tenant->slot);

	if (!c || c->tenancy == tenant->tenancy)
		return;
	c->tenancy = tenant->tenancy;
	c->turn = 0;
	c->places = 0;
}

/* From here on what is asked over the socket is remembered, and what is answered is read. */
static __always_inline void note_resolver(const struct scope *scope, struct bpf_sock_addr *ctx, struct sw_sock *sock,
					  const struct terms *terms)
{
	if (!terms->resolver || sock->asks >= SW_LEARN)
		return;
	sock->asks = SW_READ;
	if (!(terms->resolver & SW_ANSWER_RESOLVER))
		return;
	naming_begin(scope->tenant);
	if (!is_home(ctx))
		naming_count(scope->tenant->slot, SW_NAMING_FOREIGN);
	else if (storage_make(&questions, ctx->sk))
		sock->asks = SW_LEARN;
	else
		naming_count(scope->tenant->slot, SW_NAMING_NO_ROOM);
}

/* What was kept of an earlier connection of the socket is not this one's. */
static __always_inline void connection_new(struct sw_sock *sock)
{
	sock->asks = 0;
	if ((sock->pattern || sock->resolver) && version_take(&sock->version)) {
		sock->pattern = 0;
		sock->resolver = 0;
		sock->approved = 0;
		version_give(&sock->version);
	}
}

/* Reported, and let pass: once is enough. It is billed as if it had been asked for. */
static __always_inline int let_pass(const struct scope *scope, struct bpf_sock *sk, const struct sw_flow *flow)
{
	struct sw_denial unused = { 0 };
	struct terms terms;

	if (!allowed(scope, flow, 0, &unused, &terms))
		terms = (struct terms){ .billing = sw_billing_unasked(flow) };
	keep(scope, sk, sock_get_of_caller(scope->tenant, sk), flow, &terms);
	return PASS;
}

/*
 * connect() on a datagram socket sends nothing, and programs use it to learn which source address they would have. So
 * it is not refused; the first packet is. Then nobody may be there to be asked who it was: so that is kept now.
 *
 * Not so to many at once: the kernel hands the packet to their members on this host before egress sees it.
 */
static __always_inline int connect_datagram(const struct scope *scope, struct bpf_sock_addr *ctx, struct sw_sock *sock,
					    const struct sw_flow *flow, struct sw_denial *unused)
{
	__u32 held = held_by(ctx->sk, sock, flow);
	struct terms terms = { 0 };
	bool may = vet(scope, flow, held, unused, &terms);

	if (!sock && (!may || matters(&terms)))
		sock = sock_get_of_caller(scope->tenant, ctx->sk);
	if (sock)
		sock->judged = may ? SW_AT_CONNECT : 0;
	if (may && terms.pattern)
		keep(scope, ctx->sk, sock, flow, &terms);
	if (may && sock)
		note_resolver(scope, ctx, sock, &terms);
	return PASS;
}

/* The peer of a datagram is kept, for its answer is to come in. */
static __always_inline int turn_to(const struct scope *scope, struct bpf_sock_addr *ctx, struct sw_denial *denial,
				   const struct terms *terms)
{
	struct sw_sock *sock = sock_get_of_caller(scope->tenant, ctx->sk);

	denial->reason = SW_REASON_NO_ROOM;
	if (!sock)
		return refuse_call(scope, denial);
	keep(scope, ctx->sk, sock, &denial->flow, terms);
	note_resolver(scope, ctx, sock, terms);
	return PASS;
}

static __always_inline int peer_named(struct bpf_sock_addr *ctx, enum sw_hook hook, struct sw_addr peer)
{
	struct sw_flow flow = {
		.peer = peer,
		.port = bpf_ntohs(ctx->user_port),
		.proto = proto_of(ctx->protocol),
		.local = sw_addr_is_loopback(&peer), /* of other addresses it is not known before there is a packet */
	};
	struct sw_denial denial = { .hook = hook, .family = ctx->family, .protocol = ctx->protocol, .flow = flow };
	struct terms terms = { .billing = sw_billing_unasked(&flow) };
	struct bpf_sock *sk = ctx->sk;
	struct sw_sock *sock;
	struct scope scope;
	__u32 held;

	if (!sk || !scope_get(&scope))
		return REFUSE;
	if (used_by_stranger(&scope) && refuse_stranger(&scope, sk, &denial) == REFUSE)
		return REFUSE;
	sock = sock_find(sk);
	if (sock) {
		sock->inbound = 0; /* an accepted socket that was disconnected chooses its peer now */
		sock_touch(sock);
		if (flow.proto == SW_TCP) /* a new connection: what a name has opened is asked again */
			connection_new(sock);
		if (approved_on(sk, sock, &flow, scope.tenant->serial, &terms))
			return PASS;
		if (sock->closed) {
			denial.reason = SW_REASON_CLOSED;
			return refuse_call(&scope, &denial);
		}
	}
	if (denial.reason == SW_REASON_TRANSFER) /* a stranger's, which has been reported */
		return let_pass(&scope, sk, &flow);
	if (flow.proto == SW_UDP && !SENDS(hook) && !sw_addr_is_many_v4(&flow.peer))
		return connect_datagram(&scope, ctx, sock, &flow, &denial);
	held = held_by(sk, sock, &flow);
	if (!vet(&scope, &flow, held, &denial, &terms))
		return refuse_call(&scope, &denial) == REFUSE ? REFUSE : let_pass(&scope, sk, &flow);
	if (SENDS(hook) || matters(&terms))
		return turn_to(&scope, ctx, &denial, &terms);
	keep(&scope, sk, sock, &flow, &terms);
	return PASS;
}

/*
 * A datagram may bring along the address it is to come from (IP_PKTINFO). Who may not bind it may not send from it. Where
 * nothing was said it is the socket's own.
 */
static __always_inline int source_named(struct bpf_sock_addr *ctx, enum sw_hook hook, struct sw_addr source,
					struct sw_addr own)
{
	struct sw_denial denial = {
		.hook = hook,
		.reason = SW_REASON_BIND,
		.rule = SW_RULE_NONE,
		.family = ctx->family,
		.protocol = ctx->protocol,
		.flow = { .peer = source, .proto = proto_of(ctx->protocol) },
	};
	struct scope scope;

	if (unspecified(&source) || sw_addr_equal(&source, &own))
		return PASS;
	if (!scope_get(&scope))
		return REFUSE;
	return binding_allowed(scope.settings, &denial.flow) ? PASS : refuse_call(&scope, &denial);
}

static __always_inline int source4_named(struct bpf_sock_addr *ctx, enum sw_hook hook)
{
	struct bpf_sock *sk = ctx->sk;

	return sk ? source_named(ctx, hook, sw_addr_v4(ctx->msg_src_ip4), sw_addr_v4(sk->src_ip4)) : REFUSE;
}

static __always_inline int source6_named(struct bpf_sock_addr *ctx, enum sw_hook hook)
{
	struct sw_addr source = { .w = { ctx->msg_src_ip6[0], ctx->msg_src_ip6[1], ctx->msg_src_ip6[2],
					 ctx->msg_src_ip6[3] } };
	struct bpf_sock *sk = ctx->sk;
	struct sw_addr own;

	if (!sk)
		return REFUSE;
	own = (struct sw_addr){ .w = { sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3] } };
	return source_named(ctx, hook, source, own);
}

static __always_inline int peer4_named(struct bpf_sock_addr *ctx, enum sw_hook hook)
{
	return peer_named(ctx, hook, sw_addr_v4(ctx->user_ip4));
}

static __always_inline int peer6_named(struct bpf_sock_addr *ctx, enum sw_hook hook)
{
	struct sw_addr peer = { .w = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] } };

	return peer_named(ctx, hook, peer);
}

SEC("cgroup/connect4") int sw_connect4(struct bpf_sock_addr *ctx)
{
	return peer4_named(ctx, SW_HOOK_CONNECT4);
}

SEC("cgroup/connect6") int sw_connect6(struct bpf_sock_addr *ctx)
{
	return peer6_named(ctx, SW_HOOK_CONNECT6);
}

/* A datagram without a name goes where the socket is connected to. With a control message it comes here all the same. */
static __always_inline bool names_peer(struct bpf_sock_addr *ctx)
{
	return ctx->user_port;
}

SEC("cgroup/sendmsg4") int sw_sendmsg4(struct bpf_sock_addr *ctx)
{
	if (source4_named(ctx, SW_HOOK_SENDMSG4) == REFUSE)
		return REFUSE;
	return names_peer(ctx) ? peer4_named(ctx, SW_HOOK_SENDMSG4) : PASS;
}

SEC("cgroup/sendmsg6") int sw_sendmsg6(struct bpf_sock_addr *ctx)
{
	if (source6_named(ctx, SW_HOOK_SENDMSG6) == REFUSE)
		return REFUSE;
	return names_peer(ctx) ? peer6_named(ctx, SW_HOOK_SENDMSG6) : PASS;
}

char LICENSE[] SEC("license") __weak = "GPL";
