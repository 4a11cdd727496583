// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every packet of a tenant, both ways: the backstop and the meter.
 *
 * Nearly every packet is told from a verdict that is kept: packet_pass() is that page. Any other is decided here on
 * what the wire says: sockets that ran no connect or sendmsg hook (UDP-Lite, raw, sockets older than the policy),
 * addresses the kernel changed after the hook, and open connections after a change of policy.
 *
 * Incoming packets answer to the same verdicts. Two kinds were asked for by no outbound socket and are
 * dropped before it: what arrives for a listener, and datagrams from a peer never contacted.
 */
#include "names.bpf.h"

#define TCP_DATA_OFFSET 12 /* the byte with the header's length, in words, in its upper half */

static __always_inline bool read_tcp_length(struct __sk_buff *skb, struct packet *packet)
{
	__u8 offset;

	if (bpf_skb_load_bytes(skb, packet->transport + TCP_DATA_OFFSET, &offset, sizeof(offset)))
		return false;
	packet->payload = packet->transport + (offset >> 4) * 4;
	return true;
}

static __always_inline bool read_udp_length(struct packet *packet)
{
	packet->payload = packet->transport + sizeof(struct udphdr);
	return true;
}

static __always_inline bool read_ports(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	__be16 ports[2];

	packet->payload = packet->transport;
	packet->flow.proto = proto_of(packet->ipproto);
	if (packet->flow.proto == SW_PROTOS)
		return true;
	if (bpf_skb_load_bytes(skb, packet->transport, ports, sizeof(ports)))
		return false;
	packet->flow.port = bpf_ntohs(ports[dir == OUT]);
	return packet->flow.proto == SW_TCP ? read_tcp_length(skb, packet) : read_udp_length(packet);
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return false;
	packet->flow.peer = sw_addr_v4(dir == OUT ? ip.daddr : ip.saddr);
	packet->ipproto = ip.protocol;
	packet->transport = ip.ihl * 4;
	packet->source_route = ip.ihl > 5;
	return read_ports(skb, dir, packet);
}

#define IPV6_EXTENSIONS_MAX 8

static __always_inline bool is_extension(__u32 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS;
}

static __always_inline bool skip_extensions(struct __sk_buff *skb, struct packet *packet)
{
	struct ipv6_opt_hdr opt;

	for (int i = 0; i < IPV6_EXTENSIONS_MAX && is_extension(packet->ipproto); i++) {
		if (bpf_skb_load_bytes(skb, packet->transport, &opt, sizeof(opt)))
			return false;
		if (packet->ipproto == IPPROTO_ROUTING)
			packet->source_route = true;
		packet->transport += packet->ipproto == IPPROTO_FRAGMENT ? 8 : (opt.hdrlen + 1) * 8;
		packet->ipproto = opt.nexthdr;
	}
	return !is_extension(packet->ipproto);
}

static __always_inline bool read_ipv6(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return false;
	__builtin_memcpy(&packet->flow.peer, dir == OUT ? &ip.daddr : &ip.saddr, sizeof(struct sw_addr));
	packet->ipproto = ip.nexthdr;
	packet->transport = sizeof(ip);
	/* a super-packet of more than 64 KiB has its length in a header that goes when it is cut */
	if (ip.nexthdr == IPPROTO_HOPOPTS && !ip.payload_len)
		packet->jumbo = IPV6_JUMBO_HEADER;
	return skip_extensions(skb, packet) && read_ports(skb, dir, packet);
}

/*
 * What nearly every packet is: TCP or UDP right behind an IP header without options, both in one piece. False for
 * any other, which is then read header by header.
 */
static __always_inline bool read_plain(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	const void *head = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	const struct iphdr *ip = head;
	const struct ipv6hdr *ip6 = head;
	const __be16 *ports;
	const __u8 *tcp;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		ports = head + sizeof(*ip);
		if ((void *)(ports + 2) > end || ip->ihl != 5)
			return false;
		packet->ipproto = ip->protocol;
		packet->flow.peer = sw_addr_v4(dir == OUT ? ip->daddr : ip->saddr);
		packet->transport = sizeof(*ip);
	} else {
		ports = head + sizeof(*ip6);
		if ((void *)(ports + 2) > end)
			return false;
		packet->ipproto = ip6->nexthdr;
		__builtin_memcpy(&packet->flow.peer, dir == OUT ? &ip6->daddr : &ip6->saddr, sizeof(struct sw_addr));
		packet->transport = sizeof(*ip6);
	}
	packet->flow.proto = proto_of(packet->ipproto);
	packet->flow.port = bpf_ntohs(ports[dir == OUT]);
	if (packet->flow.proto != SW_TCP)
		return packet->flow.proto == SW_UDP && read_udp_length(packet);
	tcp = (void *)ports;
	if ((void *)(tcp + TCP_DATA_OFFSET + 1) > end)
		return false;
	packet->payload = packet->transport + (tcp[TCP_DATA_OFFSET] >> 4) * 4;
	return true;
}

/* Not static, hence verified once and alone: else all that follows is verified for every way through the headers. */
__noinline int read_headers(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	if (!packet)
		return false;
	*packet = (struct packet){};
	return skb->protocol == bpf_htons(ETH_P_IP) ? read_ipv4(skb, dir, packet) : read_ipv6(skb, dir, packet);
}

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

/*
 * What the host sends to an address of its own comes from that address. A datagram socket may have the way to one
 * address, and send to another by it: by MSG_MORE and connect(), or two threads.
 */
__noinline int to_itself(struct __sk_buff *skb)
{
	struct sw_addr ends6[2];
	__be32 ends4[2];

	if (skb->protocol == bpf_htons(ETH_P_IP))
		return !bpf_skb_load_bytes(skb, offsetof(struct iphdr, saddr), ends4, sizeof(ends4)) &&
		       ends4[0] == ends4[1];
	return !bpf_skb_load_bytes(skb, offsetof(struct ipv6hdr, saddr), ends6, sizeof(ends6)) &&
	       sw_addr_equal(&ends6[0], &ends6[1]);
}

static __always_inline bool read_packet(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	bool read = read_plain(skb, dir, packet) || read_headers(skb, dir, packet);

	packet->flow.local = sw_is_zero(skb->ifindex ^ LOOPBACK_IFINDEX);
	if (packet->flow.local && !sw_addr_is_loopback(&packet->flow.peer) && !to_itself(skb))
		packet->flow.local |= SW_LOCAL_ASTRAY;
	return read;
}

/*
 * To whom a program connected a datagram socket, it turned. (An IPv6 socket may have an old IPv4 address, too.) One that
 * is not connected has port 0, and so may a packet.
 */
static __always_inline bool connected_to(const volatile struct bpf_sock *sk, const struct sw_flow *flow)
{
	const __be32 *peer = flow->peer.w;
	__be32 v4;

	if (!flow->port || sk->dst_port != bpf_htons(flow->port))
		return false;
	if (sk->family == AF_INET) { /* it has no packets of IPv6 */
		v4 = sk->dst_ip4;
		barrier(); /* or clang chooses the member first, and adds to the pointer: the verifier forbids it */
		return v4 == peer[3];
	}
	return sk->dst_ip6[3] == peer[3] && sk->dst_ip6[2] == peer[2] && sk->dst_ip6[1] == peer[1] &&
	       sk->dst_ip6[0] == peer[0];
}

/* Reasons that need no rule: SW_REASON_RULE when there is none of them. */
static __always_inline enum sw_reason objection(struct bpf_sock *sk, struct sw_sock *sock,
						const struct sw_settings *settings, enum direction dir,
						const struct packet *packet)
{
	struct bpf_sock *full = bpf_sk_fullsock(sk);

	if (sock && sock->closed)
		return SW_REASON_CLOSED;
	if (!full || !socket_allowed(settings, full)) /* older than the policy: raw, ping, ... */
		return SW_REASON_PROTOCOL;
	if (packet->source_route)
		return SW_REASON_SOURCE_ROUTE;
	if (settings->listen)
		return SW_REASON_RULE;
	if (packet->flow.proto == SW_TCP && sk->state == BPF_TCP_LISTEN)
		return SW_REASON_LISTEN;
	if (dir == IN && packet->flow.proto == SW_UDP && !connected_to(sk, &packet->flow) &&
	    !known_peer(sk, sock, &packet->flow))
		return SW_REASON_UNSOLICITED;
	return SW_REASON_RULE;
}

/* A connection that came in through a listener the policy allows is not the tenant's choice of peer. */
static __always_inline bool came_in(struct bpf_sock *sk, struct sw_sock *sock, const struct sw_settings *settings,
				    enum direction dir, const struct packet *packet)
{
	if (!settings->listen)
		return false;
	if (packet->flow.proto == SW_TCP)
		return sk->state == BPF_TCP_LISTEN || (sock && sock->inbound);
	return dir == IN && packet->flow.proto == SW_UDP;
}

/* How what came in is billed: as the rules would have it, had the tenant chosen the peer. */
static __always_inline __u8 came_billing(const struct scope *scope, struct sw_sock *sock, const struct packet *packet,
					 struct sw_denial *unused)
{
	bool connection = packet->flow.proto == SW_TCP && sock && sock->inbound;
	struct terms terms;

	if (connection && sock->judged == scope->tenant->serial)
		return sock->came_billing;
	if (!allowed(scope, &packet->flow, 0, unused, &terms))
		terms.billing = sw_billing_unasked(&packet->flow);
	if (connection) {
		sock->came_billing = terms.billing;
		sock->judged = scope->tenant->serial;
	}
	return terms.billing;
}

/* The socket may be older than the gate: then no hook has seen that its peer is a name server. */
static __always_inline bool gate_kept(struct sw_sock *sock, const struct packet *packet)
{
	if (!(packet->terms.resolver & SW_ANSWER_GATED))
		return true;
	if (sock && !sock->asks)
		sock->asks = SW_READ;
	return sock;
}

/* No new decision of the tenant's, so not counted as one. */
static __always_inline bool packet_allowed(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					   enum direction dir, struct packet *packet, struct sw_denial *denial)
{
	if (came_in(sk, sock, scope->settings, dir, packet)) {
		packet->terms.billing = came_billing(scope, sock, packet, denial);
		return true;
	}
	if (!allowed(scope, &packet->flow, held_by(sk, sock, &packet->flow), denial, &packet->terms))
		return false;
	if (!gate_kept(sock, packet)) {
		denial->reason = SW_REASON_NO_ROOM;
		denial->rule = SW_RULE_NONE;
		return false;
	}
	keep(scope, sk, sock, &packet->flow, &packet->terms);
	return true;
}

/* refuse() for a packet: adds whose socket it was. */
static __always_inline int refuse_packet(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					 const struct packet *packet, struct sw_denial *denial)
{
	denial->family = sk->family;
	denial->protocol = packet->ipproto;
	denial->flow = packet->flow;
	if (sock) {
		denial->pid = sock->pid;
		__builtin_memcpy(denial->comm, sock->comm, sizeof(denial->comm));
	}
	return refuse(scope->tenant, scope->settings, denial);
}

/* What a closed connection has to say to its peer: that it is closed. */
static __always_inline bool last_word(struct __sk_buff *skb, const struct scope *scope, struct bpf_sock *sk,
				      struct sw_sock *sock, enum direction dir, struct packet *packet)
{
	struct sw_denial unused = { 0 };

	return dir == OUT && packet->flow.proto == SW_TCP && !packet->source_route &&
	       tcp_flags(skb, packet) & TCP_FLAG_RST &&
	       allowed(scope, &packet->flow, held_by(sk, sock, &packet->flow), &unused, &packet->terms);
}

/* Of what is refused here, members on this host have had a copy (peer.bpf.c). A socket that was connected before the
 * policy said no has no second one. */
static __always_inline void end_many(const struct scope *scope, struct bpf_sock *sk, enum direction dir,
				     const struct packet *packet, struct sw_denial *denial)
{
	if (dir == OUT && sw_addr_is_many_v4(&packet->flow.peer) && (sk = bpf_sk_fullsock(sk)))
		sock_end(scope, sk, SW_CAUSE_REVOKED, denial);
}

#define HOOK_OF(dir) ((dir) == OUT ? SW_HOOK_EGRESS : SW_HOOK_INGRESS)

/* Nothing that is kept fits this packet. Where there is no room to keep anything, that is so for each. */
static __always_inline int packet_decide(struct __sk_buff *skb, const struct scope *scope, struct bpf_sock *sk,
					 struct sw_sock *sock, enum direction dir, struct packet *packet)
{
	struct sw_denial denial = { .hook = HOOK_OF(dir), .rule = SW_RULE_NONE };

	denial.reason = objection(sk, sock, scope->settings, dir, packet);
	if (denial.reason == SW_REASON_RULE && packet_allowed(scope, sk, sock, dir, packet, &denial))
		return PASS;
	if (denial.reason == SW_REASON_CLOSED && last_word(skb, scope, sk, sock, dir, packet))
		return PASS;
	packet->terms = (struct terms){ .billing = sw_billing_unasked(&packet->flow) };
	if (refuse_packet(scope, sk, sock, packet, &denial) == REFUSE) {
		end_many(scope, sk, dir, packet, &denial);
		return REFUSE;
	}
	if (denial.reason == SW_REASON_RULE || denial.reason == SW_REASON_OVER_BUDGET)
		keep(scope, sk, sock, &packet->flow, &packet->terms); /* let pass: once is enough */
	return PASS;
}

static __always_inline int packet_unreadable(const struct scope *scope, enum direction dir)
{
	struct sw_denial denial = { .hook = HOOK_OF(dir), .reason = SW_REASON_MALFORMED, .rule = SW_RULE_NONE };

	return refuse(scope->tenant, scope->settings, &denial);
}

static __always_inline int packet_too_much(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					   const struct packet *packet)
{
	struct sw_denial denial = { .hook = SW_HOOK_EGRESS, .reason = SW_REASON_OVER_BUDGET, .rule = SW_RULE_NONE };

	return refuse_packet(scope, sk, sock, packet, &denial);
}

/* A name server was asked for what may not be asked. A segment would be sent again: so the connection ends. */
static __always_inline int packet_gated(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					const struct packet *packet)
{
	struct sw_denial denial = { .hook = SW_HOOK_EGRESS, .reason = SW_REASON_GATE, .rule = SW_RULE_NONE };

	if (refuse_packet(scope, sk, sock, packet, &denial) == PASS)
		return PASS;
	sk = bpf_sk_fullsock(sk);
	if (sk && packet->flow.proto == SW_TCP)
		sock_end(scope, sk, SW_CAUSE_GATE, &denial);
	return REFUSE;
}

/* A datagram is data; a segment need not be, and how far a connection's data has come is seen in a pass. */
static __always_inline void note_packet(struct sw_sock *sock, enum direction dir, const struct packet *packet,
					const struct sw_traffic *traffic)
{
	if (packet->flow.proto != SW_UDP)
		return;
	sock->payload[dir] += traffic->payload;
	sock_touch(sock);
}

/*
 * A socket that nothing is kept on was not closed, let nobody in and sent to nobody but whom it is connected to; so a
 * verdict on the flow is all there is to ask. What a raw socket sends may look like another's.
 */
static __always_inline bool told_by_flow(const struct scope *scope, struct bpf_sock *sk, struct packet *packet)
{
	struct bpf_sock *full = bpf_sk_fullsock(sk);
	__u16 unused;

	if (!full || full->protocol != packet->ipproto || full->type == SOCK_RAW)
		return false;
	if (packet->flow.proto == SW_TCP ? sk->state == BPF_TCP_LISTEN : !connected_to(sk, &packet->flow))
		return false;
	return verdict_find(&packet->flow, scope->tenant->serial, &packet->terms, &unused) &&
	       !packet->terms.resolver; /* what is read has something kept */
}

/* A verdict that is kept, on the socket or by the flow, is all that most packets need. */
static __always_inline bool packet_told(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					struct packet *packet)
{
	if (packet->source_route)
		return false;
	if (sock)
		return approved_on(sk, sock, &packet->flow, scope->tenant->serial, &packet->terms);
	return told_by_flow(scope, sk, packet);
}

/* What passes is paid for and metered. */
static __always_inline int packet_count(struct __sk_buff *skb, const struct scope *scope, struct bpf_sock *sk,
					struct sw_sock *sock, enum direction dir, const struct packet *packet)
{
	struct sw_traffic traffic = traffic_of(skb, dir, packet);

	if (dir == OUT && packet->terms.billing == SW_BILLABLE && !spend(scope, &traffic))
		return packet_too_much(scope, sk, sock, packet);
	meter(scope->tenant, dir, packet, &traffic);
	if (sock)
		note_packet(sock, dir, packet, &traffic);
	return PASS;
}

/* The page that nearly every packet needs: its headers are plain, and a verdict on it is kept. */
static __always_inline int packet_pass(struct __sk_buff *skb, enum direction dir)
{
	struct bpf_sock *sk = skb->sk;
	struct packet packet = {};
	struct sw_sock *sock;
	struct scope scope;

	if (!sk || !scope_get(&scope))
		return REFUSE;
	if (!read_packet(skb, dir, &packet))
		return packet_unreadable(&scope, dir);
	sock = sock_find(sk);
	if (!packet_told(&scope, sk, sock, &packet)) {
		sock = sock_get(scope.tenant, sk); /* what is found is kept from now on */
		if (packet_decide(skb, &scope, sk, sock, dir, &packet) == REFUSE)
			return REFUSE;
	}
	if (sock && sock->asks && names_read(skb, dir, &packet, &scope, sk, sock) == REFUSE &&
	    (dir == IN || packet_gated(&scope, sk, sock, &packet) == REFUSE))
		return REFUSE;
	return packet_count(skb, &scope, sk, sock, dir, &packet);
}

SEC("cgroup_skb/egress") int sw_egress(struct __sk_buff *skb)
{
	return packet_pass(skb, OUT);
}

SEC("cgroup_skb/ingress") int sw_ingress(struct __sk_buff *skb)
{
	return packet_pass(skb, IN);
}

char LICENSE[] SEC("license") __weak = "GPL";
