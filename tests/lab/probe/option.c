// SPDX-License-Identifier: GPL-2.0-only
/* Socket options, by name, with buffers of any length. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

#define ROOM  16384 /* of a buffer: several pages */
#define GUARD 0xaa /* what fills a buffer before the call: bytes the kernel did not write */

static const struct option {
	const char *name;
	int level, number;
	int len; /* of its value, where it is not an int */
} options[] = {
#define OPTION(level, name) { #name, level, name, sizeof(int) }
	OPTION(SOL_SOCKET, SO_KEEPALIVE),
	OPTION(SOL_SOCKET, SO_DEBUG),
	OPTION(IPPROTO_TCP, TCP_NODELAY),
	{ "SO_LINGER", SOL_SOCKET, SO_LINGER, sizeof(struct linger) },
	OPTION(SOL_SOCKET, SO_OOBINLINE),
	OPTION(SOL_SOCKET, SO_SNDBUF),
	OPTION(SOL_SOCKET, SO_RCVBUF),
	OPTION(SOL_SOCKET, SO_REUSEADDR),
	OPTION(SOL_SOCKET, SO_BROADCAST),
	OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO),
	OPTION(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
	OPTION(SOL_SOCKET, SO_ERROR),
	OPTION(SOL_SOCKET, SO_DOMAIN),
	OPTION(IPPROTO_IP, IP_RECVERR),
	OPTION(IPPROTO_IPV6, IPV6_RECVERR),
	OPTION(IPPROTO_IPV6, IPV6_V6ONLY),
	OPTION(SOL_SOCKET, SO_TYPE),
	OPTION(SOL_SOCKET, SO_PROTOCOL),
	OPTION(SOL_SOCKET, SO_MARK),
	OPTION(SOL_SOCKET, SO_PRIORITY),
	OPTION(SOL_SOCKET, SO_REUSEPORT),
	OPTION(SOL_SOCKET, SO_SNDBUFFORCE),
	OPTION(SOL_SOCKET, SO_TIMESTAMP),
	OPTION(SOL_SOCKET, SO_RCVTIMEO),
	OPTION(SOL_SOCKET, SO_BINDTODEVICE),
	OPTION(IPPROTO_IP, IP_TTL),
	OPTION(IPPROTO_IP, IP_TOS),
	OPTION(IPPROTO_IP, IP_HDRINCL),
	OPTION(IPPROTO_IP, IP_OPTIONS),
	OPTION(IPPROTO_IP, IP_TRANSPARENT),
	OPTION(IPPROTO_IP, IP_FREEBIND),
	OPTION(IPPROTO_IP, IP_PKTINFO),
	OPTION(IPPROTO_IP, IP_MULTICAST_TTL),
	OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
	OPTION(IPPROTO_IPV6, IPV6_RTHDR),
	OPTION(IPPROTO_IPV6, IPV6_DONTFRAG),
	OPTION(IPPROTO_TCP, TCP_INFO),
	OPTION(IPPROTO_TCP, TCP_CORK),
	OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN),
	OPTION(IPPROTO_TCP, TCP_REPAIR),
	OPTION(IPPROTO_TCP, TCP_ULP),
	OPTION(IPPROTO_TCP, TCP_CONGESTION),
#undef OPTION
	{ "IP_LOCAL_PORT_RANGE", IPPROTO_IP, 51, sizeof(int) }, /* not in every libc */
};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

/* An int as a number, anything else as x and its bytes. */
static void show_value(struct probe *probe, const unsigned char *value, socklen_t len)
{
	char *to = probe->text;
	int number;

	if (len == sizeof(number)) {
		memcpy(&number, value, sizeof(number));
		sprintf(to, "%d", number);
		return;
	}
	*to++ = 'x';
	for (socklen_t i = 0; i < len && i < 64; i++)
		to += sprintf(to, "%02x", value[i]);
	*to = '\0';
}

static bool untouched(const unsigned char *buf, size_t from, size_t to)
{
	while (from < to)
		if (buf[from++] != GUARD)
			return false;
	return true;
}

static int step_get(struct probe *probe, int words, char **word)
{
	const struct option *option = find_option(word[1]);
	unsigned char buf[ROOM];
	socklen_t len;

	if (!option)
		return -EINVAL;
	len = words > 2 ? atoi(word[2]) : option->len;
	if (len > sizeof(buf))
		return -EMSGSIZE;
	memset(buf, GUARD, sizeof(buf));
	if (getsockopt(probe_fd(probe), option->level, option->number, buf, &len))
		return -errno;
	show_value(probe, buf, len);
	if (!untouched(buf, len, sizeof(buf)))
		snprintf(probe->text, sizeof(probe->text), "overrun");
	return 0;
}

static int step_set(struct probe *probe, int words, char **word)
{
	const struct option *option = find_option(word[1]);
	int value = atoi(word[2]), err;
	size_t len, room;
	char *buf;

	if (!option)
		return -EINVAL;
	len = words > 3 ? (size_t)atoi(word[3]) : (size_t)option->len;
	room = len > sizeof(struct linger) ? len : sizeof(struct linger);
	buf = calloc(1, room);
	memcpy(buf, &value, sizeof(value));
	if (option->number == SO_LINGER && option->level == SOL_SOCKET)
		memcpy(buf + sizeof(value), &value, sizeof(value));
	err = outcome(setsockopt(probe_fd(probe), option->level, option->number, buf, len));
	free(buf);
	return err;
}

const struct step option_steps[] = {
	{ "get", "OPTION [LENGTH]    of the buffer", 1, 2, step_get },
	{ "set", "OPTION NUMBER [LENGTH]", 2, 3, step_set },
	{ 0 },
};
