// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli.h"
#include "run_outside.h"

#define PIDS_MAX 1000 /* remembered */
#define LOOK_MAX 4096 /* processes in one look: a command that has more is not slowed down by us */

struct pids {
	LIST(int);
};

static bool was_before(const struct outside *outside, int pid)
{
	for (size_t i = 0; i < outside->before.n; i++)
		if (outside->before.v[i] == pid)
			return true;
	return false;
}

void outside_look_at(struct outside *outside, int pid)
{
	if (outside->pids.n == PIDS_MAX || was_before(outside, pid) || cgroup_has(outside->cgroup, pid))
		return;
	for (size_t i = 0; i < outside->pids.n; i++)
		if (outside->pids.v[i] == pid)
			return;
	*list_add(&outside->pids) = pid;
}

static void add_children_of_thread(struct pids *pids, const char *file)
{
	FILE *in = fopen(file, "re");
	int pid;

	while (in && pids->n < LOOK_MAX && fscanf(in, "%d", &pid) == 1)
		*list_add(pids) = pid;
	if (in)
		fclose(in);
}

static void add_children(struct pids *pids, int pid)
{
	char folder[32], file[320];
	struct dirent *thread;
	DIR *threads;

	snprintf(folder, sizeof(folder), "/proc/%d/task", pid);
	threads = opendir(folder);
	while (threads && (thread = readdir(threads))) {
		snprintf(file, sizeof(file), "%s/%s/children", folder, thread->d_name);
		add_children_of_thread(pids, file);
	}
	if (threads)
		closedir(threads);
}

void outside_begin(struct outside *outside, const struct cgroup *cgroup)
{
	struct pids pids = { 0 };

	*outside = (struct outside){ .cgroup = cgroup };
	add_children(&pids, getpid());
	for (size_t i = 0; i < pids.n; i++)
		*list_add(&outside->before) = pids.v[i];
	free(pids.v);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void outside_look(struct outside *outside)
{
	struct pids pids = { 0 };

	add_children(&pids, getpid());
	for (size_t i = 0; i < pids.n; i++) {
		outside_look_at(outside, pids.v[i]);
		if (!was_before(outside, pids.v[i]))
			add_children(&pids, pids.v[i]);
	}
	free(pids.v);
}

void outside_tell(const struct outside *outside)
{
	size_t n = outside->pids.n;

	if (n)
		warn("%zu%s process%s that the command started left its cgroup: nothing was enforced on %s there. "
		     "Attach "
		     "the cgroup it uses instead. A container is given it with: sockwarden enable 'tenant-*.slice', "
		     "and "
		     "podman run --cgroup-parent=tenant-NAME.slice (or docker run)",
		     n, n == PIDS_MAX ? " or more" : "", n == 1 ? "" : "es", n == 1 ? "it" : "them");
}

void outside_end(struct outside *outside)
{
	free(outside->pids.v);
	free(outside->before.v);
}
