/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All tenants that are files: those of the folders tenants.d of the search path. Of two with the same name the one
 * whose folder comes first counts. Files that begin with a dot, or do not end as a policy's do, are none.
 */
#ifndef SW_TENANT_SET_H
#define SW_TENANT_SET_H

#include "image.h"
#include "intern.h"
#include "tenant_file.h"

struct tenant {
	struct tenant_file file;
	const struct image *image; /* its policy, compiled; the set's. NULL: it has mistakes */
};

struct tenant_folder {
	char *path; /* absolute, without links as far as it is there */
	bool there;
};

struct tenant_set {
	LIST(struct tenant) of; /* by name */
	LIST(struct tenant_folder) folders;
	struct intern named;         /* policies by name: each is compiled once, */
	LIST(struct image *) images; /* and is here under the same number, as far as it could be; */
	LIST(struct image *) inside; /* those that files have inside */
};

/* Mistakes of the files and of their policies are in `diags`. tenant_set_free() in any case. */
void tenant_set_read(const char *path, struct tenant_set *out, struct diags *diags);
void tenant_set_folders(const char *path, struct tenant_set *out); /* the same without any tenant */
void tenant_set_free(struct tenant_set *set);

/* The folder that a file, there or not, lies in; NULL: it is no tenant of the set's. */
const struct tenant_folder *tenant_set_folder(const struct tenant_set *set, const char *file);

#endif
