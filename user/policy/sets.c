// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "sets.h"

#define METADATA "the manuals of clouds"

/*
 * Every range that the IANA registries do not call globally reachable, less what they open again inside
 * one; multicast, which has registries of its own; IPv6 outside 2000::/3, of which nothing has been given out;
 * and where clouds tell a machine its secrets, which is not always in one of these. ::ffff:0:0/96 is IPv4 to us.
 */
const struct set_range set_ranges[] = {
	{ "this-network", "0.0.0.0/8", "RFC 791", false },
	{ "this-network", "::/128", "RFC 4291", false },
	{ "loopback", "127.0.0.0/8", "RFC 1122", false },
	{ "loopback", "::1/128", "RFC 4291", false },
	{ "private", "10.0.0.0/8", "RFC 1918", false },
	{ "private", "172.16.0.0/12", "RFC 1918", false },
	{ "private", "192.168.0.0/16", "RFC 1918", false },
	{ "private", "fc00::/7", "RFC 4193", false },
	{ "shared", "100.64.0.0/10", "RFC 6598", false },
	{ "link-local", "169.254.0.0/16", "RFC 3927", false },
	{ "link-local", "fe80::/10", "RFC 4291", false },
	{ "site-local", "fec0::/10", "RFC 3879", false },
	{ "multicast", "224.0.0.0/4", "RFC 5771", false },
	{ "multicast", "ff00::/8", "RFC 4291", false },
	{ "broadcast", "255.255.255.255/32", "RFC 8190", false },
	{ "documentation", "192.0.2.0/24", "RFC 5737", false },
	{ "documentation", "198.51.100.0/24", "RFC 5737", false },
	{ "documentation", "203.0.113.0/24", "RFC 5737", false },
	{ "documentation", "2001:db8::/32", "RFC 3849", false },
	{ "documentation", "3fff::/20", "RFC 9637", false },
	{ "benchmarking", "198.18.0.0/15", "RFC 2544", false },
	{ "benchmarking", "2001:2::/48", "RFC 5180", false },
	{ "protocol-assignments", "192.0.0.0/24", "RFC 6890", false },
	{ "protocol-assignments", "192.0.0.9/32", "RFC 7723", true },
	{ "protocol-assignments", "192.0.0.10/32", "RFC 8155", true },
	{ "protocol-assignments", "2001::/23", "RFC 2928", false },
	{ "protocol-assignments", "2001:1::1/128", "RFC 7723", true },
	{ "protocol-assignments", "2001:1::2/128", "RFC 8155", true },
	{ "protocol-assignments", "2001:1::3/128", "RFC 9665", true },
	{ "protocol-assignments", "2001:3::/32", "RFC 7450", true },
	{ "protocol-assignments", "2001:4:112::/48", "RFC 7535", true },
	{ "protocol-assignments", "2001:20::/28", "RFC 7343", true },
	{ "protocol-assignments", "2001:30::/28", "RFC 9374", true },
	{ "reserved", "240.0.0.0/4", "RFC 1112", false },
	{ "unassigned", "::/3", "RFC 4291", false },
	{ "unassigned", "64:ff9b::/96", "RFC 6052", true }, /* decided by the IPv4 address inside */
	{ "unassigned", "4000::/2", "RFC 4291", false },
	{ "unassigned", "8000::/1", "RFC 4291", false },
	{ "6to4-relay", "192.88.99.0/24", "RFC 7526", false },
	{ "6to4", "2002::/16", "RFC 3056", false },
	{ "teredo", "2001::/32", "RFC 4380", false },
	{ "ipv4-compatible", "::/96", "RFC 4291", false },
	{ "nat64-local", "64:ff9b:1::/48", "RFC 8215", false },
	{ "discard", "100::/64", "RFC 6666", false },
	{ "discard", "100:0:0:1::/64", "RFC 9780", false },
	{ "segment-routing", "5f00::/16", "RFC 9602", false },
	{ "metadata", "169.254.169.254/32", METADATA, false }, /* nearly all of them */
	{ "metadata", "fd00:ec2::254/128", METADATA, false },  /* Amazon EC2 */
	{ "metadata", "169.254.170.2/32", METADATA, false },   /* Amazon ECS: credentials */
	{ "metadata", "169.254.170.23/32", METADATA, false },  /* Amazon EKS: likewise */
	{ "metadata", "fd00:ec2::23/128", METADATA, false },   /* the same */
	{ "metadata", "fd20:ce::254/128", METADATA, false },   /* Google Cloud */
	{ "metadata", "168.63.129.16/32", METADATA, false },   /* Azure: an address like any other, but never routed */
	{ "metadata", "100.100.100.200/32", METADATA, false }, /* Alibaba Cloud */
	{ "metadata", "192.0.0.192/32", METADATA, false },     /* Oracle Cloud, the former one */
	{ "metadata", "fd00:c1::a9fe:a9fe/128", METADATA, false }, /* Oracle Cloud */
	{ "metadata", "169.254.0.23/32", METADATA, false },        /* Tencent Cloud */
	{ "metadata", "169.254.42.42/32", METADATA, false },       /* Scaleway */
	{ "metadata", "fd00:42::42/128", METADATA, false },        /* the same */
	{ "metadata", "fe80::a9fe:a9fe/128", METADATA, false },    /* OpenStack */
	{ NULL, NULL, NULL, false },
};

bool set_find(const char *name, struct prefixes *out)
{
	struct prefixes closed = { 0 }, open = { 0 };
	bool all = !strcmp(name, SET_SPECIAL), found = false;

	for (const struct set_range *range = set_ranges; range->set; range++) {
		if (!all && strcmp(range->set, name))
			continue;
		found = true;
		if (prefix_parse(range->prefix, list_add(range->reachable ? &open : &closed)))
			abort(); /* the table above is wrong; its unit test says so first */
	}
	if (open.n)
		prefixes_subtract(&closed, &open);
	for (size_t i = 0; i < closed.n; i++)
		*list_add(out) = closed.v[i];
	prefixes_free(&closed);
	prefixes_free(&open);
	return found;
}
