// SPDX-License-Identifier: GPL-2.0-only
/* Questions over UDP, answered from the very address that was asked unless a form has it otherwise. */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zone.h"

#define QUEUE (8 << 20) /* bytes of questions that may wait */

static int asked_fd, other_fd;

struct datagram {
	struct sockaddr_in6 peer;
	struct in6_addr to;
	size_t len;
	uint8_t data[4096];
};

/* An answer that waits has all of its own. */
struct late {
	struct datagram from;
	struct question q;
	struct reply r;
};

static bool receive(struct datagram *d)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct iovec iov = { d->data, sizeof(d->data) };
	struct msghdr msg = { .msg_name = &d->peer,
			      .msg_namelen = sizeof(d->peer),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(asked_fd, &msg, 0);
	struct cmsghdr *c = len > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (!c || c->cmsg_type != IPV6_PKTINFO)
		return false;
	d->len = len;
	d->to = ((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_addr;
	return true;
}

/* IPv4 addresses are mapped ones here. */
static struct in6_addr source(const struct datagram *d, enum from from)
{
	struct in6_addr address = d->to;
	bool six = !IN6_IS_ADDR_V4MAPPED(&d->to);

	if (from == OTHER_ADDRESS)
		inet_pton(six ? AF_INET6 : AF_INET, other_address[six], address.s6_addr + (six ? 0 : 12));
	return address;
}

/* What the peer does not take is no concern of ours. */
static void send_one(const struct datagram *d, struct sent *sent)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = { .head = { CMSG_LEN(sizeof(struct in6_pktinfo)), IPPROTO_IPV6, IPV6_PKTINFO } };
	struct in6_pktinfo info = { .ipi6_addr = source(d, sent->from) };
	struct iovec iov = { sent->m.data, sent->m.len };
	struct msghdr msg = { .msg_name = (void *)&d->peer,
			      .msg_namelen = sizeof(d->peer),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
	if (sendmsg(sent->from == OTHER_PORT ? other_fd : asked_fd, &msg, 0) < 0)
		warn("an answer");
}

static void send_all(const struct datagram *d, struct reply *r)
{
	for (size_t i = 0; i < r->n; i++)
		send_one(d, &r->sent[i]);
}

static void *send_late(void *with)
{
	struct late *late = with;

	usleep(late->r.delay * 1000);
	send_all(&late->from, &late->r);
	free(late);
	return NULL;
}

static void start_late(const struct datagram *d, const struct reply *r)
{
	struct late *late = malloc(sizeof(*late));

	if (!late)
		err(1, "memory");
	late->from = *d;
	late->q = *r->q;
	late->r = *r;
	late->r.q = &late->q;
	start_thread(send_late, late);
}

static void *answer_all(void *unused)
{
	(void)unused;
	static struct datagram d;
	static struct reply r;
	struct question q;

	for (;;) {
		if (!receive(&d) || !question_read(&q, d.data, d.len, false))
			continue;
		reply_make(&r, &q);
		if (r.delay)
			start_late(&d, &r);
		else
			send_all(&d, &r);
	}
	return NULL;
}

void udp_serve(uint16_t port)
{
	int one = 1, queue = QUEUE;

	asked_fd = listen_on(SOCK_DGRAM, port);
	other_fd = listen_on(SOCK_DGRAM, 0);
	must("IPV6_RECVPKTINFO", setsockopt(asked_fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)));
	must("SO_RCVBUFFORCE", setsockopt(asked_fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)));
	start_thread(answer_all, NULL);
}
