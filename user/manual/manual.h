/* SPDX-License-Identifier: GPL-2.0-only */
/* What is printed from the tables of commands and options when this is built: manual pages, and what completes words. */
#ifndef SW_MANUAL_H
#define SW_MANUAL_H

#include <stdio.h>

#include "commands.h"

/* The options of a command, those of a program of its own among them. */
struct option_table manual_options(const struct command *command);

/* A manual page for scdoc(1): "sockwarden-run.1". Its own text is in `files`, of which it may have none. 0 or -errno. */
int manual_page(const char *page, char **files, FILE *out);

/*
 * The tables for a shell, a line each, four fields with tabs between, none of them empty:
 *
 *   VERB  -           ARGUMENTS  HELP    a command; ARGUMENTS are "-", or words as in the usage line
 *   VERB  -j,--json   VALUE      HELP    an option of it; VALUE is "-", or what it takes
 *
 * What can stand there is a word in capitals, or itself; several have a "|" between. After "..." the last goes on.
 */
void manual_words(FILE *out);

#endif
