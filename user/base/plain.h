/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that somebody else chose, as it may be shown to people: a process names itself, a cgroup's path and a ledger's
 * rows are who knows whose. All that is printed goes through here, but for JSON, CSV and metrics, which escape.
 */
#ifndef SW_PLAIN_H
#define SW_PLAIN_H

#include <stdbool.h>
#include <stdio.h>

/* Whether a character of UTF-8 is seen as itself: it moves no cursor, ends no line, turns no text and is not hidden. */
bool plain_is(unsigned character);

/* In place, with a '?' for each byte that is not, or is no UTF-8. Returns `text`. */
char *plain(char *text);

/* The same, but for the characters of ASCII in `kept`. */
char *plain_but(char *text, const char *kept);

/* Likewise for each byte that is not printable ASCII: for columns as wide as their bytes, and what may become a header. */
char *plain_ascii(char *text);

/* A line, and its end. */
void plain_line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
