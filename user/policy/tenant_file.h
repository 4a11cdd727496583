/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tenant as a file, FOLDER/tenants.d/NAME.yaml in a folder of the search path:
 *
 *     cgroup: shop.slice        a path, absolute or below the cgroup hierarchy; with *, ? or [...]: each directory that
 *                               matches is a tenant, named after it
 *     policy: appengine         a name, a file, or the keys of a policy; without it: appengine
 *
 * Such a file stands where the name of a policy may (load.h), and is then the policy in it. So what is attached by one
 * is known by that: its policy lies in a folder tenants.d.
 */
#ifndef SW_TENANT_FILE_H
#define SW_TENANT_FILE_H

#include <stdbool.h>

#include "diag.h"

#define TENANTS_FOLDER "tenants.d"

struct tenant_file {
	char *file; /* an absolute path, if the folder's was; this and all below is owned */
	char *name; /* the file's, without its ending */
	char *text; /* all of it, which mistakes are shown in */
	size_t len;
	char *cgroup; /* as it was written */
	unsigned line, col;
	char *policy; /* a name, or a file's path; NULL: it stands here, under its key */
	unsigned policy_line, policy_col;
};

/* False after mistakes, which are in `diags`. tenant_file_free() either way. */
bool tenant_file_load(const char *file, struct tenant_file *out, struct diags *diags);
void tenant_file_free(struct tenant_file *tenant);

/* Where its cgroup is named; and its policy. */
struct place tenant_file_cgroup(const struct tenant_file *tenant);
struct place tenant_file_policy(const struct tenant_file *tenant);

/* The file's name without folder and ending, to be freed. */
char *tenant_file_name(const char *file);

/* It names many cgroups. */
bool tenant_file_is_glob(const struct tenant_file *tenant);

/* The file lies in a folder tenants.d, so it is a tenant's and no policy's. */
bool tenant_file_is(const char *file);

#endif
