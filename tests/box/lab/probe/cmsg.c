// SPDX-License-Identifier: GPL-2.0-only
/* Routes that hide the peer: in the ancillary data of a message, where no hook looks, and as an option. */
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdint.h>
#include <string.h>

#include "probe.h"

#define ROUTE_TYPE_2 2
#define ROUTE_SRH    4

struct srh {
	uint8_t next, len, type, left, last, flags;
	uint16_t tag;
	struct in6_addr segment[2]; /* the last one is visited first */
};

static int send_with(int fd, const struct peer *peer, int level, int type, const void *control, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[256];
	} buf = { 0 };
	struct iovec data = { PROBE_DATA, strlen(PROBE_DATA) };
	struct msghdr message = {
		.msg_name = (void *)&peer->sa,
		.msg_namelen = peer->len,
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &buf,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), control, len);
	return outcome(sendmsg(fd, &message, 0));
}

static int parse_route(char **word, struct peer *hop, struct peer *peer, int family)
{
	int err = peer_parse(word[1], "0", hop);

	if (!err)
		err = peer_parse(word[2], word[3], peer);
	return err ? err : hop->sa.sa_family == family ? 0 : -EAFNOSUPPORT;
}

/* No operation, then a loose source route over one hop. */
static void make_lsrr(const struct peer *hop, uint8_t options[8])
{
	const uint8_t head[4] = { IPOPT_NOP, IPOPT_LSRR, 7, IPOPT_MINOFF };

	memcpy(options, head, sizeof(head));
	memcpy(options + 4, &hop->in.sin_addr, 4);
}

static int step_send_lsrr(struct probe *probe, int words, char **word)
{
	struct peer hop, peer;
	uint8_t options[8];
	int err = parse_route(word, &hop, &peer, AF_INET);

	(void)words;
	if (err)
		return err;
	make_lsrr(&hop, options);
	return send_with(probe_fd(probe), &peer, IPPROTO_IP, IP_RETOPTS, options, sizeof(options));
}

static int step_send_rthdr(struct probe *probe, int words, char **word)
{
	struct {
		struct ip6_rthdr head;
		uint32_t reserved;
		struct in6_addr hop;
	} route = { .head = { .ip6r_len = 2, .ip6r_type = ROUTE_TYPE_2, .ip6r_segleft = 1 } };
	struct peer hop, peer;
	int err = parse_route(word, &hop, &peer, AF_INET6);

	(void)words;
	if (err)
		return err;
	route.hop = hop.in6.sin6_addr;
	return send_with(probe_fd(probe), &peer, IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof(route));
}

static int step_set_lsrr(struct probe *probe, int words, char **word)
{
	struct peer hop;
	uint8_t options[8];
	int err = peer_parse(word[1], "0", &hop);

	(void)words;
	if (err)
		return err;
	make_lsrr(&hop, options);
	return outcome(setsockopt(probe_fd(probe), IPPROTO_IP, IP_OPTIONS, options, sizeof(options)));
}

static int step_set_rthdr(struct probe *probe, int words, char **word)
{
	struct srh route = { .len = 4, .type = ROUTE_SRH, .left = 1, .last = 1 };
	struct peer hop;
	int err = peer_parse(word[1], "0", &hop);

	(void)words;
	if (err)
		return err;
	route.segment[1] = hop.in6.sin6_addr;
	return outcome(setsockopt(probe_fd(probe), IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof(route)));
}

const struct step cmsg_steps[] = {
	{ "send-lsrr", "HOP ADDRESS PORT  sendmsg with IP_RETOPTS", 3, 3, step_send_lsrr },
	{ "send-rthdr", "HOP ADDRESS PORT sendmsg with IPV6_RTHDR", 3, 3, step_send_rthdr },
	{ "set-lsrr", "HOP           IP_OPTIONS on the socket", 1, 1, step_set_lsrr },
	{ "set-rthdr", "HOP          IPV6_RTHDR on the socket", 1, 1, step_set_rthdr },
	{ 0 },
};
