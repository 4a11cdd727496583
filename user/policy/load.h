/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where policies and sets are found. A NAME is looked up as policies/NAME.yaml and sets/NAME in each folder
 * of the search path, the administrator's first, and last among the files that are built in; anything with a
 * slash or a file's ending is a file.
 */
#ifndef SW_LOAD_H
#define SW_LOAD_H

#include "fault.h"
#include "policy.h"

/*
 * The search path unless SOCKWARDEN_PATH gives another: /etc/sockwarden, /var/lib/sockwarden, the share folder
 * that belongs to this program, /usr/share/sockwarden. With colons between; to be freed.
 */
char *search_path(void);

/* Bytes of a file: a million of the longest prefixes, with a comment here and there. */
#define SW_FILE_MAX (64UL << 20)

/* The whole file, to be freed; NULL with errno, EINVAL for a FIFO, EAGAIN for a terminal. A NUL is put behind it. */
char *file_read(const char *path, size_t *len);

/* Nobody but root can write to it, or put another in its place. */
bool file_is_roots(const char *path);

/* True for what is a file's name, not a policy's. */
bool policy_is_file(const char *name);
/* The same of what may be a policy on the spot, which has slashes, too. */
bool policy_is_path(const char *name);

/* The policy, or NULL: then what is wrong is in `diags`. */
struct policy *policy_load(const char *path, const char *name, struct diags *diags);

/* Likewise of a tenant's file that was read. */
struct tenant_file;
struct policy *policy_of_tenant(const char *path, const struct tenant_file *tenant, struct diags *diags);

/* Likewise from standard input. */
struct policy *policy_from_stdin(const char *path, struct diags *diags);

/* Adds the addresses of the set, built-in, a file or this host's; false when there is none of that name. */
bool set_load(const char *path, const char *name, struct prefixes *out, struct diags *diags);

/* What the name of a set is written with, from a letter on. */
#define SET_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

struct set_names {
	LIST(char *);
};

/* Adds the names of all sets that are files, built in or this host's, in order; without those of the language. */
void set_names(const char *path, struct set_names *out);
void set_names_free(struct set_names *names);

/* When the set's file was changed, seconds since 1970; 0: it is no file. */
__s64 set_changed(const char *path, const char *name);

/* When what a set was made of was published, as its first line says, seconds since 1970; 0: it does not say. */
__s64 set_published(const char *path, const char *name);
__s64 published_in(const char *text); /* of that text */

/* Where a set that is not part of the language is read from, for people, to be freed; NULL when there is none. */
char *set_source(const char *path, const char *name);

#endif
