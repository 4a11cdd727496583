/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Units of systemd that are tenants: what files say of them. `enable` writes a drop-in beside them, which is all that is
 * kept of it: the unit then starts only after sockwarden-attach@UNIT.service has attached its cgroup.
 */
#ifndef SW_CMD_UNITS_H
#define SW_CMD_UNITS_H

#include <stdbool.h>

#include "mem.h"

#define UNITS_ATTACH "sockwarden-attach@.service"

/* The drop-in that stands for a pattern (unit.h), in the administrator's folder: to be freed. */
char *units_drop_in(const char *pattern);

/* Paths of files. */
struct unit_files {
	LIST(char *) of;
};
void unit_files_free(struct unit_files *files);

/* Every drop-in of ours, masked ones too, by the order of systemd's folders. */
struct unit_files units_marks(void);

/* By these drop-ins: the first that there is of the unit's counts. */
bool units_enabled(const struct unit_files *marks, const char *unit);

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

#endif
