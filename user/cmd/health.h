/* SPDX-License-Identifier: GPL-2.0-only */
/* Is this host all right? A few checks, each with a line that says what to do. */
#ifndef SW_HEALTH_H
#define SW_HEALTH_H

#include "host.h"
#include "mem.h"
#include "snapshot.h"

enum health_state {
	HEALTH_OK,
	HEALTH_LOOK,  /* worth a look */
	HEALTH_WRONG, /* something that is promised is not kept now */
};

struct check {
	const char *what; /* one or two words */
	enum health_state state;
	char *text;
};

struct health {
	LIST(struct check) checks;
	size_t wrong; /* of them */
};

/* Where what is checked is read from. */
struct health_sources {
	const struct reports *reports;
	const struct snapshot *daemon; /* NULL: none answers, */
	const char *silence;           /* for this reason */
	const struct host *host;       /* NULL: the caller may not read the kernel's state; what needs it is left out */
};

/* One check more; `what` is not copied. For the files of checks. */
void health_add(struct health *health, const char *what, enum health_state state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What stands in the way of names on this host. */
void health_names(const struct host *host, struct health *health);

/* Ways out of a tenant that its place among the cgroups, or its processes' system calls, leave open. */
void health_outside(const struct host *host, struct health *health);

/* Units that were enabled, and run without a policy. */
void health_units(const struct host *host, struct health *health);

/* Limits of memory that what the programs keep may run into: those around the daemon, which loads them. `daemon`: its
 * process. */
void health_memory(int daemon, struct health *health);

void health_read(const struct health_sources *from, struct health *out);
void health_free(struct health *health);

/* At most 80 columns wide. Those that are wrong only, if `briefly`. */
void health_print(const struct health *health, bool briefly, FILE *out);
void health_json(const struct health *health, struct json *json);

#endif
