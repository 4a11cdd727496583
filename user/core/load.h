/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where policies and sets are found. A NAME is looked up as policies/NAME.yaml and sets/NAME in each folder
 * of the search path, the administrator's first; anything with a slash or a file's ending is a file.
 */
#ifndef SW_LOAD_H
#define SW_LOAD_H

#include "fault.h"
#include "policy.h"

/* Of folders, separated by colons; the environment variable of the same meaning is SOCKWARDEN_PATH. */
#define SW_SEARCH_PATH "/etc/sockwarden:/var/lib/sockwarden:/usr/share/sockwarden"

/* The whole file, to be freed; NULL with errno. A NUL is put behind it. */
char *file_read(const char *path, size_t *len);

/* True for what is a file's name, not a policy's. */
bool policy_is_file(const char *name);

/* The policy, or NULL: then what is wrong is in `diags`. */
struct policy *policy_load(const char *path, const char *name, struct diags *diags);

/* Adds the addresses of the set, built-in, a file or this host's; false when there is none of that name. */
bool set_load(const char *path, const char *name, struct prefixes *out, struct diags *diags);

/* The file a set is read from, to be freed; NULL when there is none. */
char *set_file(const char *path, const char *name);

#endif
