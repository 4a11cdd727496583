/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of systemd's units, as systemd.unit(5) and systemd.slice(5) have them: in which folders it looks for drop-ins, and
 * where their cgroups are. A unit is named without a path: tenant-a.slice. What is returned is to be freed.
 */
#ifndef SW_UNIT_H
#define SW_UNIT_H

#include <stdbool.h>

/*
 * A pattern stands for the units of one folder of drop-ins: shop.service for itself, tenant-*.slice for all whose names
 * begin with tenant-, web@*.service for the instances of web@.service. NULL, or what is wrong with it.
 */
const char *unit_pattern_check(const char *pattern);

/* Its folder, as tenant-.slice.d; and the pattern of a folder. */
char *unit_folder_of_pattern(const char *pattern);
char *unit_pattern_of_folder(const char *folder);

/* The folders in which systemd looks for drop-ins of a unit, the most special first: NULL from number `n` on. */
char *unit_folder(const char *unit, int n);

/* The cgroup of a slice below systemd's own, as /tenant.slice/tenant-a.slice; "" for -.slice. */
char *unit_slice_path(const char *slice);

/* The directory of a unit's cgroup: its name, with _ before it where the kernel has a file of that name; and back. */
char *unit_directory(const char *unit);
const char *unit_of_directory(const char *directory);

/* The name with every \xNN as the byte that it stands for. */
char *unit_unescape(const char *unit);

bool unit_is_slice(const char *unit);

#endif
