// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporter.h"
#include "mem.h"

#define PASSED_FD 3 /* the first of those systemd passes */
#define BACKLOG   64

/* One address. The wildcard of IPv6 hears IPv4 too. */
static int listen_to(const struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (to->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, to->ai_addr, to->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Without a host: the wildcard of IPv6, or where there is no IPv6, of IPv4. -EINVAL: the host is no address. */
static int listen_first(const char *host, const char *port)
{
	static const int families[] = { AF_INET6, AF_INET };
	int fd = -EINVAL;

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		struct addrinfo *list, hints = { .ai_family = families[i],
						 .ai_socktype = SOCK_STREAM,
						 .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST };

		if (getaddrinfo(host, port, &hints, &list))
			continue;
		fd = listen_to(list);
		freeaddrinfo(list);
		if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
			break;
	}
	return fd;
}

/* Takes the host out of "host:port", with the brackets of IPv6 off. False if it is none. */
static bool split(char *address, char **host, char **port)
{
	char *colon = strrchr(address, ':'), *end;

	if (!colon || !colon[1])
		return false;
	*port = colon + 1;
	if (strtoul(*port, &end, 10) > 65535 || *end || **port < '0' || **port > '9')
		return false;
	*colon = '\0';
	*host = *address ? address : NULL;
	if (*address == '[') {
		if (colon[-1] != ']')
			return false;
		colon[-1] = '\0';
		*host = address + 1;
	} else if (strchr(address, ':')) {
		return false;
	}
	return true;
}

int listen_on(const char *address, struct fault *fault)
{
	char *copy = mem_strdup(address), *host, *port;
	int fd = split(copy, &host, &port) ? listen_first(host, port) : -EINVAL;

	free(copy);
	if (fd == -EINVAL)
		return fault_set(fault, EINVAL, "'%s' is no address: give :PORT, 127.0.0.1:PORT or [::1]:PORT",
				 address);
	return fd < 0 ? fault_set(fault, -fd, "cannot listen on %s: %s", address, strerror(-fd)) : fd;
}

static bool listens(int fd)
{
	socklen_t len = sizeof(int);
	int on = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) && on;
}

int listen_passed(struct fault *fault)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (!pid || !count || strtoul(pid, NULL, 10) != (unsigned long)getpid())
		return fault_set(fault, ENOENT, "systemd passed no socket: start this by its socket unit");
	if (strcmp(count, "1"))
		return fault_set(fault, EINVAL, "systemd passed %s sockets: keep one in the socket unit", count);
	if (!listens(PASSED_FD))
		return fault_set(fault, ENOTSOCK, "what systemd passed does not listen: use ListenStream=, Accept=no");
	if (fcntl(PASSED_FD, F_SETFD, FD_CLOEXEC) || fcntl(PASSED_FD, F_SETFL, O_NONBLOCK))
		return fault_set(fault, errno, "the socket systemd passed: %s", strerror(errno));
	return PASSED_FD;
}

const char *listen_name(int fd, char *text, size_t size)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	char host[INET6_ADDRSTRLEN], port[8];

	if (getsockname(fd, (struct sockaddr *)&addr, &len) || addr.ss_family == AF_UNIX ||
	    getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, size, "the socket it was given");
	else
		snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	return text;
}
