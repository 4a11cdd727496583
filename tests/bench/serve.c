// SPDX-License-Identifier: GPL-2.0-only
/* The other end. It is not under any policy, and does as little as it can. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BACKLOG 65535 /* connections that may wait while the server's CPU is busy: none is dropped */

static int bound(const char *address, int port, int type)
{
	struct sockaddr_storage to;
	socklen_t len = address_set(&to, address, port);
	int fd = socket(to.ss_family, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&to, len))
		die("%s:%d: %s", address, port, strerror(errno));
	return fd;
}

static void drop(const char *address, int port)
{
	int fd = bound(address, port, SOCK_DGRAM), least = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)))
		die("SO_RCVBUF: %s", strerror(errno));
}

int listening(const char *address, int port)
{
	int fd = bound(address, port, SOCK_STREAM);

	if (listen(fd, BACKLOG))
		die("%s:%d: %s", address, port, strerror(errno));
	return fd;
}

/* A reset leaves nothing in TIME_WAIT on either end, so ports never run out. */
static void close_by_reset(int listener)
{
	struct linger reset = { 1, 0 };

	if (setsockopt(listener, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		die("SO_LINGER: %s", strerror(errno));
}

/* The pause lets most clients close first: nobody is woken for each connection, and the two ends do not race. */
static void close_all(int listener)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	close_by_reset(listener);
	if (fcntl(listener, F_SETFL, O_NONBLOCK))
		die("the listener: %s", strerror(errno));
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			close(fd);
		else
			nanosleep(&pause, NULL);
	}
}

void serve(char *const addresses[])
{
	int close_at = listening(addresses[0], PORT_CLOSE);

	for (; *addresses; addresses++)
		for (int i = 0; i < PEERS_MAX; i++)
			drop(*addresses, PORT_DROP + i);
	pin_far();
	puts("ready");
	fflush(stdout);
	close_all(close_at);
}

static int stream_listeners[NETWORKS] = { -1, -1 };
static enum network used;

void far_listen(void)
{
	static const char *const far[NETWORKS] = { "BENCH_FAR", "BENCH_TWIN_FAR" };

	for (int i = 0; i < NETWORKS && stream_listeners[i] < 0; i++) {
		network_enter(given(far[i]));
		stream_listeners[i] = listening(FAR4, PORT_STREAM);
		close_by_reset(stream_listeners[i]);
	}
	network_enter("1"); /* of the box: on the near side */
}

void far_use(enum network network)
{
	used = network;
}

int far_accept(void)
{
	return accept4(stream_listeners[used], NULL, NULL, SOCK_CLOEXEC);
}
