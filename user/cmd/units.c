// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "load.h"
#include "unit.h"
#include "units.h"

#define DROP_IN "50-sockwarden.conf"

/* Where systemd looks, the first of two files of a name counts (systemd.unit(5)). */
static const char *const places[] = {
	"/etc/systemd/system.control",   "/run/systemd/system.control", "/run/systemd/transient",
	"/etc/systemd/system",           "/run/systemd/system",         "/run/systemd/generator",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",     "/lib/systemd/system",
};

#define PLACES      (sizeof(places) / sizeof(*places))
#define PLACE_ADMIN 3

char *units_drop_in(const char *pattern)
{
	char *folder = unit_folder_of_pattern(pattern);
	char *path = mem_printf("%s/%s/" DROP_IN, places[PLACE_ADMIN], folder);

	free(folder);
	return path;
}

/* Not one that was masked by a link to /dev/null. */
static bool is_there(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* The unit's own file, to be freed; NULL: it has none. */
static char *find_fragment(const char *unit)
{
	for (size_t i = 0; i < PLACES; i++) {
		char *path = mem_printf("%s/%s", places[i], unit);

		if (is_there(path))
			return path;
		free(path);
	}
	return NULL;
}

bool units_installed(const char *unit)
{
	char *path = find_fragment(unit);
	bool found = path;

	free(path);
	return found;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* ---- what is enabled -------------------------------------------------------------------------------------- */

static int no_dots(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* Calls `each` for what a folder has, in the order of names, as "FOLDER/NAME". */
static void each_file(const char *folder, const char *pattern, void (*each)(char *path, void *data), void *data)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, no_dots, alphasort);

	for (int i = 0; i < n; i++) {
		if (!fnmatch(pattern, entries[i]->d_name, 0)) {
			char *path = mem_printf("%s/%s", folder, entries[i]->d_name);

			each(path, data);
			free(path);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

void unit_files_free(struct unit_files *files)
{
	for (size_t i = 0; i < files->of.n; i++)
		free(files->of.v[i]);
	free(files->of.v);
}

static void add_mark(char *folder, void *data)
{
	struct unit_files *marks = data;
	char *file = mem_printf("%s/" DROP_IN, folder);
	struct stat st;

	if (lstat(file, &st))
		free(file);
	else
		*list_add(&marks->of) = file;
}

struct unit_files units_marks(void)
{
	struct unit_files marks = { 0 };

	for (size_t i = 0; i < PLACES; i++)
		each_file(places[i], "*.d", add_mark, &marks);
	return marks;
}

static const char *mark_at(const struct unit_files *marks, const char *place, const char *folder)
{
	char *path = mem_printf("%s/%s/" DROP_IN, place, folder);
	const char *found = NULL;

	for (size_t i = 0; i < marks->of.n && !found; i++)
		if (!strcmp(marks->of.v[i], path))
			found = marks->of.v[i];
	free(path);
	return found;
}

/* The first that there is of them counts. */
bool units_enabled(const struct unit_files *marks, const char *unit)
{
	const char *found = NULL;
	char *folder;

	for (size_t i = 0; i < PLACES && marks->of.n && !found; i++)
		for (int n = 0; !found && (folder = unit_folder(unit, n)); n++) {
			found = mark_at(marks, places[i], folder);
			free(folder);
		}
	return found && is_there(found);
}

static char *pattern_of(const char *file)
{
	char *folder = mem_strndup(file, strlen(file) - strlen("/" DROP_IN));
	char *pattern = unit_pattern_of_folder(name_of(folder));

	free(folder);
	return pattern;
}

struct units_enabled_list units_list(void)
{
	struct units_enabled_list list = { 0 };
	struct unit_files marks = units_marks();

	for (size_t i = 0; i < marks.of.n; i++)
		if (is_there(marks.of.v[i]))
			*list_add(&list.of) =
				(struct units_enabled){ pattern_of(marks.of.v[i]), mem_strdup(marks.of.v[i]) };
	unit_files_free(&marks);
	return list;
}

void units_list_free(struct units_enabled_list *list)
{
	for (size_t i = 0; i < list->of.n; i++) {
		free(list->of.v[i].pattern);
		free(list->of.v[i].file);
	}
	free(list->of.v);
}

/* ---- a unit's drop-ins ------------------------------------------------------------------------------------ */

static void add_drop_in(char *path, void *data)
{
	struct unit_files *drop_ins = data;

	for (size_t i = 0; i < drop_ins->of.n; i++)
		if (!strcmp(name_of(drop_ins->of.v[i]), name_of(path)))
			return;
	*list_add(&drop_ins->of) = mem_strdup(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(*(char *const *)a), name_of(*(char *const *)b));
}

/* In the order in which they are read. */
static struct unit_files find_drop_ins(const char *unit)
{
	struct unit_files drop_ins = { 0 };
	char *folder;

	for (size_t i = 0; i < PLACES; i++)
		for (int n = 0; (folder = unit_folder(unit, n)); n++) {
			char *path = mem_printf("%s/%s", places[i], folder);

			each_file(path, "*.conf", add_drop_in, &drop_ins);
			free(path);
			free(folder);
		}
	if (drop_ins.of.n)
		qsort(drop_ins.of.v, drop_ins.of.n, sizeof(*drop_ins.of.v), by_name);
	return drop_ins;
}

/* ---- its policy ------------------------------------------------------------------------------------------- */

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (isspace((unsigned char)*text))
		text++;
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

/* As systemd reads its files: an empty value takes back what was said before. */
static void read_policy(const char *path, char **policy)
{
	size_t len;
	char *text = file_read(path, &len), *rest = text, *line;
	bool ours = false;

	while ((line = strsep(&rest, "\n"))) {
		line = trim(line);
		if (*line == '[')
			ours = !strcmp(line, "[X-Sockwarden]");
		else if (ours && !strncmp(line, "Policy", 6) && *trim(line + 6) == '=') {
			free(*policy);
			line = trim(strchr(line, '=') + 1);
			*policy = *line ? mem_strdup(line) : NULL;
		}
	}
	free(text);
}

char *units_policy_in(const char *file)
{
	char *policy = NULL;

	read_policy(file, &policy);
	return policy;
}

char *units_policy(const char *unit)
{
	struct unit_files drop_ins = find_drop_ins(unit);
	char *policy = NULL, *fragment = find_fragment(unit);

	if (fragment)
		read_policy(fragment, &policy);
	for (size_t i = 0; i < drop_ins.of.n; i++)
		read_policy(drop_ins.of.v[i], &policy);
	unit_files_free(&drop_ins);
	free(fragment);
	return policy;
}
