// SPDX-License-Identifier: GPL-2.0-only
/*
 * reach ALLOWED DENIED [CGROUP]: says in one word what holds for the cgroup (moving there first), by trying TCP
 * port 80 and UDP echo on an address the policy allows and on one it denies, and a bind and an option it refuses:
 * "untouched", "refused", "policy", or "mixed" with the five results, which is never right.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 300

static struct sockaddr_in peer(const char *text, int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &addr.sin_addr) != 1)
		exit(2);
	return addr;
}

static bool tcp(const char *text)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in addr = peer(text, 80);
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	char byte;
	bool yes;

	if (fd < 0)
		return false;
	yes = (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) || errno == EINPROGRESS) &&
	      poll(&ready, 1, WAIT_MS) == 1 && !(ready.revents & POLLERR) && recv(fd, &byte, 1, 0) < 0 &&
	      errno == EAGAIN;
	close(fd);
	return yes;
}

static bool udp(const char *text)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in addr = peer(text, 7);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	bool yes;

	if (fd < 0)
		return false;
	yes = sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof(addr)) == 1 && poll(&ready, 1, WAIT_MS) == 1;
	close(fd);
	return yes;
}

static bool can_bind(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr = peer("127.0.0.1", 4711);
	bool yes = fd >= 0 && !bind(fd, (struct sockaddr *)&addr, sizeof(addr));

	if (fd >= 0)
		close(fd);
	return yes;
}

static bool can_set(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	bool yes = fd >= 0 && !setsockopt(fd, IPPROTO_IP, 15 /* IP_FREEBIND */, &one, sizeof(one));

	if (fd >= 0)
		close(fd);
	return yes;
}

static void join(const char *cgroup)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		exit(2);
	close(fd);
}

int main(int argc, char **argv)
{
	bool allowed, denied, options;

	if (argc < 3)
		return 2;
	if (argc > 3)
		join(argv[3]);
	bool tcp_allowed = tcp(argv[1]), tcp_denied = tcp(argv[2]), udp_allowed = udp(argv[1]),
	     udp_denied = udp(argv[2]);
	bool bind_denied = can_bind(), set_denied = can_set();

	allowed = tcp_allowed && udp_allowed;
	denied = tcp_denied && udp_denied;
	options = bind_denied && set_denied;
	if (allowed && denied && options)
		puts("untouched");
	else if (allowed && !tcp_denied && !udp_denied && !bind_denied && !set_denied)
		puts("policy");
	else if (!tcp_allowed && !udp_allowed && !tcp_denied && !udp_denied)
		puts("refused");
	else
		printf("mixed: tcp %d%d udp %d%d bind %d set %d\n", tcp_allowed, tcp_denied, udp_allowed, udp_denied,
		       bind_denied, set_denied);
	return 0;
}
