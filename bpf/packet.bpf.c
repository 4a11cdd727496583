// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every packet of a tenant, both ways: the backstop and the meter.
 *
 * A packet whose remote end is the one approved on its socket, by the image now in force, costs a
 * comparison. Any other is decided here on what the wire says: sockets that ran no connect or sendmsg
 * hook (UDP-Lite, raw, sockets older than the policy), addresses the kernel changed after the hook, and
 * every open connection once after a change of policy.
 *
 * Incoming packets answer to the same approval. Two kinds were asked for by no outbound socket and are
 * dropped before it: what arrives for a listener, and datagrams from a peer never contacted.
 */
#include "flow.bpf.h"

/* What the headers say. `flow` has the remote end, whichever way the packet goes. */
struct packet {
	struct sw_flow flow;
	__u32 ipproto;
	__u32 transport;   /* offset of the transport header */
	bool source_route; /* the address on the wire is not where it goes */
};

/* Which of the two ends is the remote one. */
enum direction { OUT, IN };

static __always_inline bool read_ports(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	__be16 ports[2];

	packet->flow.proto = proto_of(packet->ipproto);
	if (packet->flow.proto == SW_PROTOS)
		return true;
	if (bpf_skb_load_bytes(skb, packet->transport, ports, sizeof(ports)))
		return false;
	packet->flow.port = bpf_ntohs(ports[dir == OUT]);
	return true;
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
	return packet->flow.proto != SW_PROTOS;
}

/* Not static, hence verified once and alone: else all that follows is verified for every way through the headers. */
__noinline int read_headers(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	if (!packet)
		return false;
	*packet = (struct packet){};
	return skb->protocol == bpf_htons(ETH_P_IP) ? read_ipv4(skb, dir, packet) : read_ipv6(skb, dir, packet);
}

static __always_inline bool read_packet(struct __sk_buff *skb, enum direction dir, struct packet *packet)
{
	return read_plain(skb, dir, packet) || read_headers(skb, dir, packet);
}

/* Bytes of the transport header, which a GSO packet repeats in every segment it becomes. */
static __always_inline __u32 transport_len(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 offset;

	if (packet->flow.proto == SW_UDP)
		return sizeof(struct udphdr);
	if (bpf_skb_load_bytes(skb, packet->transport + 12, &offset, sizeof(offset)))
		return sizeof(struct tcphdr);
	return (offset >> 4) * 4;
}

/*
 * Atomic although the counters are per CPU: an interrupt may run this program in the middle of its own
 * update on the same CPU, and what is billed must not lose a packet to that.
 */
static __always_inline void meter(struct __sk_buff *skb, enum direction dir, const struct sw_tenant *tenant,
				  const struct packet *packet)
{
	struct sw_meter *m = bpf_map_lookup_elem(&meters, &tenant->slot);
	__u64 packets = 1, bytes = skb->len;

	if (!m)
		return;
	if (skb->gso_segs > 1) {
		packets = skb->gso_segs;
		bytes += (packets - 1) * (packet->transport + transport_len(skb, packet));
	}
	__sync_fetch_and_add(dir == OUT ? &m->tx_bytes : &m->rx_bytes, bytes);
	__sync_fetch_and_add(dir == OUT ? &m->tx_packets : &m->rx_packets, packets);
}

static __always_inline bool known_peer(struct bpf_sock *sk, struct sw_sock *sock, const struct sw_flow *flow)
{
	struct sw_contacts *seen;

	if (sock && sock->approved && approved(sock, flow, sock->approved)) /* by whichever image */
		return true;
	seen = bpf_sk_storage_get(&contacts, sk, NULL, 0);
	return seen && contacted(seen, flow);
}

/* Reasons that need no rule: SW_REASON_RULE when there is none of them. */
static __always_inline enum sw_reason objection(struct bpf_sock *sk, struct sw_sock *sock,
						const struct sw_settings *settings, enum direction dir,
						const struct packet *packet)
{
	struct bpf_sock *full = bpf_sk_fullsock(sk);

	if (!full || !socket_allowed(settings, full)) /* older than the policy: raw, ping, ... */
		return SW_REASON_PROTOCOL;
	if (packet->source_route)
		return SW_REASON_SOURCE_ROUTE;
	if (settings->listen)
		return SW_REASON_RULE;
	if (packet->flow.proto == SW_TCP && sk->state == BPF_TCP_LISTEN)
		return SW_REASON_LISTEN;
	if (dir == IN && packet->flow.proto == SW_UDP && !known_peer(sk, sock, &packet->flow))
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

/* An answer from a peer the socket turned away from: it must still be allowed, but it is no new decision. */
static __always_inline bool packet_allowed(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					   enum direction dir, const struct packet *packet, struct sw_denial *denial)
{
	if (came_in(sk, sock, scope->settings, dir, packet))
		return true;
	if (dir == IN && packet->flow.proto == SW_UDP)
		return allowed(scope, &packet->flow, denial);
	return vet(scope, sk, sock, &packet->flow, denial);
}

/* The slow path: no approval fits this packet. */
static __always_inline int packet_decide(const struct scope *scope, struct bpf_sock *sk, struct sw_sock *sock,
					 enum direction dir, const struct packet *packet)
{
	struct sw_denial denial = {
		.hook = dir == OUT ? SW_HOOK_EGRESS : SW_HOOK_INGRESS,
		.rule = SW_RULE_NONE,
		.family = sk->family,
		.protocol = packet->ipproto,
		.flow = packet->flow,
	};

	denial.reason = objection(sk, sock, scope->settings, dir, packet);
	if (denial.reason == SW_REASON_RULE && packet_allowed(scope, sk, sock, dir, packet, &denial))
		return PASS;
	if (sock) {
		denial.pid = sock->pid;
		__builtin_memcpy(denial.comm, sock->comm, sizeof(denial.comm));
	}
	if (refuse(scope->tenant, scope->settings, &denial) == REFUSE)
		return REFUSE;
	if (denial.reason == SW_REASON_RULE)
		keep(scope, sk, sock, &packet->flow); /* audited: once is enough */
	return PASS;
}

static __always_inline int packet_unreadable(const struct scope *scope, enum direction dir)
{
	struct sw_denial denial = {
		.hook = dir == OUT ? SW_HOOK_EGRESS : SW_HOOK_INGRESS,
		.reason = SW_REASON_MALFORMED,
		.rule = SW_RULE_NONE,
	};

	return refuse(scope->tenant, scope->settings, &denial);
}

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
	sock = sock_get(sk);
	if (packet.source_route || !sock || !approved(sock, &packet.flow, scope.tenant->serial))
		if (packet_decide(&scope, sk, sock, dir, &packet) == REFUSE)
			return REFUSE;
	if (sock && dir == OUT)
		sock_touch(sock);
	meter(skb, dir, scope.tenant, &packet);
	return PASS;
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
