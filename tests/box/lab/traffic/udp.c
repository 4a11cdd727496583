// SPDX-License-Identifier: GPL-2.0-only
/*
 * udp METHOD COUNT SIZE [SEGMENT]: send COUNT times SIZE bytes by METHOD and wait for what comes back, which is the
 * same from the echo server, SIZE bytes in datagrams of SEGMENT for `fetch`, and nothing for `cast`.
 */
#include <err.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "traffic.h"

#define BATCH 64

struct datagrams {
	int fd;
	uint64_t count, size, segment;
};

static void receive(const struct datagrams *d, uint64_t datagrams, uint64_t bytes)
{
	static char into[65536];

	while (datagrams--)
		bytes -= must("recv", recv(d->fd, into, sizeof(into), 0));
	if (bytes)
		errx(1, "%ld bytes did not come back", (long)bytes);
}

static void one_by_one(const struct datagrams *d, ssize_t (*send_one)(int, const void *, size_t))
{
	for (uint64_t i = 0; i < d->count; i++) {
		must("send", send_one(d->fd, data, d->size));
		receive(d, 1, d->size);
	}
}

static ssize_t plain_send(int fd, const void *buf, size_t len)
{
	return send(fd, buf, len, 0);
}

/* In three pieces. */
static ssize_t corked_send(int fd, const void *buf, size_t len)
{
	must("send", send(fd, buf, len / 3, MSG_MORE));
	must("send", send(fd, buf, len / 3, MSG_MORE));
	return send(fd, buf, len - len / 3 * 2, 0);
}

static void by_send(const struct datagrams *d)
{
	one_by_one(d, plain_send);
}

static void by_more(const struct datagrams *d)
{
	one_by_one(d, corked_send);
}

static void by_uring(const struct datagrams *d)
{
	one_by_one(d, uring_send);
}

static void by_sendmmsg(const struct datagrams *d)
{
	struct iovec piece = { .iov_base = data, .iov_len = d->size };
	struct mmsghdr all[BATCH] = {};

	for (int i = 0; i < BATCH; i++)
		all[i].msg_hdr = (struct msghdr){ .msg_iov = &piece, .msg_iovlen = 1 };
	if (d->count > BATCH || (uint64_t)must("sendmmsg", sendmmsg(d->fd, all, d->count, 0)) != d->count)
		errx(1, "not all were sent");
	receive(d, d->count, d->count * d->size);
}

static uint64_t segments(const struct datagrams *d)
{
	return (d->size + d->segment - 1) / d->segment;
}

static void by_segment(const struct datagrams *d)
{
	set_option(d->fd, IPPROTO_UDP, UDP_SEGMENT, d->segment);
	for (uint64_t i = 0; i < d->count; i++) {
		must("send", send(d->fd, data, d->size, 0));
		receive(d, segments(d), d->size);
	}
}

static void fetch(const struct datagrams *d, uint64_t pieces)
{
	struct request request = { .down = d->size, .segment = d->segment };

	for (uint64_t i = 0; i < d->count; i++) {
		must("send", send(d->fd, &request, sizeof(request), 0));
		receive(d, pieces, d->size);
	}
}

static void by_fetch(const struct datagrams *d)
{
	fetch(d, segments(d));
}

/* Asks for datagrams that arrived together to be handed over together. */
static void by_join(const struct datagrams *d)
{
	struct request request = { .down = d->size, .segment = d->segment };
	static char into[65536];

	set_option(d->fd, IPPROTO_UDP, UDP_GRO, 1);
	for (uint64_t i = 0; i < d->count; i++) {
		must("send", send(d->fd, &request, sizeof(request), 0));
		for (uint64_t left = d->size; left;)
			left -= must("recv", recv(d->fd, into, sizeof(into), 0));
	}
}

/* With a header between those of IPv6 and UDP, of eight bytes of padding. */
static void by_option(const struct datagrams *d)
{
	static const uint8_t padding[8] = { [2] = 1, [3] = 4 };

	must("IPV6_DSTOPTS", setsockopt(d->fd, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding)));
	by_send(d);
}

/* With a fragment size of one's own. */
static void by_fragment(const struct datagrams *d)
{
	set_option(d->fd, IPPROTO_IPV6, IPV6_MTU, d->segment);
	by_send(d);
}

/* To where nobody answers. */
static void by_cast(const struct datagrams *d)
{
	for (uint64_t i = 0; i < d->count; i++)
		must("send", send(d->fd, data, d->size, 0));
}

static const struct {
	const char *name;
	void (*send)(const struct datagrams *d);
	int port;
} methods[] = {
	{ "send", by_send, ECHO_PORT },         { "more", by_more, ECHO_PORT },
	{ "uring", by_uring, ECHO_PORT },       { "sendmmsg", by_sendmmsg, ECHO_PORT },
	{ "segment", by_segment, ECHO_PORT },   { "fetch", by_fetch, TRAFFIC_PORT },
	{ "join", by_join, TRAFFIC_PORT },      { "option", by_option, ECHO_PORT },
	{ "fragment", by_fragment, ECHO_PORT }, { "cast", by_cast, DISCARD_PORT },
};

static int find_method(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (!strcmp(methods[i].name, name))
			return i;
	errx(2, "%s: no way to send over UDP", name);
}

void udp_client(union address *to, int words, char **word, struct result *result)
{
	int m = find_method(word[0]);
	struct datagrams d = {
		.fd = socket_to(to, SOCK_DGRAM),
		.count = strtoull(word[1], NULL, 10),
		.size = strtoull(word[2], NULL, 10),
		.segment = words > 3 ? strtoull(word[3], NULL, 10) : 0,
	};

	to->in.sin_port = htons(methods[m].port); /* at the same place in both families */
	must("connect", connect(d.fd, &to->sa, address_len(to)));
	methods[m].send(&d);
	close(d.fd);
	result->wrote = d.count * (methods[m].port == TRAFFIC_PORT ? sizeof(struct request) : d.size);
	result->read = methods[m].send == by_cast ? 0 : d.count * d.size;
}
