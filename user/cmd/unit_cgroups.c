// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "systemctl.h"
#include "unit.h"
#include "unit_cgroups.h"
#include "units.h"

/* Where systemd's own begins: the true root, but in a container. */
static int find_root(char root[SW_PATH_MAX], struct fault *fault)
{
	static const char own[] = "/init.scope";
	int err = cgroup_root(root, fault);
	size_t len = strlen(root);
	char *of = err ? NULL : cgroup_of(1);
	size_t below = of ? strlen(of) : 0;

	if (err)
		return err;
	if (below >= sizeof(own) - 1 && !strcmp(of + below - (sizeof(own) - 1), own))
		below -= sizeof(own) - 1;
	else
		below = 0;
	snprintf(root + len, SW_PATH_MAX - len, "%.*s", (int)below, of ? of : "");
	free(of);
	return 0;
}

static int slice_of(const char *unit, char **slice, struct fault *fault)
{
	const char *const args[] = { "systemctl", "show", "-P", "Slice", "--", unit, NULL };
	int err;

	*slice = NULL;
	if (unit_is_slice(unit)) {
		*slice = mem_strdup(unit);
		return 0;
	}
	err = systemctl_ask(args, slice, fault);
	if (err)
		return err;
	(*slice)[strcspn(*slice, "\n")] = '\0';
	return **slice ? 0 : fault_set(fault, ENOENT, "systemd does not say in which slice %s is", unit);
}

int unit_cgroup(const char *unit, char path[SW_PATH_MAX], struct fault *fault)
{
	char root[SW_PATH_MAX], *slice = NULL, *below, *directory;
	int err = find_root(root, fault), len;

	if (!err)
		err = slice_of(unit, &slice, fault);
	if (err) {
		free(slice);
		return err;
	}
	below = unit_slice_path(slice);
	directory = unit_directory(unit);
	len = unit_is_slice(unit) ? snprintf(path, SW_PATH_MAX, "%s%s", root, below)
				  : snprintf(path, SW_PATH_MAX, "%s%s/%s", root, below, directory);
	free(directory);
	free(below);
	free(slice);
	return len < SW_PATH_MAX ? 0 : fault_set(fault, ENAMETOOLONG, "the path of %s's cgroup is too long", unit);
}

const char *unit_of_cgroup(const char *path)
{
	return unit_of_directory(strrchr(path, '/') + 1);
}

bool unit_cgroup_outermost(char path[SW_PATH_MAX])
{
	struct unit_files marks = units_marks();
	struct fault ignored;
	char root[SW_PATH_MAX], *end = NULL;
	bool found = false;

	if (!find_root(root, &ignored) && !strncmp(path, root, strlen(root)))
		end = path + strlen(root);
	while (!found && end && *end == '/') {
		end = strchr(end + 1, '/');
		if (end)
			*end = '\0';
		found = units_enabled(&marks, unit_of_cgroup(path));
		if (!found && end)
			*end = '/';
	}
	unit_files_free(&marks);
	return found;
}

static struct {
	void (*each)(const char *path, void *data);
	void *data;
	size_t root;
	struct unit_files marks;
} visit;

/* Units lie in slices. What is below others they made themselves, and may be called anything. */
static int visit_cgroup(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type != FTW_D || strlen(path) <= visit.root)
		return FTW_CONTINUE;
	if (!units_enabled(&visit.marks, unit_of_cgroup(path)))
		return unit_is_slice(unit_of_cgroup(path)) ? FTW_CONTINUE : FTW_SKIP_SUBTREE;
	visit.each(path, visit.data);
	return FTW_SKIP_SUBTREE;
}

int unit_cgroups_each(void (*each)(const char *path, void *data), void *data, struct fault *fault)
{
	char root[SW_PATH_MAX];
	int err = find_root(root, fault);

	if (err)
		return err;
	visit.each = each;
	visit.data = data;
	visit.root = strlen(root);
	visit.marks = units_marks();
	if (visit.marks.of.n)
		nftw(root, visit_cgroup, 32, FTW_PHYS | FTW_ACTIONRETVAL);
	unit_files_free(&visit.marks);
	return 0;
}
