/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named sets of addresses that are part of the language: the special-purpose ranges of the IANA IPv4 and
 * IPv6 registries, each under the name operators use, and the clouds' metadata servers. Sets that change
 * with time (google) are files.
 */
#ifndef SW_SETS_H
#define SW_SETS_H

#include <stdbool.h>

#include "prefix.h"

struct set_range {
	const char *set;
	const char *prefix;
	const char *source; /* where the range is set aside */
	bool reachable;     /* set aside, but globally reachable: a hole in the set */
};

/* All built-in ranges, by set; a NULL set ends the table. */
extern const struct set_range set_ranges[];

/* The union of every built-in set, under one name. */
#define SET_SPECIAL "special"

/* Adds the ranges of the set; false when there is no such set. */
bool set_find(const char *name, struct prefixes *out);

#endif
