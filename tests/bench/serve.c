// SPDX-License-Identifier: GPL-2.0-only
/* The other end. It is not under any policy, and does as little as it can. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BACKLOG 65535 /* connections that may wait while the server's CPU is busy: none is dropped */

static int bound(const char *address, int port, int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	inet_pton(AF_INET, address, &to.sin_addr);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)))
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

/*
 * A reset leaves nothing in TIME_WAIT on either end, so ports never run out. The pause lets most clients close
 * first: nobody is woken for each connection, and the two ends do not race.
 */
static void close_all(int listener)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	struct linger reset = { 1, 0 };

	if (setsockopt(listener, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) || fcntl(listener, F_SETFL, O_NONBLOCK))
		die("the listener: %s", strerror(errno));
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			close(fd);
		else
			nanosleep(&pause, NULL);
	}
}

void serve(const char *address)
{
	int close_at = listening(address, PORT_CLOSE);

	drop(address, PORT_DROP);
	drop(address, PORT_DROP_2);
	pin_far();
	puts("ready");
	fflush(stdout);
	close_all(close_at);
}

static int stream_listener = -1;

static int network(const char *process)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", process);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void enter(int net)
{
	if (setns(net, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	close(net);
}

void far_listen(void)
{
	const char *process = getenv("BENCH_FAR");
	int near = network("self");

	if (!process)
		die("BENCH_FAR is not set: start tests/bench/bench");
	enter(network(process));
	stream_listener = listening(FAR4, PORT_STREAM);
	enter(near);
}

int far_accept(void)
{
	return accept4(stream_listener, NULL, NULL, SOCK_CLOEXEC);
}
