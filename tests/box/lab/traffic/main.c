// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <err.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "traffic.h"

#define PATIENCE 20          /* seconds for one call */
#define WINDOW   (256 << 10) /* bytes; the ends of a veth link drop what they have no room for */

char data[DATA_MAX];

ssize_t must(const char *what, ssize_t ret)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

socklen_t address_len(const union address *to)
{
	return to->sa.sa_family == AF_INET ? sizeof(to->in) : sizeof(to->in6);
}

void set_option(int fd, int level, int name, int value)
{
	must("setsockopt", setsockopt(fd, level, name, &value, sizeof(value)));
}

int socket_to(const union address *to, int type)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = must("socket", socket(to->sa.sa_family, type | SOCK_CLOEXEC, 0));

	must("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	must("SO_SNDTIMEO", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)));
	set_option(fd, SOL_SOCKET, SO_RCVBUF, WINDOW);
	return fd;
}

/*
 * One packet in so many, a power of two, does not get to this socket. A socket's filter runs behind the cgroup's
 * programs, and far behind a packet socket: everybody has counted what it drops.
 */
void lose_packets(int fd, uint32_t one_in)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, one_in - 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0x40000),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(*code), .filter = code };

	must("SO_ATTACH_FILTER", setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
}

/* Bytes that this end of a TCP connection had to send again. */
uint64_t sent_again(int fd)
{
	struct tcp_info info = {};
	socklen_t size = sizeof(info);

	must("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
	return info.tcpi_bytes_retrans;
}

void read_all(int fd, uint64_t len)
{
	static char into[DATA_MAX];
	ssize_t n;

	for (; len; len -= n) {
		n = must("read", read(fd, into, len < sizeof(into) ? len : sizeof(into)));
		if (!n)
			errx(1, "the connection ended %lu bytes early", len);
	}
}

void write_all(int fd, uint64_t len, size_t piece)
{
	ssize_t n;

	for (; len; len -= n)
		n = must("write", write(fd, data, len < piece ? len : piece));
}

static void parse_address(const char *text, union address *to)
{
	*to = (union address){};
	if (inet_pton(AF_INET, text, &to->in.sin_addr) == 1)
		to->sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &to->in6.sin6_addr) == 1)
		to->sa.sa_family = AF_INET6;
	else
		errx(2, "%s: not an address", text);
}

int main(int argc, char **argv)
{
	struct result result = {};
	union address to;

	memset(data, 'x', sizeof(data));
	if (argc == 2 && !strcmp(argv[1], "serve"))
		serve();
	if (argc < 6)
		errx(2, "usage: traffic serve | ADDRESS tcp METHOD UP DOWN END [LOSSES] | "
			"ADDRESS udp METHOD COUNT SIZE [SEGMENT]");
	parse_address(argv[1], &to);
	if (!strcmp(argv[2], "tcp"))
		tcp_client(&to, argc - 3, argv + 3, &result);
	else
		udp_client(&to, argc - 3, argv + 3, &result);
	printf("wrote=%lu read=%lu again=%lu\n", result.wrote, result.read, result.again);
	return 0;
}
