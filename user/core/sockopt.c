// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <sys/socket.h>

#include "sockopt.h"

static const struct option_name {
	const char *text;
	int level, name;
} names[] = {
#define NAME(level, name)                                                                                              \
	{                                                                                                              \
#name, level, name                                                                                     \
	}
	NAME(SOL_SOCKET, SO_DEBUG),
	NAME(SOL_SOCKET, SO_REUSEADDR),
	NAME(SOL_SOCKET, SO_TYPE),
	NAME(SOL_SOCKET, SO_ERROR),
	NAME(SOL_SOCKET, SO_DONTROUTE),
	NAME(SOL_SOCKET, SO_BROADCAST),
	NAME(SOL_SOCKET, SO_SNDBUF),
	NAME(SOL_SOCKET, SO_RCVBUF),
	NAME(SOL_SOCKET, SO_SNDBUFFORCE),
	NAME(SOL_SOCKET, SO_RCVBUFFORCE),
	NAME(SOL_SOCKET, SO_KEEPALIVE),
	NAME(SOL_SOCKET, SO_OOBINLINE),
	NAME(SOL_SOCKET, SO_NO_CHECK),
	NAME(SOL_SOCKET, SO_PRIORITY),
	NAME(SOL_SOCKET, SO_LINGER),
	NAME(SOL_SOCKET, SO_REUSEPORT),
	NAME(SOL_SOCKET, SO_PASSCRED),
	NAME(SOL_SOCKET, SO_PEERCRED),
	NAME(SOL_SOCKET, SO_RCVLOWAT),
	NAME(SOL_SOCKET, SO_SNDLOWAT),
	NAME(SOL_SOCKET, SO_RCVTIMEO),
	NAME(SOL_SOCKET, SO_SNDTIMEO),
	NAME(SOL_SOCKET, SO_BINDTODEVICE),
	NAME(SOL_SOCKET, SO_ATTACH_FILTER),
	NAME(SOL_SOCKET, SO_DETACH_FILTER),
	NAME(SOL_SOCKET, SO_TIMESTAMP),
	NAME(SOL_SOCKET, SO_ACCEPTCONN),
	NAME(SOL_SOCKET, SO_MARK),
	NAME(SOL_SOCKET, SO_PROTOCOL),
	NAME(SOL_SOCKET, SO_DOMAIN),
	NAME(SOL_SOCKET, SO_RXQ_OVFL),
	NAME(SOL_SOCKET, SO_BUSY_POLL),
	NAME(SOL_SOCKET, SO_MAX_PACING_RATE),
	NAME(SOL_SOCKET, SO_INCOMING_CPU),
	NAME(SOL_SOCKET, SO_ZEROCOPY),
	NAME(SOL_SOCKET, SO_TXTIME),
	NAME(SOL_SOCKET, SO_COOKIE),
	NAME(IPPROTO_TCP, TCP_NODELAY),
	NAME(IPPROTO_TCP, TCP_MAXSEG),
	NAME(IPPROTO_TCP, TCP_CORK),
	NAME(IPPROTO_TCP, TCP_KEEPIDLE),
	NAME(IPPROTO_TCP, TCP_KEEPINTVL),
	NAME(IPPROTO_TCP, TCP_KEEPCNT),
	NAME(IPPROTO_TCP, TCP_SYNCNT),
	NAME(IPPROTO_TCP, TCP_LINGER2),
	NAME(IPPROTO_TCP, TCP_DEFER_ACCEPT),
	NAME(IPPROTO_TCP, TCP_WINDOW_CLAMP),
	NAME(IPPROTO_TCP, TCP_INFO),
	NAME(IPPROTO_TCP, TCP_QUICKACK),
	NAME(IPPROTO_TCP, TCP_CONGESTION),
	NAME(IPPROTO_TCP, TCP_USER_TIMEOUT),
	NAME(IPPROTO_TCP, TCP_FASTOPEN),
	NAME(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
	NAME(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
	NAME(IPPROTO_TCP, TCP_ULP),
	NAME(IPPROTO_UDP, UDP_CORK),
	NAME(IPPROTO_UDP, UDP_SEGMENT),
	NAME(IPPROTO_UDP, UDP_GRO),
	NAME(IPPROTO_IP, IP_TOS),
	NAME(IPPROTO_IP, IP_TTL),
	NAME(IPPROTO_IP, IP_OPTIONS),
	NAME(IPPROTO_IP, IP_PKTINFO),
	NAME(IPPROTO_IP, IP_MTU_DISCOVER),
	NAME(IPPROTO_IP, IP_RECVERR),
	NAME(IPPROTO_IP, IP_RECVTTL),
	NAME(IPPROTO_IP, IP_RECVTOS),
	NAME(IPPROTO_IP, IP_MTU),
	NAME(IPPROTO_IP, IP_FREEBIND),
	NAME(IPPROTO_IP, IP_TRANSPARENT),
	NAME(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
	NAME(IPPROTO_IP, IP_MULTICAST_IF),
	NAME(IPPROTO_IP, IP_MULTICAST_TTL),
	NAME(IPPROTO_IP, IP_MULTICAST_LOOP),
	NAME(IPPROTO_IP, IP_ADD_MEMBERSHIP),
	NAME(IPPROTO_IP, IP_LOCAL_PORT_RANGE),
	NAME(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
	NAME(IPPROTO_IPV6, IPV6_MULTICAST_IF),
	NAME(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
	NAME(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
	NAME(IPPROTO_IPV6, IPV6_MTU),
	NAME(IPPROTO_IPV6, IPV6_RECVERR),
	NAME(IPPROTO_IPV6, IPV6_V6ONLY),
	NAME(IPPROTO_IPV6, IPV6_RECVPKTINFO),
	NAME(IPPROTO_IPV6, IPV6_RTHDR),
	NAME(IPPROTO_IPV6, IPV6_TCLASS),
	NAME(IPPROTO_IPV6, IPV6_DONTFRAG),
#undef NAME
};

#define NAMES (sizeof(names) / sizeof(names[0]))

/* Digits up to `stop`, which is passed over too. */
static bool number_parse(const char **text, char stop, int *value)
{
	size_t digits = strspn(*text, "0123456789");
	long number = digits && digits <= 10 ? strtol(*text, NULL, 10) : -1;

	if (number < 0 || number > INT_MAX || (*text)[digits] != stop)
		return false;
	*value = number;
	*text += digits + 1;
	return true;
}

bool sockopt_parse(const char *text, int *level, int *name)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (!strcmp(names[i].text, text)) {
			*level = names[i].level;
			*name = names[i].name;
			return true;
		}
	}
	return number_parse(&text, ':', level) && number_parse(&text, '\0', name);
}

const char *sockopt_format(int level, int name, char buf[SOCKOPT_TEXT])
{
	for (size_t i = 0; i < NAMES; i++)
		if (names[i].level == level && names[i].name == name)
			return names[i].text;
	snprintf(buf, SOCKOPT_TEXT, "%d:%d", level, name);
	return buf;
}

const char *sockopt_level(int level, char buf[NUMBER_TEXT])
{
	return level == SOL_SOCKET ? "socket" : protocol_name(level, buf);
}
