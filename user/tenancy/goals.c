// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "goals.h"
#include "hold.h"

static void mistake(struct planning *p, const struct tenant *from, const char *text)
{
	const struct place place = tenant_file_cgroup(&from->file);

	diag_error(p->diags, &place, "%s", text);
}

bool goal_is_match(const struct goal *goal)
{
	return !goal->by_name && !goal->pattern;
}

void goal_refuse(struct planning *p, struct goal *goal, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = mem_vprintf(format, args);
	va_end(args);
	if (!goal_is_match(goal))
		mistake(p, goal->from, text);
	else if (!goal->out)
		*list_add(&p->plan->left_out) = mem_printf("%s is UNPROTECTED, though %s matches it: %s", goal->path,
							   goal->from->file.file, text);
	goal->out = goal_is_match(goal);
	free(text);
}

static struct goal *goal_new(struct planning *p, const struct tenant *from, const char *name, const char *path)
{
	struct goal *goal = list_add(&p->goals);

	goal->from = from;
	snprintf(goal->name, sizeof(goal->name), "%s", name);
	snprintf(goal->path, sizeof(goal->path), "%s", path);
	return goal;
}

/* What a path may be that leads nowhere yet. */
static const char *check_path(const struct planning *p, const char *path)
{
	size_t len = strlen(p->root), levels = 0;

	if (strlen(path) >= SW_PATH_MAX)
		return "it has more than 255 bytes";
	if (strncmp(path, p->root, len) || path[len] != '/')
		return "it is not below the cgroup hierarchy";
	for (const char *at = path + len; at; at = strchr(at + 1, '/'), levels++)
		if (!strncmp(at, "/../", 4) || !strcmp(at, "/..") || !strncmp(at, "//", 2))
			return "write it without .. and //";
	return levels < SW_LEVELS ? NULL : "it is too deep: give one above it";
}

/* A cgroup that is there, and can be a tenant's. Where another than root may make directories, or take processes out,
 * a pattern has no business: there would be as many tenants as he likes. */
static __u64 check_cgroup(struct planning *p, struct goal *goal)
{
	struct cgroup cgroup;
	struct fault fault;

	if (!cgroup_open(&cgroup, goal->path, &fault)) {
		if (goal_is_match(goal) && cgroup_keeps(&cgroup, &fault) == -EPERM)
			goal_refuse(p, goal, "%s", fault.text);
		cgroup_close(&cgroup);
		return cgroup.id;
	}
	if (!access(goal->path, F_OK)) /* else it was removed meanwhile */
		goal_refuse(p, goal, "%s", fault.text);
	return 0;
}

static void add_one(struct planning *p, const struct tenant *from, const char *name, const char *path, bool by_name)
{
	const char *wrong = tenant_name_check(name), *misplaced = check_path(p, path);
	struct goal *goal = goal_new(p, from, name, path);

	goal->by_name = by_name;
	if (wrong)
		goal_refuse(p, goal, "'%.100s' cannot name a tenant: %s", name, wrong);
	else if (misplaced)
		goal_refuse(p, goal, "%.300s cannot be a tenant's cgroup: %s", path, misplaced);
	else
		goal->cgroup = check_cgroup(p, goal);
}

struct matching {
	struct planning *p;
	const struct tenant *from;
};

static void add_match(const char *path, void *data)
{
	struct matching *of = data;
	char *name = tenant_name_of(path);
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		add_one(of->p, of->from, name, path, false);
	free(name);
}

static void add_many(struct planning *p, const struct tenant *from, const char *pattern)
{
	const char *misplaced = check_path(p, pattern), *wrong = tenant_name_check(from->file.name);
	char name[SW_NAME_MAX + 1];

	struct goal *goal;

	if (strlen(from->file.name) + 1 >= SW_NAME_MAX)
		wrong = "it has more than 62 bytes";

	snprintf(name, sizeof(name), "%c%s", WANTED_MANY, from->file.name);
	goal = goal_new(p, from, name, pattern);
	goal->pattern = true;
	if (misplaced)
		goal_refuse(p, goal, "%.300s cannot be tenants' cgroups: %s", pattern, misplaced);
	else if (wrong)
		goal_refuse(p, goal, "'%.100s' cannot be the file's name: %s", from->file.name, wrong);
	else
		cgroup_match(pattern, add_match, &(struct matching){ p, from });
}

static char *absolute(const struct planning *p, const char *path)
{
	char *out = *path == '/' ? mem_strdup(path) : mem_printf("%s/%s", p->root, path);
	size_t len = strlen(out);

	while (len > 1 && out[len - 1] == '/')
		out[--len] = '\0';
	return out;
}

static void add_goals(struct planning *p, const struct tenant *from)
{
	char *path, *real;

	if (!from->file.cgroup)
		return; /* which was said */
	path = absolute(p, from->file.cgroup);
	if (tenant_file_is_glob(&from->file)) {
		add_many(p, from, path);
	} else {
		real = cgroup_real_path(path);
		add_one(p, from, from->file.name, real, true);
		free(real);
	}
	free(path);
}

void goals_find(struct planning *p)
{
	for (size_t i = 0; i < p->set->of.n; i++)
		add_goals(p, &p->set->of.v[i]);
}
