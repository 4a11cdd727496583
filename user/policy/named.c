// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "mem.h"
#include "named.h"

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

static void drop_notes(struct diags *diags)
{
	size_t n = 0;

	for (size_t i = 0; i < diags->n; i++) {
		if (!diags->v[i].note) {
			diags->v[n++] = diags->v[i];
			continue;
		}
		free(diags->v[i].file);
		free(diags->v[i].text);
		free(diags->v[i].source);
	}
	diags->n = n;
}

/* Takes the policy and its messages, and prints those. */
static struct image *compile_loaded(struct policy *policy, struct diags *diags, bool notes, FILE *out)
{
	struct image *image = policy ? compile(policy, diags) : NULL;

	if (!notes)
		drop_notes(diags);
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
	char *real = policy_is_file(name) ? realpath(name, NULL) : NULL;

	return real ? real : mem_strdup(name);
}
