// SPDX-License-Identifier: GPL-2.0-only
/* Sends back what comes. A process for each namespace: one alone may not have as many files open. */
#include <err.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd.h"

#define BACKLOG 65535
#define QUEUE   (64 << 20) /* for a datagram from each at once */
#define EVENTS  256
#define AT_ONCE 64 /* messages, before others have their turn */

enum what { LISTENER, DATAGRAMS, STREAM };

static void watch(int poll, int fd, enum what what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)what << 32 | (unsigned)fd };

	if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll_ctl");
}

/* Hears from both families. */
static int bound(int type)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), queue = QUEUE;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(1, "the host's service");
	if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)))
		err(1, "SO_RCVBUFFORCE");
	if (type == SOCK_STREAM && listen(fd, BACKLOG))
		err(1, "listen");
	return fd;
}

static void take_connections(int poll, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		watch(poll, fd, STREAM);
}

static void answer_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	uint32_t number;

	for (int i = 0; i < AT_ONCE; i++) {
		if (recvfrom(fd, &number, sizeof(number), 0, (struct sockaddr *)&from, &size) != sizeof(number))
			break;
		if (number != NO_ANSWER)
			sendto(fd, &number, sizeof(number), 0, (struct sockaddr *)&from, size);
		size = sizeof(from);
	}
}

static void answer_stream(int fd)
{
	uint32_t numbers[AT_ONCE];
	ssize_t len = recv(fd, numbers, sizeof(numbers), 0), size = sizeof(*numbers);

	if (len <= 0)
		close(fd);
	for (int i = 0; i < len / size; i++) /* so small that TCP keeps each in one piece */
		if (numbers[i] != NO_ANSWER && send(fd, &numbers[i], size, MSG_NOSIGNAL) != size)
			close(fd);
}

static void handle(int poll, enum what what, int fd)
{
	if (what == LISTENER)
		take_connections(poll, fd);
	else if (what == DATAGRAMS)
		answer_datagrams(fd);
	else
		answer_stream(fd);
}

void serve(int space, int home, int ready)
{
	struct epoll_event events[EVENTS];
	int poll = epoll_create1(EPOLL_CLOEXEC);

	if (setns(space, CLONE_NEWNET))
		err(1, "setns");
	watch(poll, bound(SOCK_STREAM), LISTENER);
	watch(poll, bound(SOCK_DGRAM), DATAGRAMS);
	if (setns(home, CLONE_NEWNET))
		err(1, "setns");
	if (write(ready, "", 1) != 1)
		err(1, "ready");
	for (;;) {
		int got = epoll_wait(poll, events, EVENTS, -1);

		for (int i = 0; i < got; i++)
			handle(poll, events[i].data.u64 >> 32, (int)events[i].data.u64);
	}
}
