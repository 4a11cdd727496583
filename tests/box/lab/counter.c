// SPDX-License-Identifier: GPL-2.0-only
/*
 * counter INTERFACE [ADDRESS...]: what went over a link of the lab, added up from the packets as they were there.
 *
 * Stands on the far side, and knows nothing of the meter it is held against: a packet socket gets every frame of the
 * interface, and the sums come from the lengths in the IP headers. Beside them it says what the kernel's own counters
 * of the interface say, which must be the same frames. "sent" is what the near side sent.
 *
 * Reads `reset` and `read` from standard input. After `reset close`, the program on the near side leaves its
 * connection with a close() that nobody waits for: once its FIN is acknowledged the socket is no more, and what
 * follows is answered by the kernel itself. Those packets are told as nobody's.
 *
 * The answer to `read` is a line of KEY=NUMBER. It comes when every TCP connection seen has ended, or after a while.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define FLOWS    64
#define EXEMPT   8
#define PATIENCE 5000 /* ms for the connections to end */
#define QUEUE    (256 << 20)
#define HEADS    256 /* bytes of each frame that are looked at */

enum way { SENT, RECEIVED, WAYS };

struct sum {
	uint64_t bytes, payload, packets;
};

struct packet {
	enum way way;
	struct in6_addr far; /* IPv4 mapped */
	uint32_t len;        /* of all headers and what they carry, without Ethernet's */
	uint32_t head;       /* of the IP headers */
	uint8_t proto;
	bool later; /* a fragment that is not the first: no TCP or UDP header */
	const uint8_t *transport;
};

/* One end of a TCP connection. */
struct end {
	uint32_t fin; /* the sequence number after its FIN */
	bool finished, acknowledged;
};

struct flow {
	struct in6_addr far;
	uint16_t port[WAYS]; /* source port of what is sent, of what is received */
	struct end end[WAYS];
	bool reset, abandoned;
};

struct counter {
	int fd;
	const char *interface;
	struct in6_addr exempt[EXEMPT];
	int exempts;
	bool orphans; /* `reset close` */
	struct flow flow[FLOWS];
	int flows;
	struct sum frames[WAYS], tenant[WAYS], exempted[WAYS], nobody[WAYS];
	struct sum link[WAYS]; /* the interface's counters at the reset */
	uint32_t largest[WAYS];
	uint64_t dropped; /* likewise: what it was given to send and did not */
	uint64_t lost, unread;
};

static void sum_add(struct sum *sum, uint32_t bytes, uint32_t payload)
{
	sum->bytes += bytes;
	sum->payload += payload;
	sum->packets++;
}

/* ---- headers -------------------------------------------------------------------------------------------------- */

static struct in6_addr map_ipv4(uint32_t address)
{
	struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(&mapped.s6_addr[12], &address, sizeof(address));
	return mapped;
}

static bool read_ipv4(const uint8_t *data, uint32_t room, struct packet *packet)
{
	const struct iphdr *ip = (const void *)data;

	if (room < sizeof(*ip))
		return false;
	packet->far = map_ipv4(packet->way == SENT ? ip->daddr : ip->saddr);
	packet->len = ntohs(ip->tot_len);
	packet->head = ip->ihl * 4;
	packet->proto = ip->protocol;
	packet->later = ntohs(ip->frag_off) & IP_OFFMASK;
	return true;
}

/* Past the extension headers. */
static bool read_extensions(const uint8_t *data, uint32_t room, struct packet *packet)
{
	const struct ip6_frag *fragment;

	while (packet->proto == IPPROTO_HOPOPTS || packet->proto == IPPROTO_DSTOPTS ||
	       packet->proto == IPPROTO_FRAGMENT) {
		fragment = (const void *)(data + packet->head);
		if (packet->head + sizeof(*fragment) > room)
			return false;
		if (packet->proto == IPPROTO_FRAGMENT)
			packet->later = fragment->ip6f_offlg & IP6F_OFF_MASK;
		packet->head +=
			packet->proto == IPPROTO_FRAGMENT ? sizeof(*fragment) : (data[packet->head + 1] + 1) * 8u;
		packet->proto = fragment->ip6f_nxt;
		if (packet->later)
			break;
	}
	return true;
}

static bool read_ipv6(const uint8_t *data, uint32_t room, struct packet *packet)
{
	const struct ip6_hdr *ip = (const void *)data;

	if (room < sizeof(*ip))
		return false;
	packet->far = packet->way == SENT ? ip->ip6_dst : ip->ip6_src;
	packet->len = sizeof(*ip) + ntohs(ip->ip6_plen);
	packet->head = sizeof(*ip);
	packet->proto = ip->ip6_nxt;
	return read_extensions(data, room, packet);
}

static bool read_headers(uint16_t type, const uint8_t *data, uint32_t room, struct packet *packet)
{
	bool ok = type == ETH_P_IP ? read_ipv4(data, room, packet) : read_ipv6(data, room, packet);

	packet->transport = data + packet->head;
	if (!ok || packet->head > room)
		return false;
	return packet->later || packet->proto != IPPROTO_TCP || packet->head + sizeof(struct tcphdr) <= room;
}

/* What TCP or UDP carries, its own header left out. */
static uint32_t payload_len(const struct packet *packet)
{
	uint32_t carried = packet->len - packet->head;

	if (packet->later)
		return carried;
	if (packet->proto == IPPROTO_UDP)
		return carried - 8;
	return carried - (packet->transport[12] >> 4) * 4;
}

/* ---- connections ---------------------------------------------------------------------------------------------- */

static struct flow *flow_of(struct counter *counter, const struct packet *packet)
{
	struct flow key = { .far = packet->far }, *flow;
	uint16_t ports[2];

	memcpy(ports, packet->transport, sizeof(ports));
	key.port[packet->way] = ports[0];
	key.port[!packet->way] = ports[1];
	for (flow = counter->flow; flow < counter->flow + counter->flows; flow++)
		if (!memcmp(&flow->far, &key.far, sizeof(key.far)) && !memcmp(flow->port, key.port, sizeof(key.port)))
			return flow;
	if (counter->flows == FLOWS)
		errx(1, "more than %d connections", FLOWS);
	*flow = key;
	counter->flows++;
	return flow;
}

/* True if the packet belongs to no socket: its connection's was gone before. */
static bool flow_packet(const struct counter *counter, struct flow *flow, const struct packet *packet)
{
	const struct tcphdr *tcp = (const void *)packet->transport;
	struct end *from = &flow->end[packet->way], *to = &flow->end[!packet->way];
	bool nobody = flow->abandoned;

	if (tcp->fin) {
		from->finished = true;
		from->fin = ntohl(tcp->seq) + payload_len(packet) + 1;
	}
	if (tcp->ack && to->finished && ntohl(tcp->ack_seq) == to->fin)
		to->acknowledged = true;
	if (tcp->rst)
		flow->reset = true;
	if (counter->orphans && packet->way == RECEIVED && to->acknowledged && !from->finished)
		flow->abandoned = true;
	return nobody;
}

static bool flows_ended(const struct counter *counter)
{
	for (const struct flow *flow = counter->flow; flow < counter->flow + counter->flows; flow++)
		if (!flow->reset && !(flow->end[SENT].acknowledged && flow->end[RECEIVED].acknowledged))
			return false;
	return true;
}

/* ---- frames --------------------------------------------------------------------------------------------------- */

static bool is_exempt(const struct counter *counter, const struct in6_addr *far)
{
	for (int i = 0; i < counter->exempts; i++)
		if (!memcmp(&counter->exempt[i], far, sizeof(*far)))
			return true;
	return false;
}

static void count_packet(struct counter *counter, const struct packet *packet)
{
	uint32_t payload = payload_len(packet);
	struct sum *sum = &counter->tenant[packet->way];

	if (packet->proto == IPPROTO_TCP && flow_packet(counter, flow_of(counter, packet), packet))
		sum = &counter->nobody[packet->way];
	sum_add(sum, packet->len, payload);
	if (is_exempt(counter, &packet->far))
		sum_add(&counter->exempted[packet->way], packet->len, payload);
	if (packet->len > counter->largest[packet->way])
		counter->largest[packet->way] = packet->len;
}

/*
 * What is neither TCP nor UDP is the link's own: neighbours, groups, errors. It counts as a frame only. Fragments are
 * all UDP here, whatever header the first of them begins with.
 */
static void count_frame(struct counter *counter, const struct sockaddr_ll *from, const uint8_t *data, uint32_t len)
{
	struct packet packet = { .way = from->sll_pkttype == PACKET_OUTGOING ? RECEIVED : SENT };
	uint16_t type = ntohs(from->sll_protocol);
	uint32_t room = len < HEADS ? len : HEADS;

	sum_add(&counter->frames[packet.way], ETHER_HDR_LEN + len, 0);
	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return;
	if (!read_headers(type, data, room, &packet))
		errx(1, "a packet of %u bytes is none", len);
	if (packet.proto != IPPROTO_TCP && packet.proto != IPPROTO_UDP && !packet.later)
		return;
	if (packet.len != len)
		counter->unread++; /* more than 64 KiB, or padded: not as it would be on a wire */
	count_packet(counter, &packet);
}

static void drain(struct counter *counter)
{
	uint8_t data[HEADS] __attribute__((aligned(8)));
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t len;

	while ((len = recvfrom(counter->fd, data, sizeof(data), MSG_TRUNC | MSG_DONTWAIT, (void *)&from, &size)) >= 0) {
		count_frame(counter, &from, data, len);
		size = sizeof(from);
	}
	if (errno != EAGAIN)
		err(1, "recvfrom");
}

/* Until the connections have ended. */
static void settle(struct counter *counter)
{
	struct pollfd ready = { .fd = counter->fd, .events = POLLIN };

	drain(counter);
	while (!flows_ended(counter) && poll(&ready, 1, PATIENCE) > 0)
		drain(counter);
}

/* ---- the kernel's own counters of the interface ------------------------------------------------------------------ */

static void read_link(const char *interface, struct sum link[WAYS], uint64_t *dropped)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	struct sum in, out;
	uint64_t drops;
	char line[512], name[IFNAMSIZ];

	if (!file)
		err(1, "/proc/thread-self/net/dev");
	memset(link, 0, WAYS * sizeof(*link));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %15[^:]: %lu %lu %*u %*u %*u %*u %*u %*u %lu %lu %*u %lu", name, &in.bytes,
			   &in.packets, &out.bytes, &out.packets, &drops) != 6 ||
		    strcmp(name, interface))
			continue;
		link[SENT] = in;
		link[RECEIVED] = out;
		*dropped = drops;
	}
	fclose(file);
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

static void reset(struct counter *counter, bool orphans)
{
	drain(counter);
	memset(counter->frames, 0, sizeof(counter->frames));
	memset(counter->tenant, 0, sizeof(counter->tenant));
	memset(counter->exempted, 0, sizeof(counter->exempted));
	memset(counter->nobody, 0, sizeof(counter->nobody));
	memset(counter->largest, 0, sizeof(counter->largest));
	counter->flows = 0;
	counter->lost = counter->unread = 0;
	counter->orphans = orphans;
	read_link(counter->interface, counter->link, &counter->dropped);
	puts("reset");
}

static uint64_t lost(struct counter *counter)
{
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);

	if (getsockopt(counter->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size))
		err(1, "PACKET_STATISTICS");
	return counter->lost += stats.tp_drops;
}

static void print_sums(const char *prefix, const struct sum sum[WAYS])
{
	static const char *const way[WAYS] = { "sent", "received" };

	for (int i = 0; i < WAYS; i++)
		printf("%s%s_bytes=%lu %s%s_payload_bytes=%lu %s%s_packets=%lu ", prefix, way[i], sum[i].bytes, prefix,
		       way[i], sum[i].payload, prefix, way[i], sum[i].packets);
}

static void print_counts(struct counter *counter)
{
	struct sum link[WAYS];
	uint64_t dropped = 0;

	settle(counter);
	read_link(counter->interface, link, &dropped);
	for (int i = 0; i < WAYS; i++) {
		link[i].bytes -= counter->link[i].bytes;
		link[i].packets -= counter->link[i].packets;
	}
	print_sums("", counter->tenant);
	print_sums("exempt_", counter->exempted);
	print_sums("nobody_", counter->nobody);
	print_sums("frames_", counter->frames);
	print_sums("link_", link);
	printf("largest_sent=%u largest_received=%u dropped=%lu lost=%lu unread=%lu open=%d\n", counter->largest[SENT],
	       counter->largest[RECEIVED], dropped - counter->dropped, lost(counter), counter->unread,
	       !flows_ended(counter));
}

static void open_socket(struct counter *counter)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int queue = QUEUE;

	at.sll_ifindex = if_nametoindex(counter->interface);
	counter->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (counter->fd < 0 || !at.sll_ifindex)
		err(1, "%s", counter->interface);
	if (setsockopt(counter->fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)))
		err(1, "SO_RCVBUFFORCE");
	if (bind(counter->fd, (void *)&at, sizeof(at)))
		err(1, "bind");
}

static void read_exempt(struct counter *counter, int args, char **arg)
{
	struct in_addr ipv4;

	for (int i = 0; i < args && i < EXEMPT; i++, counter->exempts++)
		if (inet_pton(AF_INET, arg[i], &ipv4) == 1)
			counter->exempt[i] = map_ipv4(ipv4.s_addr);
		else if (inet_pton(AF_INET6, arg[i], &counter->exempt[i]) != 1)
			errx(1, "%s: not an address", arg[i]);
}

int main(int argc, char **argv)
{
	static struct counter counter;
	char line[64];

	if (argc < 2)
		errx(2, "usage: counter INTERFACE [EXEMPT-ADDRESS...]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	counter.interface = argv[1];
	read_exempt(&counter, argc - 2, argv + 2);
	open_socket(&counter);
	reset(&counter, false);
	while (fgets(line, sizeof(line), stdin))
		if (!strcmp(line, "read\n"))
			print_counts(&counter);
		else
			reset(&counter, !strcmp(line, "reset close\n"));
	return 0;
}
