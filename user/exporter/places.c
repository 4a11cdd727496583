// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mem.h"
#include "places.h"

struct place {
	struct place *older, *newer;
	int fd;
	struct in6_addr from; /* of IPv6 the network alone; all zeroes: it has none */
	time_t since;         /* monotonic clock */
	bool held;            /* its answer is being made */
	bool shut;            /* and in no list any more */
};

static time_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* IPv4's is mapped into IPv6. */
static struct in6_addr address_of(const struct sockaddr *from)
{
	struct in6_addr addr = { 0 };

	if (from && from->sa_family == AF_INET) {
		addr.s6_addr[10] = addr.s6_addr[11] = 0xff;
		memcpy(addr.s6_addr + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	} else if (from && from->sa_family == AF_INET6) {
		addr = ((const struct sockaddr_in6 *)from)->sin6_addr;
	}
	if (!IN6_IS_ADDR_V4MAPPED(&addr))
		memset(addr.s6_addr + 8, 0, 8);
	return addr;
}

static void unlist(struct places *places, struct place *place)
{
	*(place->older ? &place->older->newer : &places->oldest) = place->newer;
	*(place->newer ? &place->newer->older : &places->newest) = place->older;
	places->n--;
}

/* With a reset: what it did not read must not wait in the kernel. Whoever serves it hears of it, and closes it. */
static void shut(struct places *places, struct place *place)
{
	const struct linger none = { .l_onoff = 1 };

	unlist(places, place);
	place->shut = true;
	setsockopt(place->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	shutdown(place->fd, SHUT_RDWR);
}

/* Of that address; NULL: of any. */
static void shut_oldest(struct places *places, const struct in6_addr *from)
{
	struct place *place = places->oldest;

	while (place && (place->held || (from && !IN6_ARE_ADDR_EQUAL(&place->from, from))))
		place = place->newer;
	if (place)
		shut(places, place);
}

static size_t count_of(const struct places *places, const struct in6_addr *from)
{
	size_t n = 0;

	for (const struct place *place = places->oldest; place; place = place->newer)
		n += IN6_ARE_ADDR_EQUAL(&place->from, from);
	return n;
}

static void add(struct places *places, struct place *place)
{
	place->older = places->newest;
	*(places->newest ? &places->newest->newer : &places->oldest) = place;
	places->newest = place;
	places->n++;
}

struct place *place_take(struct places *places, int fd, const struct sockaddr *from)
{
	struct place *place = mem_alloc(1, sizeof(*place));

	*place = (struct place){ .fd = fd, .from = address_of(from), .since = now() };
	pthread_mutex_lock(&places->lock);
	if (count_of(places, &place->from) >= PLACES_EACH)
		shut_oldest(places, &place->from);
	else if (places->n >= PLACES)
		shut_oldest(places, NULL);
	add(places, place);
	pthread_mutex_unlock(&places->lock);
	return place;
}

void place_leave(struct places *places, struct place *place)
{
	pthread_mutex_lock(&places->lock);
	if (!place->shut)
		unlist(places, place);
	pthread_mutex_unlock(&places->lock);
	free(place);
}

static void set_held(struct places *places, struct place *place, bool held)
{
	pthread_mutex_lock(&places->lock);
	place->held = held;
	pthread_mutex_unlock(&places->lock);
}

void place_hold(struct places *places, struct place *place)
{
	set_held(places, place, true);
}

void place_let(struct places *places, struct place *place)
{
	set_held(places, place, false);
}

void places_expire(struct places *places)
{
	time_t last = now() - PLACES_SECONDS;
	struct place *newer;

	pthread_mutex_lock(&places->lock);
	for (struct place *place = places->oldest; place && place->since < last; place = newer) {
		newer = place->newer;
		if (!place->held)
			shut(places, place);
	}
	pthread_mutex_unlock(&places->lock);
}
