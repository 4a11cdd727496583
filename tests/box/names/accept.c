// SPDX-License-Identifier: GPL-2.0-only
/*
 * accept PORT...: the far end of clients that connect and do no more, on every address of both families. A
 * connection is closed when KEPT others came after it; a client that is done has closed it long before.
 */
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_MAX 16
#define KEPT      512

static int listen_on(const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(strtoul(port, NULL, 10)) };
	int one = 1, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 4096))
		err(1, "port %s", port);
	return fd;
}

static void take_all(int listener)
{
	static int kept[KEPT];
	static size_t next;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (kept[next])
			close(kept[next]);
		kept[next++] = fd;
		next %= KEPT;
	}
}

int main(int argc, char **argv)
{
	struct pollfd ready[PORTS_MAX];
	int n = argc - 1;

	if (n < 1 || n > PORTS_MAX)
		errx(2, "usage: accept PORT...");
	for (int i = 0; i < n; i++)
		ready[i] = (struct pollfd){ .fd = listen_on(argv[i + 1]), .events = POLLIN };
	while (poll(ready, n, -1) > 0) {
		for (int i = 0; i < n; i++) {
			if (ready[i].revents)
				take_all(ready[i].fd);
		}
	}
	err(1, "poll");
}
