// SPDX-License-Identifier: GPL-2.0-only
/* The other end of every client, one connection after the other. */
#include <err.h>
#include <linux/udp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "traffic.h"

static int server_socket(int type)
{
	union address any = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(TRAFFIC_PORT) } };
	int fd = socket_to(&any, type);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	must("bind", bind(fd, &any.sa, sizeof(any.in6)));
	return fd;
}

/* Until all that was sent has arrived. Clients that reset the connection are no mistake. */
static void wait_for_end(int fd)
{
	char byte;

	if (read(fd, &byte, 1) > 0)
		errx(1, "more than was announced");
}

static void serve_tcp(int listener)
{
	struct request request;
	int fd = must("accept", accept(listener, NULL, NULL));

	if (must("read", recv(fd, &request, sizeof(request), MSG_WAITALL)) != sizeof(request))
		errx(1, "no request");
	if (request.losses)
		lose_packets(fd, request.losses);
	read_all(fd, request.up);
	write_all(fd, request.down, DATA_MAX);
	if (!request.last)
		shutdown(fd, SHUT_WR);
	wait_for_end(fd);
	printf("again=%lu\n", sent_again(fd));
	close(fd);
}

static void serve_udp(int fd)
{
	struct request request;
	union address from;
	socklen_t size = sizeof(from);
	ssize_t n = must("recvfrom", recvfrom(fd, &request, sizeof(request), 0, &from.sa, &size));

	if (n != sizeof(request))
		errx(1, "no request");
	set_option(fd, IPPROTO_UDP, UDP_SEGMENT, request.segment);
	must("sendto", sendto(fd, data, request.down, 0, &from.sa, size));
}

void serve(void)
{
	struct pollfd ready[] = {
		{ .fd = server_socket(SOCK_STREAM), .events = POLLIN },
		{ .fd = server_socket(SOCK_DGRAM), .events = POLLIN },
	};

	signal(SIGPIPE, SIG_IGN);
	set_option(ready[0].fd, IPPROTO_TCP, TCP_FASTOPEN, 16);
	must("listen", listen(ready[0].fd, 16));
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	for (;;) {
		must("poll", poll(ready, 2, -1));
		if (ready[0].revents)
			serve_tcp(ready[0].fd);
		if (ready[1].revents)
			serve_udp(ready[1].fd);
	}
}
