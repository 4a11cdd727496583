/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A crowd of sockets: of tenants that use theirs or leave them idle, and of the host, all in the same network
 * namespaces. What becomes of each is asked of the socket itself, and of the kernel's tables.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPACES_MAX 64 /* network namespaces */

/* The host's service, in each of them. It takes messages of one number each, and sends back what is not NO_ANSWER. */
#define PORT      7
#define NO_ANSWER 0

enum role {
	IDLE,      /* a tenant's, used once */
	BUSY,      /* a tenant's, used all the time */
	BYSTANDER, /* the host's, used once */
	ROLES,
};

/* One socket; in memory that all processes share. */
struct member {
	uint64_t cookie;
	double used; /* when it was last, in seconds */
	int fd;      /* in its own process */
	int error;   /* errno of what was tried last, when it was checked */
	uint32_t sent;
	uint8_t role, kind, space;
	bool named; /* it has a peer or a port: the kernel has it in its tables */
	bool wrong; /* when it was last checked */
};

extern const unsigned kinds;
const char *kind_name(unsigned kind);

/* In the network namespace of the caller. Ends the process when it cannot be. */
void member_open(struct member *member);

/* An operation; data too, if it has a peer. */
void member_use(struct member *member);

/* Data goes there and back; one that had no peer is given one. */
bool member_works(struct member *member);

/* It refuses what it should. */
bool member_is_closed(struct member *member);

double seconds(void);

/*
 * The host's service in a namespace; never returns. Writes a byte to `ready` when it listens. The process is at `home`:
 * none lives where the sockets are.
 */
void serve(int space, int home, int ready);

/* ---- tables ---- */

struct cookies {
	uint64_t *v;
	size_t n, room;
};

/* Adds the cookies of all TCP and UDP sockets in the kernel's tables of the caller's network namespace. */
void tables_read(struct cookies *cookies);
void cookies_sort(struct cookies *cookies);
bool cookies_have(const struct cookies *cookies, uint64_t cookie);

#endif
