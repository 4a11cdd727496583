/* SPDX-License-Identifier: GPL-2.0-only */
/* A set of addresses as it is listed. */
#ifndef SW_RANGES_H
#define SW_RANGES_H

#include "cli.h"

struct range_row {
	const char *set;
	size_t prefixes;
	__s64 published; /* what it was made of, as it says itself; seconds since 1970; 0: not known */
	__s64 changed;   /* the file, likewise */
	const char *source;
};

#define AGE_TEXT 48 /* bytes, also of a time */

void ranges_show(struct cli *cli, const struct range_row *row);

#endif
