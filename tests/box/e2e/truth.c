// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was sent, told by two who know nothing of the meters: the far side, from the packets that came there, and the
 * program that sent them. Each tenancy of a test has a number, and sends to addresses that say which:
 *
 *   11.0.X.Y    billable by the test's policy, X.Y the number
 *   11.1.X.Y    exempt
 *
 * truth far FILE          on the far side: takes what is sent to port 9 of these addresses. SIGUSR1: writes FILE, a
 *                         line "NUMBER CLASS BYTES UDP-BYTES" for each address, at last "end DROPPED OTHER"
 * truth send NUMBER FILE  sends datagrams and streams until SIGTERM, then writes FILE: "NUMBER UDP-BYTES" as the
 *                         kernel took them. SIGUSR1: goes on with the sockets it has, and makes no more
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT    9
#define LAST    1 /* the byte that ends a stream; all others are 0 */
#define NUMBERS 65536
#define CLASSES 2
#define QUEUE   (64 << 20)

#define IP_HEADER  20
#define UDP_HEADER 8

static const char *const classes[CLASSES] = { "billable", "exempt" };

static int must(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
	return result;
}

/* Written aside first: whoever sees the file sees all of it. */
static FILE *begin(const char *path, char aside[4096])
{
	FILE *out;

	snprintf(aside, 4096, "%s.new", path);
	out = fopen(aside, "we");
	if (!out)
		err(1, "%s", aside);
	return out;
}

static void finish(FILE *out, const char *path, const char *aside)
{
	if (fclose(out))
		err(1, "%s", aside);
	must(rename(aside, path), path);
}

/* ---- the far side ---- */

static struct sum {
	uint64_t bytes, udp;
} sums[CLASSES][NUMBERS];
static uint64_t other;

static int listen_to_frames(const char *interface)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = must(socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)), "packet socket"),
	    queue = QUEUE;

	at.sll_ifindex = if_nametoindex(interface);
	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)), "SO_RCVBUFFORCE");
	must(bind(fd, (struct sockaddr *)&at, sizeof(at)), interface);
	return fd;
}

struct head {
	struct iphdr ip;
	struct tcphdr tcp; /* if it is one */
};

/* Our programs reset nothing: that is the kernel's own answer to what comes for a socket that is no more. */
static void count(const struct head *head)
{
	uint32_t to = ntohl(head->ip.daddr), len = ntohs(head->ip.tot_len), class = to >> 16 & 0xff;

	if (head->ip.protocol == IPPROTO_TCP && head->tcp.rst)
		return;
	if (to >> 24 != 11 || class >= CLASSES) {
		other++;
		return;
	}
	sums[class][to & 0xffff].bytes += len;
	if (head->ip.protocol == IPPROTO_UDP)
		sums[class][to & 0xffff].udp += len;
}

static void read_frames(int fd)
{
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	struct head head;

	while (recvfrom(fd, &head, sizeof(head), 0, (struct sockaddr *)&from, &size) > 0)
		if (from.sll_pkttype != PACKET_OUTGOING && from.sll_protocol == htons(ETH_P_IP))
			count(&head);
}

static void write_sums(const char *path, int frames)
{
	static uint64_t dropped;
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);
	char aside[4096];
	FILE *out = begin(path, aside);

	read_frames(frames);
	must(getsockopt(frames, SOL_PACKET, PACKET_STATISTICS, &stats, &size), "PACKET_STATISTICS");
	dropped += stats.tp_drops;
	for (int class = 0; class < CLASSES; class ++)
		for (int i = 0; i < NUMBERS; i++)
			if (sums[class][i].bytes)
				fprintf(out, "%d %s %ju %ju\n", i, classes[class], (uintmax_t)sums[class][i].bytes,
					(uintmax_t)sums[class][i].udp);
	fprintf(out, "end %ju %ju\n", (uintmax_t)dropped, (uintmax_t)other);
	finish(out, path, aside);
}

static int serve(int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = must(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	must(bind(fd, (struct sockaddr *)&at, sizeof(at)), "bind");
	if (type == SOCK_STREAM)
		must(listen(fd, 128), "listen");
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void discard(int fd)
{
	static char data[65536];
	bool ended = false;
	ssize_t n;

	while (!ended && (n = read(fd, data, sizeof(data))) > 0)
		ended = data[n - 1] == LAST;
	if (ended || n == 0 || errno != EAGAIN)
		close(fd);
}

static int far(const char *path)
{
	int frames = listen_to_frames("far"), streams = serve(SOCK_STREAM), epoll = epoll_create1(0), signals, fd;
	struct epoll_event event;
	struct signalfd_siginfo info;
	sigset_t set;

	serve(SOCK_DGRAM); /* nobody reads it: it only keeps the kernel from answering that there is none */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = must(signalfd(-1, &set, SFD_CLOEXEC), "signalfd");
	watch(epoll, frames);
	watch(epoll, streams);
	watch(epoll, signals);
	write_sums(path, frames);
	while (epoll_wait(epoll, &event, 1, -1) > 0 || errno == EINTR) {
		if (event.data.fd == frames)
			read_frames(frames);
		else if (event.data.fd == streams && (fd = accept4(streams, NULL, NULL, SOCK_NONBLOCK)) >= 0)
			watch(epoll, fd);
		else if (event.data.fd == signals && read(signals, &info, sizeof(info)) > 0)
			write_sums(path, frames);
		else if (event.data.fd != streams)
			discard(event.data.fd);
	}
	return 1;
}

/* ---- who sends ---- */

static volatile sig_atomic_t stop, hold;

static void on_signal(int number)
{
	if (number == SIGTERM)
		stop = 1;
	else
		hold = 1;
}

static struct sockaddr_in target(int number, int class)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	to.sin_addr.s_addr = htonl(11U << 24 | (uint32_t) class << 16 | (uint32_t)number);
	return to;
}

static int dial(int number, int class, int type)
{
	struct sockaddr_in to = target(number, class);
	int fd = must(socket(AF_INET, type, 0), "socket");

	must(connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
	return fd;
}

static void write_stream(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			err(1, "write");
		if (n > 0)
			len -= n;
	}
}

/* The far end closes first, and so has TIME_WAIT: no packet of ours is left to the kernel, which none is billed for. */
static void hang_up(int fd)
{
	char byte = LAST;

	write_stream(fd, &byte, 1);
	while (read(fd, &byte, 1) > 0 || errno == EINTR)
		errno = 0;
	close(fd);
}

static uint64_t send_datagrams(const int fd[CLASSES], char *data)
{
	uint64_t sent = 0;

	for (int i = rand() % 8; i >= 0; i--) {
		ssize_t n = send(fd[rand() % CLASSES], data, rand() % 1400, 0);

		if (n >= 0)
			sent += n + IP_HEADER + UDP_HEADER;
	}
	return sent;
}

static int send_all(int number, const char *path)
{
	static char data[20000], aside[4096];
	int datagrams[CLASSES], stream;
	uint64_t sent = 0;
	FILE *out;

	signal(SIGTERM, on_signal);
	signal(SIGUSR1, on_signal);
	srand(number);
	out = begin(path, aside); /* who waits for this file may send signals now */
	stream = dial(number, 0, SOCK_STREAM);
	for (int class = 0; class < CLASSES; class ++)
		datagrams[class] = dial(number, class, SOCK_DGRAM);
	while (!stop) {
		sent += send_datagrams(datagrams, data);
		write_stream(stream, data, rand() % sizeof(data));
		if (rand() % 16 == 0 && !hold) {
			hang_up(stream);
			stream = dial(number, rand() % CLASSES, SOCK_STREAM);
		}
		usleep(rand() % 10000);
	}
	hang_up(stream);
	fprintf(out, "%d %ju\n", number, (uintmax_t)sent);
	finish(out, path, aside);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "far"))
		return far(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "send"))
		return send_all(atoi(argv[2]), argv[3]);
	errx(2, "usage: truth far FILE | truth send NUMBER FILE");
}
