/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the cgroups of units of systemd are, and which of them are tenants'. The tenant is the outermost enabled unit of
 * those that a cgroup lies in; what is below belongs to it.
 *
 * For slices files are read only, so that they start also while systemd executes itself anew. Of other units systemd
 * is asked for the slice that they lie in.
 */
#ifndef SW_CMD_UNIT_CGROUPS_H
#define SW_CMD_UNIT_CGROUPS_H

#include <stdbool.h>

#include "cgroup.h"

/* The path of the unit's cgroup, whether it is there or not. 0 or -errno. */
int unit_cgroup(const char *unit, char path[SW_PATH_MAX], struct fault *fault);

/* Cuts the path of a cgroup down to that of the outermost enabled unit. False, and the path is as it was: there is none. */
bool unit_cgroup_outermost(char path[SW_PATH_MAX]);

/* The unit whose cgroup it is: its last directory. */
const char *unit_of_cgroup(const char *path);

/* Calls `each` for the cgroup of every tenant's unit that is there now, none below another. 0 or -errno. */
int unit_cgroups_each(void (*each)(const char *path, void *data), void *data, struct fault *fault);

#endif
