// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe: one system call a step, so that a test can write a scenario down as the calls a program makes.
 *
 * A step is a line of words. Its answer is one word: `ok`, the name of an errno, or a value. Sockets are numbered
 * from 0 in the order they came; the last one is current until `use` says otherwise.
 */
#ifndef PROBE_H
#define PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define PROBE_SOCKETS 64
#define PROBE_WORDS   16
#define PROBE_DATA    "probe" /* what every send sends */

struct probe {
	int fd[PROBE_SOCKETS];
	int sockets, current;
	char text[256]; /* a step that succeeded with more to say than `ok` leaves it here */
};

/* A step's work: 0, or an errno as a negative number. word[0] is the step's own name. */
typedef int step_fn(struct probe *probe, int words, char **word);

struct step {
	const char *name;
	const char *args;
	int min, max; /* number of arguments */
	step_fn *run;
};

extern const struct step socket_steps[], peer_steps[], cmsg_steps[], option_steps[], process_steps[], uring_steps[];

struct peer {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	};
	socklen_t len;
};

int peer_parse(const char *addr, const char *port, struct peer *peer);
int probe_fd(const struct probe *probe);
int probe_add(struct probe *probe, int fd);   /* fd, or -1 with errno set; the new socket is current */
int probe_wait(int fd, short events, int ms); /* 0, or -ETIMEDOUT */
void probe_step(struct probe *probe, int words, char **word, char *answer, size_t size);

/* What a system call returned, as a step returns it. */
int outcome(long ret);

#endif
