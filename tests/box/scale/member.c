// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "crowd.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#define TRIES 20 /* of a second each: datagrams may be lost where so many are under way */

static const struct kind {
	const char *name;
	int family, type;
	const char *peer;
	bool used;      /* it is given its peer when it is made */
	bool connected; /* by connect(), not by sendto() */
} table[] = {
	{ "TCP over IPv4", AF_INET, SOCK_STREAM, "127.0.0.1", true, true },
	{ "UDP over IPv4", AF_INET, SOCK_DGRAM, "127.0.0.1", true, false },
	{ "connected UDP over IPv6", AF_INET6, SOCK_DGRAM, "::1", true, true },
	{ "TCP over IPv6", AF_INET6, SOCK_STREAM, "::1", true, true },
	{ "unused UDP over IPv4", AF_INET, SOCK_DGRAM, "127.0.0.1", false, false },
	{ "UDP over IPv6", AF_INET6, SOCK_DGRAM, "::1", true, false },
	{ "TCP over IPv6 to a mapped address", AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1", true, true },
	{ "connected UDP over IPv4", AF_INET, SOCK_DGRAM, "127.0.0.1", true, true },
	{ "unused TCP over IPv6", AF_INET6, SOCK_STREAM, "::1", false, true },
	{ "UDP over IPv6 to a mapped address", AF_INET6, SOCK_DGRAM, "::ffff:127.0.0.1", true, false },
};

const unsigned kinds = sizeof(table) / sizeof(table[0]);

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

const char *kind_name(unsigned kind)
{
	return table[kind].name;
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static socklen_t peer_of(const struct kind *kind, union address *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->any.sa_family = kind->family;
	peer->v4.sin_port = htons(PORT); /* at the same place in both */
	inet_pton(kind->family, kind->peer,
		  kind->family == AF_INET ? (void *)&peer->v4.sin_addr : (void *)&peer->v6.sin6_addr);
	return kind->family == AF_INET ? sizeof(peer->v4) : sizeof(peer->v6);
}

static int name(struct member *member)
{
	const struct kind *kind = &table[member->kind];
	union address peer;
	socklen_t len = peer_of(kind, &peer);

	if (kind->connected && connect(member->fd, &peer.any, len))
		return -1;
	member->named = true;
	return 0;
}

static int post(struct member *member, uint32_t number)
{
	const struct kind *kind = &table[member->kind];
	union address peer;
	socklen_t len = peer_of(kind, &peer);

	if (kind->connected)
		return send(member->fd, &number, sizeof(number), MSG_NOSIGNAL) == sizeof(number) ? 0 : -1;
	return sendto(member->fd, &number, sizeof(number), 0, &peer.any, len) == sizeof(number) ? 0 : -1;
}

/* When one was in vain, the others that may be have no such time. */
static int talk(struct member *member)
{
	static int patience = TRIES;
	bool datagrams = table[member->kind].type == SOCK_DGRAM;
	uint32_t number = ++member->sent, answer = 0;

	if ((!member->named && name(member)) || post(member, number))
		return -1;
	for (int tries = 1; answer != number; tries++) {
		if (recv(member->fd, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer))
			continue;
		if (errno == EAGAIN && tries < patience && !(datagrams && post(member, number)))
			continue;
		patience = 1;
		return -1;
	}
	return 0;
}

void member_open(struct member *member)
{
	const struct kind *kind = &table[member->kind];
	const int mark = member->role == IDLE; /* for who must tell them without asking us */
	const struct timeval second = { .tv_sec = 1 };
	socklen_t len = sizeof(member->cookie);

	member->sent = 0;
	member->named = member->wrong = false;
	member->fd = socket(kind->family, kind->type | SOCK_CLOEXEC, 0);
	if (member->fd < 0 || getsockopt(member->fd, SOL_SOCKET, SO_COOKIE, &member->cookie, &len) ||
	    setsockopt(member->fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) ||
	    setsockopt(member->fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) || (kind->used && talk(member)))
		err(1, "%s", kind->name);
	member->used = seconds();
}

void member_use(struct member *member)
{
	union address own;
	socklen_t len = sizeof(own);

	if (!member->named)
		getsockname(member->fd, &own.any, &len);
	else
		post(member, NO_ANSWER);
	member->used = seconds();
}

bool member_works(struct member *member)
{
	int failed = talk(member);

	member->error = failed ? errno : 0;
	member->used = seconds();
	return !failed;
}

/* Names the peer once more, for then the hooks decide and not what has become of the socket's own state. */
static int try(const struct member *member)
{
	const struct kind *kind = &table[member->kind];
	union address peer;
	socklen_t len = peer_of(kind, &peer);

	if (kind->type == SOCK_DGRAM)
		return sendto(member->fd, "", 1, 0, &peer.any, len);
	if (member->named)
		return send(member->fd, "", 1, MSG_NOSIGNAL);
	return connect(member->fd, &peer.any, len);
}

bool member_is_closed(struct member *member)
{
	member->error = try(member) < 0 ? errno : 0;
	return member->error == ECONNABORTED;
}
