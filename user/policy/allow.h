/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy on the spot: "allow:api.example.com:443,*.pypi.org" stands for one that denies all but these peers, and
 * asking for their names. It is written where the name of a policy is, so that it is kept, and read anew, like one.
 */
#ifndef SW_ALLOW_H
#define SW_ALLOW_H

#include <stdbool.h>
#include <stddef.h>

#define ALLOW_MARK "allow:"

static inline bool policy_is_allow(const char *name)
{
	return !__builtin_strncmp(name, ALLOW_MARK, sizeof(ALLOW_MARK) - 1);
}

/*
 * Its text, to be freed. A peer is a name, an address or a prefix, with a port behind a colon or with all ports; IPv6
 * with a port goes into brackets. What is none of these stays as it is, for the reader of policies to refuse.
 */
char *allow_text(const char *name, size_t *len);

#endif
