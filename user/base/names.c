// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include "abi.h"
#include "names.h"
#include "plain.h"

const char *reason_name(unsigned reason)
{
	static const char *const names[] = {
#define X(id, name, help) [SW_REASON_##id] = name,
		SW_REASONS(X)
#undef X
	};

	return reason < SW_REASON_COUNT ? names[reason] : "?";
}

const char *reason_help(unsigned reason)
{
	static const char *const helps[] = {
#define X(id, name, help) [SW_REASON_##id] = help,
		SW_REASONS(X)
#undef X
	};

	return reason < SW_REASON_COUNT ? helps[reason] : "?";
}

const char *naming_name(unsigned naming)
{
	static const char *const names[] = {
#define X(id, name, help) [SW_NAMING_##id] = name,
		SW_NAMINGS(X)
#undef X
	};

	return naming < SW_NAMING_COUNT ? names[naming] : "?";
}

const char *naming_help(unsigned naming)
{
	static const char *const helps[] = {
#define X(id, name, help) [SW_NAMING_##id] = help,
		SW_NAMINGS(X)
#undef X
	};

	return naming < SW_NAMING_COUNT ? helps[naming] : "?";
}

const char *cause_name(unsigned cause)
{
	static const char *const names[] = { [SW_CAUSE_NONE] = "none",
#define X(id, name, help) [SW_CAUSE_##id] = name,
					     SW_CAUSES(X)
#undef X
	};

	return cause < SW_CAUSE_COUNT ? names[cause] : "?";
}

const char *cause_help(unsigned cause)
{
	static const char *const helps[] = { [SW_CAUSE_NONE] = "it was not closed",
#define X(id, name, help) [SW_CAUSE_##id] = help,
					     SW_CAUSES(X)
#undef X
	};

	return cause < SW_CAUSE_COUNT ? helps[cause] : "?";
}

const char *hook_name(unsigned hook)
{
	static const char *const names[] = {
#define X(id, name, type) [SW_HOOK_##id] = #name,
		SW_HOOKS(X)
#undef X
			[SW_HOOK_PASS] = "pass",
		[SW_HOOK_USE] = "use",
	};

	return hook <= SW_HOOK_USE ? names[hook] : "?";
}

const char *watch_name(unsigned watch)
{
	static const char *const names[] = {
#define X(id, name, sees) [SW_WATCH_##id] = #name,
		SW_WATCHES(X)
#undef X
	};

	return watch < SW_WATCH_COUNT ? names[watch] : "?";
}

const char *watch_sees(unsigned watch)
{
	static const char *const texts[] = {
#define X(id, name, sees) [SW_WATCH_##id] = sees,
		SW_WATCHES(X)
#undef X
	};

	return watch < SW_WATCH_COUNT ? texts[watch] : "?";
}

const char *proto_name(unsigned proto)
{
	return proto == SW_TCP ? "tcp" : proto == SW_UDP ? "udp" : "other";
}

const char *period_name(unsigned period)
{
	return period == SW_DAY ? "day" : period == SW_MONTH ? "month" : "?";
}

const char *comm_format(const char comm[16], char text[SW_COMM_TEXT])
{
	snprintf(text, SW_COMM_TEXT, "%.16s", comm);
	for (char *c = plain(text); *c; c++)
		if (*c == ' ')
			*c = '?';
	return text;
}

/* Most numbers have no name: these are searched, not looked up. */
struct number {
	int is;
	const char *name;
};

#define name_of(numbers, what, is, text) find_name(numbers, sizeof(numbers) / sizeof(*(numbers)), what, is, text)

static const char *find_name(const struct number *numbers, size_t n, const char *what, int is, char text[NUMBER_TEXT])
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i].is == is)
			return numbers[i].name;
	snprintf(text, NUMBER_TEXT, "%s-%d", what, is);
	return text;
}

const char *family_name(int family, char text[NUMBER_TEXT])
{
	static const struct number families[] = {
		{ AF_UNSPEC, "unspec" },   { AF_UNIX, "unix" },           { AF_INET, "inet" }, { AF_INET6, "inet6" },
		{ AF_NETLINK, "netlink" }, { AF_PACKET, "packet" },       { AF_RDS, "rds" },   { AF_CAN, "can" },
		{ AF_TIPC, "tipc" },       { AF_BLUETOOTH, "bluetooth" }, { AF_ALG, "alg" },   { AF_KCM, "kcm" },
		{ AF_VSOCK, "vsock" },     { AF_QIPCRTR, "qipcrtr" },     { AF_SMC, "smc" },   { AF_XDP, "xdp" },
	};

	return name_of(families, "family", family, text);
}

const char *type_name(int type, char text[NUMBER_TEXT])
{
	static const struct number types[] = {
		{ SOCK_STREAM, "stream" }, { SOCK_DGRAM, "dgram" },         { SOCK_RAW, "raw" },
		{ SOCK_RDM, "rdm" },       { SOCK_SEQPACKET, "seqpacket" }, { SOCK_DCCP, "dccp" },
		{ SOCK_PACKET, "packet" },
	};

	return name_of(types, "type", type, text);
}

#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256
#endif

const char *protocol_name(int protocol, char text[NUMBER_TEXT])
{
	static const struct number protocols[] = {
		{ IPPROTO_IP, "ip" },
		{ IPPROTO_ICMP, "icmp" },
		{ IPPROTO_IGMP, "igmp" },
		{ IPPROTO_IPIP, "ipip" },
		{ IPPROTO_TCP, "tcp" },
		{ IPPROTO_EGP, "egp" },
		{ IPPROTO_UDP, "udp" },
		{ IPPROTO_DCCP, "dccp" },
		{ IPPROTO_IPV6, "ipv6" },
		{ IPPROTO_RSVP, "rsvp" },
		{ IPPROTO_GRE, "gre" },
		{ IPPROTO_ESP, "esp" },
		{ IPPROTO_AH, "ah" },
		{ IPPROTO_ICMPV6, "icmpv6" },
		{ 89, "ospf" },
		{ IPPROTO_PIM, "pim" },
		{ 112, "vrrp" },
		{ 115, "l2tp" },
		{ IPPROTO_SCTP, "sctp" },
		{ IPPROTO_UDPLITE, "udplite" },
		{ IPPROTO_RAW, "raw" },
		{ IPPROTO_SMC, "smc" },
		{ IPPROTO_MPTCP, "mptcp" },
	};

	return name_of(protocols, "protocol", protocol, text);
}

bool protocol_implies(int protocol, int type)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
	case IPPROTO_SMC:
	case IPPROTO_SCTP:
		return type == SOCK_STREAM;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return type == SOCK_DGRAM;
	case IPPROTO_DCCP:
		return type == SOCK_DCCP;
	default:
		return false;
	}
}
