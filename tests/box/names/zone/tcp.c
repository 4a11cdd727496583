// SPDX-License-Identifier: GPL-2.0-only
/* Questions over TCP: a thread for each connection. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zone.h"

#define PATIENCE 30 /* seconds without a question */
#define PIECE    700

static bool read_all(int fd, uint8_t *into, size_t len)
{
	return recv(fd, into, len, MSG_WAITALL) == (ssize_t)len;
}

/* How long the next write is, AT bytes into the stream. */
static size_t piece(enum manner manner, size_t at)
{
	switch (manner) {
	case SPLIT_PREFIX:
		return at < 2 ? 1 : SIZE_MAX;
	case BYTEWISE:
		return 1;
	case PIECES:
		return PIECE;
	default:
		return SIZE_MAX;
	}
}

static bool write_stream(int fd, const uint8_t *data, size_t len, enum manner manner)
{
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = piece(manner, at);
		if (n > len - at)
			n = len - at;
		if (send(fd, data + at, n, MSG_NOSIGNAL) != (ssize_t)n)
			return false;
	}
	return true;
}

static bool send_reply(int fd, const struct reply *r)
{
	uint8_t stream[SENT_MAX * (2 + MESSAGE_MAX)];
	size_t len = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct message *m = &r->sent[i].m;

		put16(stream + len, m->len);
		memcpy(stream + len + 2, m->data, m->len);
		len += 2 + m->len;
	}
	usleep(r->delay * 1000);
	return write_stream(fd, stream, len, r->manner);
}

static bool answer_one(int fd)
{
	uint8_t prefix[2], data[MESSAGE_MAX];
	struct question q;
	struct reply r;

	if (!read_all(fd, prefix, sizeof(prefix)) || !read_all(fd, data, get16(prefix)))
		return false;
	if (!question_read(&q, data, get16(prefix), true))
		return false;
	reply_make(&r, &q);
	return send_reply(fd, &r);
}

static void *serve_one(void *with)
{
	int fd = (intptr_t)with, one = 1;
	struct timeval patience = { .tv_sec = PATIENCE };

	must("TCP_NODELAY", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	must("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	while (answer_one(fd))
		;
	close(fd);
	return NULL;
}

void tcp_serve(uint16_t port)
{
	int listener = listen_on(SOCK_STREAM, port);

	must("listen", listen(listener, 1024));
	puts("ready");
	fflush(stdout);
	for (;;)
		start_thread(serve_one, (void *)(intptr_t)must("accept", accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
}
