// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcp METHOD UP DOWN END [LOSSES]: send UP bytes by METHOD, receive DOWN bytes, part as END says.
 *
 * With LOSSES one packet in so many, a power of two, is lost on its way in, and some on their way out.
 *
 * Where the server closes first, every packet of the connection belongs to a socket of ours. So it does with
 * `shutdown`, where we wait for the server's end. With `close` we do not.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "traffic.h"

#define SMALL  100
#define LOSSES 64 /* one packet in so many on its way out; on its way in it is for the caller to say */

typedef void send_fn(int fd, uint64_t len);

static void by_write(int fd, uint64_t len)
{
	write_all(fd, len, DATA_MAX);
}

static void by_small(int fd, uint64_t len)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	write_all(fd, len, SMALL);
}

static int file_of(uint64_t len)
{
	int file = must("memfd_create", memfd_create("data", MFD_CLOEXEC));

	must("ftruncate", ftruncate(file, len));
	return file;
}

static void by_sendfile(int fd, uint64_t len)
{
	int file = file_of(len);

	while (len)
		len -= must("sendfile", sendfile(fd, file, NULL, len));
	close(file);
}

static void by_splice(int fd, uint64_t len)
{
	int file = file_of(len), ends[2];
	ssize_t in;

	must("pipe", pipe2(ends, O_CLOEXEC));
	for (; len; len -= in) {
		in = must("splice", splice(file, NULL, ends[1], NULL, len, SPLICE_F_MORE));
		for (ssize_t out = 0; out < in;)
			out += must("splice", splice(ends[0], NULL, fd, NULL, in - out, SPLICE_F_MORE));
	}
	close(ends[0]);
	close(ends[1]);
	close(file);
}

static void by_zerocopy(int fd, uint64_t len)
{
	set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	while (len)
		len -= must("send", send(fd, data, len < DATA_MAX ? len : DATA_MAX, MSG_ZEROCOPY));
}

static void by_uring(int fd, uint64_t len)
{
	while (len)
		len -= must("io_uring send", uring_send(fd, data, len < DATA_MAX ? len : DATA_MAX));
}

static const struct {
	const char *name;
	send_fn *send;
} methods[] = {
	{ "write", by_write },       { "small", by_small }, { "sendfile", by_sendfile }, { "splice", by_splice },
	{ "zerocopy", by_zerocopy }, { "uring", by_uring }, { "fastopen", by_write },
};

static send_fn *method(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (!strcmp(methods[i].name, name))
			return methods[i].send;
	errx(2, "%s: no way to send over TCP", name);
}

/* Connects and says what is to come; with `fastopen` in the first packet. */
static int begin(union address *to, const struct request *request, bool fastopen)
{
	int fd = socket_to(to, SOCK_STREAM);

	if (fastopen) {
		must("sendto", sendto(fd, request, sizeof(*request), MSG_FASTOPEN, &to->sa, address_len(to)));
		return fd;
	}
	must("connect", connect(fd, &to->sa, address_len(to)));
	must("write", write(fd, request, sizeof(*request)));
	return fd;
}

/* The data of `fastopen` went with the first packet. */
static void check_first(int fd)
{
	struct tcp_info info = {};
	socklen_t size = sizeof(info);

	must("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
	if (!(info.tcpi_options & TCPI_OPT_SYN_DATA))
		errx(1, "the first packet carried no data");
}

/* The far side is silent now, or ends the connection. */
static void part(int fd, const char *end)
{
	struct linger now = { .l_onoff = 1 };
	char byte;

	if (!strcmp(end, "reset"))
		must("SO_LINGER", setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	else if (!strcmp(end, "shutdown"))
		must("shutdown", shutdown(fd, SHUT_WR));
	if ((!strcmp(end, "server") || !strcmp(end, "shutdown")) && must("read", read(fd, &byte, 1)))
		errx(1, "more than was asked for");
}

void tcp_client(union address *to, int words, char **word, struct result *result)
{
	struct request request = { .up = strtoull(word[1], NULL, 10), .down = strtoull(word[2], NULL, 10) };
	bool fastopen = !strcmp(word[0], "fastopen");
	int fd, none = 0;

	to->in.sin_port = htons(TRAFFIC_PORT); /* at the same place in both families */
	request.last = strcmp(word[3], "server");
	request.losses = words > 4 ? LOSSES : 0;
	fd = begin(to, &request, fastopen);
	if (request.losses)
		lose_packets(fd, strtoul(word[4], NULL, 10));
	method(word[0])(fd, request.up);
	read_all(fd, request.down);
	if (fastopen)
		check_first(fd);
	if (request.losses) /* the last acknowledgement is not to be lost: it would not be sent again */
		must("SO_DETACH_FILTER", setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)));
	part(fd, word[3]);
	result->wrote = sizeof(request) + request.up;
	result->read = request.down;
	result->again = sent_again(fd);
	must("close", close(fd));
}
