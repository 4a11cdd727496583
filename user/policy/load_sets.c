// SPDX-License-Identifier: GPL-2.0-only
/* Which sets there are: the names that rules may write, beside those that are part of the language. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "load.h"
#include "resolv.h"

#define SETS "sets"

/* What is left by editors and packages (office~, .office.swp, office.dpkg-old) is no set that anybody means. */
static bool is_name(const char *name)
{
	return isalpha((unsigned char)*name) && !name[strspn(name, SET_LETTERS)];
}

static void add(struct set_names *names, const char *name)
{
	if (is_name(name))
		*list_add(names) = mem_strdup(name);
}

static void add_folder(struct set_names *names, const char *folder, int len)
{
	char *path = mem_printf("%.*s/" SETS, len, folder);
	DIR *dir = opendir(path);

	for (const struct dirent *file = dir ? readdir(dir) : NULL; file; file = readdir(dir))
		if (file->d_type != DT_DIR)
			add(names, file->d_name);
	if (dir)
		closedir(dir);
	free(path);
}

static void add_built_in(struct set_names *names)
{
	static const char folder[] = BUILT_IN "/" SETS "/";

	for (const struct builtin *file = builtin_first(); file; file = builtin_next(file))
		if (!strncmp(file->file, folder, strlen(folder)))
			add(names, file->file + strlen(folder));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each once, in order. */
static void join_equal(struct set_names *names)
{
	size_t n = 0;

	qsort(names->v, names->n, sizeof(*names->v), by_text);
	for (size_t i = 0; i < names->n; i++)
		if (n && !strcmp(names->v[n - 1], names->v[i]))
			free(names->v[i]);
		else
			names->v[n++] = names->v[i];
	names->n = n;
}

void set_names(const char *path, struct set_names *out)
{
	for (const char *folder = path; *folder; folder += strcspn(folder, ":"), folder += *folder == ':')
		add_folder(out, folder, strcspn(folder, ":"));
	add_built_in(out);
	add(out, SET_RESOLVERS);
	join_equal(out);
}

void set_names_free(struct set_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct set_names){ 0 };
}
