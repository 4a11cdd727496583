/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong with a file, all of it at once: collected while it is read, printed by the command that
 * asked for the file.
 */
#ifndef SW_DIAG_H
#define SW_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "mem.h"

struct diag {
	char *file;         /* owned */
	unsigned line, col; /* from 1; line 0: the file as a whole */
	bool note;          /* worth knowing, no mistake */
	char *text;         /* owned: one line, what is wrong and what to do */
	char *source;       /* owned: the line of the file, or NULL */
	size_t seen;        /* for sorting: which message it is, and which was the first of its file */
	size_t file_seen;
};

struct diags {
	LIST(struct diag);
	size_t errors;
};

/* Where a mistake is. `text`/`len` is the whole file, to quote the line from; NULL if it is not at hand. */
struct place {
	const char *file;
	const char *text;
	size_t len;
	unsigned line, col;
};

void diag_error(struct diags *diags, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_note(struct diags *diags, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* By place, and as they came; files in the order in which they were first spoken of. */
void diags_sort(struct diags *diags);

/* file:line:col: error: text, the source line and a caret, sorted. */
void diags_print(struct diags *diags, FILE *out);

void diags_drop_notes(struct diags *diags);
void diags_drop_sources(struct diags *diags); /* for a log: a line each */
void diags_free(struct diags *diags);

#endif
