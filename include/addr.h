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

/* 1 for 0, else 0. Without a branch, or the verifier would walk all that follows twice. */
static inline __u8 sw_is_zero(__u32 word)
{
	__u64 wide = word;

	__asm__ volatile("" : "+r"(wide)); /* from the compiler, which would make it a branch */
	return (wide - 1) >> 63;
}

static inline __u8 sw_addr_is_loopback(const struct sw_addr *a)
{
	__u32 front = a->w[0] | a->w[1], v4 = front | (a->w[2] ^ sw_htonl(0xffff)) | (sw_ntohl(a->w[3]) >> 24 ^ 127),
	      v6 = front | a->w[2] | (a->w[3] ^ sw_htonl(1));

	return sw_is_zero(v4) | sw_is_zero(v6);
}

/* 127.0.0.1 or ::1, as the address is of IPv4 or not. */
static inline struct sw_addr sw_addr_loopback(const struct sw_addr *a)
{
	__u32 v4 = sw_is_zero(a->w[0] | a->w[1] | (a->w[2] ^ sw_htonl(0xffff)));

	return (struct sw_addr){ .w = { 0, 0, v4 * sw_htonl(0xffff), v4 * sw_htonl(0x7f000000) | sw_htonl(1) } };
}

/* An IPv4 multicast group, or all hosts of the link: 224.0.0.0/4 and 255.255.255.255. */
static inline bool sw_addr_is_many_v4(const struct sw_addr *a)
{
	return sw_addr_is_v4(a) && (sw_ntohl(a->w[3]) >> 28 == 0xe || a->w[3] == sw_htonl(0xffffffff));
}

static inline bool sw_addr_equal(const struct sw_addr *a, const struct sw_addr *b)
{
	return a->w[3] == b->w[3] && a->w[2] == b->w[2] && a->w[1] == b->w[1] && a->w[0] == b->w[0];
}

static inline bool sw_flow_equal(const struct sw_flow *a, const struct sw_flow *b)
{
	return a->port == b->port && a->proto == b->proto && a->local == b->local && sw_addr_equal(&a->peer, &b->peer);
}

/*
 * The IPv4 address an IPv6 address is a disguise of, where a translator or a tunnel would deliver to it:
 * NAT64 (RFC 6052), SIIT's ::ffff:0:a.b.c.d (RFC 2765), 6to4 (RFC 3056), Teredo's client, which is stored inverted
 * (RFC 4380), and IPv4-compatible (RFC 4291, without :: and ::1). False when there is none.
 */
static inline bool sw_addr_embedded_v4(const struct sw_addr *a, struct sw_addr *v4)
{
	__u32 front = sw_ntohl(a->w[0]);
	__be32 inner;

	if (front == 0x0064ff9b && !a->w[1] && !a->w[2])
		inner = a->w[3];
	else if (!front && !a->w[1] && a->w[2] == sw_htonl(0xffff0000))
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
