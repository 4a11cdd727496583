/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * traffic: a program that sends, and knows how many bytes it gave the kernel.
 *
 * `traffic serve` is the other end. A client says first, in a struct request, what it will send and what it wants.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define TRAFFIC_PORT 9000
#define ECHO_PORT    7
#define DISCARD_PORT 9
#define DATA_MAX     (256 << 10) /* the most that one call sends */

struct request {
	uint64_t up;     /* bytes that follow */
	uint64_t down;   /* bytes wanted, in datagrams of `segment` */
	uint32_t losses; /* one packet in so many does not get to the server's socket; 0: all do */
	uint32_t last;   /* 1: close after the client has */
	uint32_t segment;
	uint32_t pad;
};

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* What a client did. */
struct result {
	uint64_t wrote, read;
	uint64_t again; /* bytes that TCP had to send again */
};

extern char data[DATA_MAX];

/* A call that must not fail. */
ssize_t must(const char *what, ssize_t ret);

socklen_t address_len(const union address *to);
/* A socket of the family, whose calls do not wait for ever and whose window is no larger than the link can take. */
int socket_to(const union address *to, int type);
void set_option(int fd, int level, int name, int value);
void lose_packets(int fd, uint32_t one_in);
uint64_t sent_again(int fd);
void read_all(int fd, uint64_t len);
void write_all(int fd, uint64_t len, size_t piece);

/* One io_uring operation, a send; what it returns. */
ssize_t uring_send(int fd, const void *buf, size_t len);

void tcp_client(union address *to, int words, char **word, struct result *result);
void udp_client(union address *to, int words, char **word, struct result *result);
void serve(void);

#endif
