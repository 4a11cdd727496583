/* SPDX-License-Identifier: GPL-2.0-only */
/* How a program says what went wrong, and ends. Data goes to stdout, messages to stderr. */
#ifndef SW_SAY_H
#define SW_SAY_H

#include <stdio.h>

#include "journal.h"

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DENIED = 3,       /* explain: denied; policy diff: they differ; apply, if asked: something changed */
	EXIT_RUN_FAILED = 125, /* run: what env(1) says of itself, */
	EXIT_RUN_CANNOT = 126, /* of a command it cannot execute, */
	EXIT_RUN_NONE = 127,   /* and of one it cannot find */
};

/* Its name, which each program defines: it stands before all that it says. */
extern const char say_program[];

/* Prints "sockwarden: ..." to stderr, one plain line, whichever threads print; the other two are the exit status
 * besides. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn_to(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3))); /* instead of stderr */

/*
 * Until say_now(), what warn() is given is kept: for who has the host's lock, which nobody else should wait for because
 * a terminal is stopped or a pipe is full. In programs of one thread.
 */
void say_later(void);
void say_now(void);

/* What a message is about. Where stderr leads to the journal it becomes an entry with these fields; else a line. */
struct about {
	enum journal_message message;
	enum journal_priority priority;
	const char *tenant, *policy, *old_policy, *cgroup; /* NULL: none */
};
void warn_about(const struct about *about, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define fail(...)  (warn(__VA_ARGS__), EXIT_FAILED)
#define usage(...) (warn(__VA_ARGS__), EXIT_USAGE)

#endif
