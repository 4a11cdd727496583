/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of a command line: a table of them is what is parsed by, and what --help prints. */
#ifndef SW_OPTIONS_H
#define SW_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct option_row {
	char letter; /* 0: it has none */
	const char *name;
	const char *arg; /* what it takes; NULL: nothing */
	const char *help;
};

struct option_table {
	const struct option_row *rows;
	int n;          /* at most OPTION_ROWS_MAX */
	uint64_t takes; /* bits 1 << row of those that are taken; a letter may be another's among the rest */
	bool leading;   /* the first argument ends them: what follows is not ours */
};

#define OPTION_ROWS_MAX 64

enum {
	OPTION_END = -1,
	OPTION_WITHOUT_VALUE = -2, /* argv[optind - 1] needs one */
	OPTION_UNKNOWN = -3,       /* argv[optind - 1] is not in the table */
};

/* The next row of getopt_long(3), its value in `optarg`; or one of these. */
int option_next(const struct option_table *table, int argc, char **argv);

/* The rows that are taken, a line each, to stdout; what an option is called fills `width` columns. */
void options_print(const struct option_table *table, int width);

#endif
