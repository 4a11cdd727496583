// SPDX-License-Identifier: GPL-2.0-only
/*
 * pairs NAME PORT PAIRS THREADS: resolve the name, connect to each address it has, so often. For the C library it is
 * built with.
 *
 * This and its likes in the folder print `refused ADDRESS` for each connection that was not permitted, `other WHY` for
 * what failed otherwise, and last `ok N refused N other N`. A pair is ok when all of it was. What is connected is
 * reset, so that no port is left behind waiting.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define PATIENCE    10 /* seconds for one connect() */

static const char *name, *port;
static long left, ok, refused, other;

static bool again(void)
{
	return __atomic_fetch_sub(&left, 1, __ATOMIC_RELAXED) > 0;
}

static void count(long *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static bool failed(const struct addrinfo *to, const char *what)
{
	char address[NI_MAXHOST] = "?";
	int error = errno;

	getnameinfo(to->ai_addr, to->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST);
	if (error == EACCES || error == EPERM) {
		printf("refused %s\n", address);
		count(&refused);
	} else {
		printf("other %s: %s: %s\n", what, address, strerror(error));
		count(&other);
	}
	return false;
}

static bool connect_to(const struct addrinfo *to)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected;

	if (fd < 0)
		return failed(to, "socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	connected = !connect(fd, to->ai_addr, to->ai_addrlen) || failed(to, "connect");
	close(fd);
	return connected;
}

static void *pairs(void *unused)
{
	struct addrinfo wanted = { .ai_socktype = SOCK_STREAM }, *all, *each;
	bool good;
	int ret;

	(void)unused;
	while (again()) {
		ret = getaddrinfo(name, port, &wanted, &all);
		if (ret) {
			printf("other getaddrinfo: %s\n", gai_strerror(ret));
			count(&other);
			continue;
		}
		good = true;
		for (each = all; each; each = each->ai_next)
			good = connect_to(each) && good;
		freeaddrinfo(all);
		if (good)
			count(&ok);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int n = argc == 5 ? atoi(argv[4]) : 0;

	if (n < 1 || n > THREADS_MAX) {
		fprintf(stderr, "usage: pairs NAME PORT PAIRS THREADS\n");
		return 2;
	}
	name = argv[1];
	port = argv[2];
	left = atol(argv[3]);
	for (int i = 0; i < n; i++) {
		if (pthread_create(&threads[i], NULL, pairs, NULL))
			return 1;
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("ok %ld refused %ld other %ld\n", ok, refused, other);
	return 0;
}
