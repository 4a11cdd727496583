// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "cgroup.h"
#include "health.h"

/* Where the daemon is, below the root of the hierarchy; false: that is not to be seen. */
static bool daemon_place(int pid, char path[SW_PATH_MAX])
{
	char name[64], line[SW_PATH_MAX + 8];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	file = pid ? fopen(name, "re") : NULL;
	while (file && !found && fgets(line, sizeof(line), file)) {
		found = !strncmp(line, "0::/", 4) && line[strlen(line) - 1] == '\n';
		if (found)
			snprintf(path, SW_PATH_MAX, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	}
	if (file)
		fclose(file);
	return found;
}

/* Else an older hierarchy has it, and limits there are not looked at. */
static bool has_controller(const char *root)
{
	char name[2 * SW_PATH_MAX], line[256] = "";
	FILE *file;

	snprintf(name, sizeof(name), "%s/cgroup.controllers", root);
	file = fopen(name, "re");
	if (file && !fgets(line, sizeof(line), file))
		*line = '\0';
	if (file)
		fclose(file);
	return strstr(line, "memory");
}

/* The first line, if that is a limit. */
static bool read_limit(const char *root, const char *path, const char *which, char limit[32])
{
	char name[3 * SW_PATH_MAX];
	FILE *file;
	bool is;

	snprintf(name, sizeof(name), "%s%s/%s", root, path, which);
	file = fopen(name, "re");
	is = file && fgets(limit, 32, file) && strcmp(limit, "max\n");
	if (file)
		fclose(file);
	limit[is ? strcspn(limit, "\n") : 0] = '\0';
	return is;
}

static bool check_limits(struct health *health, const char *root, const char *path)
{
	static const char *const limits[] = { "memory.max", "memory.high" };
	char limit[32];

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (!read_limit(root, path, limits[i], limit))
			continue;
		health_add(
			health, "memory", HEALTH_LOOK,
			"the daemon is in %s, whose %s is %s bytes: what tenants' sockets need may be charged there, "
			"and is refused at the limit (no-room). Take it off, or move the daemon",
			path, limits[i], limit);
		return true;
	}
	return false;
}

void health_memory(int daemon, struct health *health)
{
	char root[SW_PATH_MAX], path[SW_PATH_MAX];
	struct fault ignored;
	bool limited = false;

	if (cgroup_root(root, &ignored) || !has_controller(root) || !daemon_place(daemon, path))
		return;
	while (path[1] && !limited) {
		char *last = strrchr(path, '/');

		limited = check_limits(health, root, path);
		last[last == path] = '\0';
	}
	if (!limited)
		health_add(health, "memory", HEALTH_OK,
			   "no limit of the daemon's is one for what tenants' sockets need");
}
