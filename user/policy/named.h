/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy by the name that an operator gives it, compiled; with its mistakes told. */
#ifndef SW_NAMED_H
#define SW_NAMED_H

#include "image.h"

#define DEFAULT_POLICY "appengine"

/* The search path of this process: SOCKWARDEN_PATH, or search_path(). Not to be freed. */
const char *policy_path(void);

/* NULL after its mistakes were printed to `out`. Notes are printed only if `notes`. Free with image_free(). */
struct image *policy_compile(const char *name, bool notes, FILE *out);

/* What comes to the same: the name of the policy that a tenant's file has, or else `name`. To be freed. */
char *policy_resolve(const char *name);

/* The same of who only reads a policy: "-" is standard input. */
struct policy *policy_given(const char *name, struct diags *diags);
struct image *policy_compile_given(const char *name, bool notes, FILE *out);

/* Where it came from, so that it is found again from another folder: free() it. */
char *policy_source(const char *name);

#endif
