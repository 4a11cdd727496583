/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Units of systemd that are tenants. `enable` writes a drop-in beside them, which is all that is kept of it: the unit then
 * starts only after sockwarden-attach@UNIT.service has attached its cgroup. The tenant is the outermost enabled unit
 * of those that a cgroup lies in; what is below belongs to it.
 *
 * For slices files are read only, so that they start also while systemd executes itself anew. Of other units systemd
 * is asked for the slice that they lie in.
 */
#ifndef SW_CMD_UNITS_H
#define SW_CMD_UNITS_H

#include <stdbool.h>

#include "cgroup.h"
#include "mem.h"

#define UNITS_ATTACH "sockwarden-attach@.service"

/* The drop-in that stands for a pattern (unit.h), in the administrator's folder: to be freed. */
char *units_drop_in(const char *pattern);

/* What is enabled, in whichever of systemd's folders. */
struct units_enabled {
	char *pattern, *file;
};
struct units_enabled_list {
	LIST(struct units_enabled) of; /* by folder, in systemd's order */
};

struct units_enabled_list units_list(void);
void units_list_free(struct units_enabled_list *list);

/* Whether systemd has a unit file of that name. */
bool units_installed(const char *unit);

/* Policy= of [X-Sockwarden] in the unit's file and its drop-ins, the last one: to be freed. NULL: none says it. */
char *units_policy(const char *unit);

/* The same of one file. */
char *units_policy_in(const char *file);

/* The path of the unit's cgroup, whether it is there or not. 0 or -errno. */
int units_cgroup(const char *unit, char path[SW_PATH_MAX], struct fault *fault);

/* Cuts the path of a cgroup down to that of the outermost enabled unit. False, and the path is as it was: there is none. */
bool units_outermost(char path[SW_PATH_MAX]);

/* The unit whose cgroup it is: its last directory. */
const char *units_of(const char *path);

/* Calls `each` for the cgroup of every tenant's unit that is there now, none below another. 0 or -errno. */
int units_each(void (*each)(const char *path, void *data), void *data, struct fault *fault);

/* systemd is to read its files anew. 0, also where no systemd runs, or -errno. */
int units_reload(struct fault *fault);

#endif
