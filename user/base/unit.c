// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "unit.h"

/* Of units that have processes, and so a cgroup. */
static const char *const types[] = { ".slice", ".service", ".scope", ".socket", ".mount", ".swap", NULL };

/* From its dot on; NULL: none of these. */
static const char *type_of(const char *unit)
{
	const char *dot = strrchr(unit, '.');

	for (int i = 0; dot && types[i]; i++)
		if (!strcmp(dot, types[i]))
			return dot;
	return NULL;
}

bool unit_is_slice(const char *unit)
{
	const char *type = type_of(unit);

	return type && !strcmp(type, ".slice");
}

static bool has_name_bytes_only(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(":-_.\\@", *text))
			return false;
	return true;
}

/* What an enabled unit would have to wait for itself. */
static bool holds_us(const char *unit)
{
	return !strcmp(unit, "-.slice") || !strcmp(unit, "system.slice") || !strcmp(unit, "init.scope") ||
	       !strncmp(unit, "sockwarden", 10);
}

const char *unit_pattern_check(const char *pattern)
{
	const char *type = type_of(pattern), *star = strchr(pattern, '*');
	char *bare;
	bool plain;

	if (!type || type == pattern)
		return "a unit with processes is wanted, such as 'tenant-*.slice' or shop.service";
	if (holds_us(pattern))
		return "sockwarden's own units are in it";
	if (star && (star + 1 != type || star == pattern || !strchr("-@", star[-1])))
		return "a * stands last, after - or @: 'tenant-*.slice' or 'web@*.service'";
	if (!star && type[-1] == '@')
		return "that is a template: 'NAME@*.service' means its instances";
	bare = unit_folder_of_pattern(pattern);
	plain = has_name_bytes_only(bare);
	free(bare);
	return plain ? NULL : "only letters, digits and : - _ . \\ @ may stand in a unit's name";
}

char *unit_folder_of_pattern(const char *pattern)
{
	const char *star = strchr(pattern, '*');

	return star ? mem_printf("%.*s%s.d", (int)(star - pattern), pattern, star + 1) : mem_printf("%s.d", pattern);
}

char *unit_pattern_of_folder(const char *folder)
{
	char *unit = mem_strndup(folder, strlen(folder) - strlen(".d")), *pattern;
	const char *type = type_of(unit);

	pattern = type && type > unit && strchr("-@", type[-1]) ? mem_printf("%.*s*%s", (int)(type - unit), unit, type)
								: mem_strdup(unit);
	free(unit);
	return pattern;
}

/* Cuts what names the unit down to the next shorter prefix that ends in a hyphen; false: there is none. */
static bool shorten(char *name)
{
	size_t len = strlen(name);
	char *dash;

	if (len && name[len - 1] == '-')
		name[len - 1] = '\0';
	dash = strrchr(name, '-');
	if (!dash || dash == name)
		return false;
	dash[1] = '\0';
	return true;
}

char *unit_folder(const char *unit, int n)
{
	const char *type = type_of(unit), *at = strchr(unit, '@');
	bool is_instance = at && type && at + 1 < type;
	char *name, *folder = NULL;

	if (!type || n < 0)
		return NULL;
	if (!n)
		return mem_printf("%s.d", unit);
	if (is_instance && n == 1)
		return mem_printf("%.*s@%s.d", (int)(at - unit), unit, type);
	name = mem_strndup(unit, (at && at < type ? at : type) - unit);
	for (n -= is_instance; n && shorten(name); n--)
		;
	if (!n)
		folder = mem_printf("%s%s.d", name, type);
	free(name);
	return folder;
}

/* ---- cgroups ---------------------------------------------------------------------------------------------- */

/* What is before its first dot, in names of the kernel's own files. */
static const char *const controllers[] = { "cgroup", "cpu",     "cpuacct", "cpuset", "io",   "blkio", "memory",
					   "pids",   "devices", "hugetlb", "rdma",   "misc", NULL };

static bool is_kernels(const char *name)
{
	size_t len = strcspn(name, ".");

	if (*name == '_' || *name == '.' || !strcmp(name, "tasks"))
		return true;
	for (int i = 0; name[len] && controllers[i]; i++)
		if (strlen(controllers[i]) == len && !strncmp(name, controllers[i], len))
			return true;
	return false;
}

char *unit_directory(const char *unit)
{
	return mem_printf("%s%s", is_kernels(unit) ? "_" : "", unit);
}

const char *unit_of_directory(const char *directory)
{
	return directory + (*directory == '_');
}

char *unit_slice_path(const char *slice)
{
	const char *type = type_of(slice);
	char *path = mem_strdup(""), *longer, *directory, *unit;

	if (!strcmp(slice, "-.slice"))
		return path;
	for (const char *dash = slice; dash && dash < type;) {
		dash = strchr(dash + 1, '-');
		unit = dash ? mem_printf("%.*s.slice", (int)(dash - slice), slice) : mem_strdup(slice);
		directory = unit_directory(unit);
		longer = mem_printf("%s/%s", path, directory);
		free(directory);
		free(unit);
		free(path);
		path = longer;
	}
	return path;
}

char *unit_unescape(const char *unit)
{
	char *text = mem_strdup(unit), *to = text, digits[3] = "";

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] == 'x' && isxdigit((unsigned char)from[2]) &&
		    isxdigit((unsigned char)from[3])) {
			memcpy(digits, from + 2, 2);
			*to = strtol(digits, NULL, 16);
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}
