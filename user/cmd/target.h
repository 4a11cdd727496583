/* SPDX-License-Identifier: GPL-2.0-only */
/* Which tenant an operator means: by its name, or by the path of its cgroup. A path has a slash, a name has none. */
#ifndef SW_CMD_TARGET_H
#define SW_CMD_TARGET_H

#include <stdbool.h>

#include "slots.h"

struct target {
	const char *text;
	__u64 cgroup;           /* that the path leads to; 0: it is a name, or nothing is there any more */
	char path[SW_PATH_MAX]; /* without links, as far as there is something; empty: it is a name */
};

void target_read(const char *text, struct target *target);

/* A cgroup that is gone is known by the path it had. */
bool target_is(const struct target *target, const struct sw_record *record);

/* The tenancy that is attached; none, and the reason, when no tenant is meant. */
struct tenancy target_find(const struct host *host, const char *text, struct fault *fault);

/* Writes why there is none; -ENOENT. */
int target_missing(const char *text, struct fault *fault);

#endif
