/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses as both sides see them: always 16 bytes, network byte order, IPv4 as ::ffff:a.b.c.d, so
 * that a rule, a lookup or a comparison is written once for both families.
 */
#ifndef SW_ADDR_H
#define SW_ADDR_H

#include "abi.h"

#ifdef __bpf__
#include <bpf/bpf_endian.h>
#define sw_htonl bpf_htonl
#define sw_ntohl bpf_ntohl
#else
#include <arpa/inet.h>
#include <stdbool.h>
#define sw_htonl htonl
#define sw_ntohl ntohl
#endif

#define SW_V4_BITS 96 /* what v4-mapping adds to the length of an IPv4 prefix */

static inline struct sw_addr sw_addr_v4(__be32 v4)
{
	struct sw_addr a = { .w = { 0, 0, sw_htonl(0xffff), v4 } };

	return a;
}

static inline bool sw_addr_is_v4(const struct sw_addr *a)
{
	return a->w[0] == 0 && a->w[1] == 0 && a->w[2] == sw_htonl(0xffff);
}

static inline bool sw_addr_equal(const struct sw_addr *a, const struct sw_addr *b)
{
	return a->w[3] == b->w[3] && a->w[2] == b->w[2] && a->w[1] == b->w[1] && a->w[0] == b->w[0];
}

static inline bool sw_flow_equal(const struct sw_flow *a, const struct sw_flow *b)
{
	return a->port == b->port && a->proto == b->proto && sw_addr_equal(&a->peer, &b->peer);
}

/*
 * The IPv4 address an IPv6 address is a disguise of, where a translator or a tunnel would deliver to it:
 * NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo's client, which is stored inverted (RFC 4380), and
 * IPv4-compatible (RFC 4291, without :: and ::1). False when there is none.
 */
static inline bool sw_addr_embedded_v4(const struct sw_addr *a, struct sw_addr *v4)
{
	__u32 front = sw_ntohl(a->w[0]);
	__be32 inner;

	if (front == 0x0064ff9b && !a->w[1] && !a->w[2])
		inner = a->w[3];
	else if (front >> 16 == 0x2002)
		inner = sw_htonl(front << 16 | sw_ntohl(a->w[1]) >> 16);
	else if (front == 0x20010000)
		inner = ~a->w[3];
	else if (!front && !a->w[1] && !a->w[2] && sw_ntohl(a->w[3]) > 1)
		inner = a->w[3];
	else
		return false;
	*v4 = sw_addr_v4(inner);
	return true;
}

#endif
