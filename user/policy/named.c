// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "allow.h"
#include "load.h"
#include "mem.h"
#include "named.h"
#include "tenant_file.h"

const char *policy_path(void)
{
	const char *path = secure_getenv("SOCKWARDEN_PATH");
	static char *found;

	if (path && *path)
		return path;
	if (!found)
		found = search_path();
	return found;
}

/* Takes the policy and its messages, and prints those. */
static struct image *compile_loaded(struct policy *policy, struct diags *diags, bool notes, FILE *out)
{
	struct image *image = policy ? compile(policy, diags) : NULL;

	if (!notes)
		diags_drop_notes(diags);
	diags_print(diags, out);
	diags_free(diags);
	policy_free(policy);
	return image;
}

struct image *policy_compile(const char *name, bool notes, FILE *out)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_load(policy_path(), name, &diags);

	return compile_loaded(policy, &diags, notes, out);
}

char *policy_resolve(const char *name)
{
	struct tenant_file tenant;
	struct diags ignored = { 0 };
	char *policy;

	if (!tenant_file_is(name))
		return mem_strdup(name);
	policy = mem_strdup(tenant_file_load(name, &tenant, &ignored) && tenant.policy ? tenant.policy : name);
	tenant_file_free(&tenant);
	diags_free(&ignored);
	return policy;
}

struct policy *policy_given(const char *name, struct diags *diags)
{
	return strcmp(name, "-") ? policy_load(policy_path(), name, diags) : policy_from_stdin(policy_path(), diags);
}

struct image *policy_compile_given(const char *name, bool notes, FILE *out)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_given(name, &diags);

	return compile_loaded(policy, &diags, notes, out);
}

char *policy_source(const char *name)
{
	char *real = policy_is_path(name) ? realpath(name, NULL) : NULL;

	return real ? real : mem_strdup(name);
}
