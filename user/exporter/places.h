/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The places that connections take, of which there are so many, and so many for an address. Whoever comes is let in:
 * when there is no place the oldest goes whose request or answer is not over, for who means well is done in no time.
 * So nobody holds places for longer than it takes others to come, whatever is sent, and however slowly.
 */
#ifndef SW_PLACES_H
#define SW_PLACES_H

#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>

#define PLACES         256
#define PLACES_EACH    64 /* of an address, or of a network of IPv6 with 64 bits */
#define PLACES_SECONDS 30 /* from the first packet to the last; a scrape has 10 s where nothing else is said */

struct place;

struct places {
	pthread_mutex_t lock;
	struct place *oldest, *newest; /* those that were not shut yet */
	size_t n;                      /* of them */
};

#define PLACES_NONE                                                                                                    \
	{                                                                                                              \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                                      \
	}

/* A connection came. Never NULL; to be left before its descriptor is closed. */
struct place *place_take(struct places *places, int fd, const struct sockaddr *from);
void place_leave(struct places *places, struct place *place);

/* Its answer is being made: meanwhile it does not go. */
void place_hold(struct places *places, struct place *place);
void place_let(struct places *places, struct place *place);

/* Shuts those that have lasted too long. */
void places_expire(struct places *places);

#endif
