/* SPDX-License-Identifier: GPL-2.0-only */
/* A writer of CSV as RFC 4180 has it: commas, quotes and line ends in one place. */
#ifndef SW_CSV_H
#define SW_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/types.h>

struct csv {
	FILE *out;
	bool more; /* a field stands before, on this line */
};

void csv_text(struct csv *csv, const char *value); /* NULL: an empty field, "" is one in quotes */
void csv_number(struct csv *csv, __u64 value);
void csv_end(struct csv *csv); /* of the line */

#endif
