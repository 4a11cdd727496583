// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static bool is_taken(const struct option_table *table, int row)
{
	return table->takes & 1ULL << row;
}

/* Rows are told from letters by where they begin. */
#define FIRST_ROW 256

/* getopt_long's tables, made from ours. */
static void make_tables(const struct option_table *table, struct option *longs, char *shorts)
{
	if (table->leading)
		*shorts++ = '+';
	*shorts++ = ':';
	for (int i = 0; i < table->n; i++) {
		const struct option_row *row = &table->rows[i];

		if (!is_taken(table, i))
			continue;
		*longs++ =
			(struct option){ row->name, row->arg ? required_argument : no_argument, NULL, FIRST_ROW + i };
		if (row->letter) {
			*shorts++ = row->letter;
			if (row->arg)
				*shorts++ = ':';
		}
	}
	*longs = (struct option){ 0 };
	*shorts = '\0';
}

static int row_of_letter(const struct option_table *table, int letter)
{
	for (int i = 0; i < table->n; i++)
		if (is_taken(table, i) && table->rows[i].letter == letter)
			return i;
	return OPTION_UNKNOWN;
}

int option_next(const struct option_table *table, int argc, char **argv)
{
	struct option longs[OPTION_ROWS_MAX + 1];
	char shorts[2 * OPTION_ROWS_MAX + 3];
	int found;

	make_tables(table, longs, shorts);
	opterr = 0;
	found = getopt_long(argc, argv, shorts, longs, NULL);
	if (found == -1)
		return OPTION_END;
	if (found == ':')
		return OPTION_WITHOUT_VALUE;
	return found >= FIRST_ROW ? found - FIRST_ROW : row_of_letter(table, found);
}

void options_print(const struct option_table *table, int width)
{
	for (int i = 0; i < table->n; i++) {
		const struct option_row *row = &table->rows[i];
		char left[64];

		if (!is_taken(table, i))
			continue;
		snprintf(left, sizeof(left), "%s --%s%s%s", row->letter ? (char[]){ '-', row->letter, ',', 0 } : "   ",
			 row->name, row->arg ? " " : "", row->arg ? row->arg : "");
		if (strlen(left) <= (size_t)width)
			printf("  %-*s %s\n", width, left, row->help);
		else
			printf("  %s\n  %*s %s\n", left, width, "", row->help);
	}
}
