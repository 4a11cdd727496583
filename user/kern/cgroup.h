/* SPDX-License-Identifier: GPL-2.0-only */
/* Directories of the cgroup v2 hierarchy. */
#ifndef SW_CGROUP_H
#define SW_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "abi.h"
#include "fault.h"

struct cgroup {
	int fd;                 /* of the directory; -1 when closed */
	__u64 id;               /* what the kernel calls it */
	__u32 level;            /* depth below the root; never 0: the root is the whole host */
	char root[SW_PATH_MAX]; /* where the hierarchy is mounted */
	char path[SW_PATH_MAX]; /* absolute, without links or a trailing slash */
};

/* 0, or -errno with the reason in `fault`. Refuses what is not a cgroup v2 directory, and the root. */
int cgroup_open(struct cgroup *cgroup, const char *path, struct fault *fault);
void cgroup_close(struct cgroup *cgroup);

/* A path without links, as far as it is there: what is gone had its last names below that. To be freed. */
char *cgroup_real_path(const char *path);

/* Calls `each` for the directories that a pattern matches now, in order. A backslash in it is none but itself. */
void cgroup_match(const char *pattern, void (*each)(const char *path, void *data), void *data);

/*
 * Whether its processes stay in it: 0, or -EPERM when another than root may write to a cgroup around it, and so take
 * them out; what to attach instead is then in `fault`. Another -errno when that cannot be told.
 */
int cgroup_keeps(const struct cgroup *cgroup, struct fault *fault);

/* The mount point of cgroup v2, at /sys/fs/cgroup or beside version 1. */
int cgroup_root(char root[SW_PATH_MAX], struct fault *fault);

/* The cgroup's id, or 0 when there is no such cgroup any more. */
__u64 cgroup_id(const char *path);

/*
 * Whether the cgroup exists, wherever its path may be mounted: 1, 0, or -errno when that cannot be told. `root` is a
 * descriptor of any directory of the hierarchy.
 */
int cgroup_alive(int root, __u64 id);

/* A descriptor of the cgroup, or -errno; -ESTALE: it does not exist any more. */
int cgroup_open_id(int root, __u64 id);

/* Makes the directory, and those above it that are not there. 0 or -errno; -EEXIST: it is there. */
int cgroup_make(const char *path, mode_t mode, struct fault *fault);

/* Ends every process in it and waits until they are gone; how many there were, or -errno. */
int cgroup_end(const struct cgroup *cgroup);

/*
 * Removes what cgroup_make() made, and the cgroups its processes made in it; no process is there any more. Leaves alone
 * what another has made in its place.
 */
int cgroup_remove(const struct cgroup *cgroup);

/* True if a process is in it or below it. */
bool cgroup_populated(const struct cgroup *cgroup);

/* The process's cgroup as its path below the root, to be freed; NULL when that cannot be told, as when it has ended. */
char *cgroup_of(int pid);

/* True for a path and any path below it. */
bool cgroup_is_below(const char *path, const char *above);

/* False if the process, which may have ended, is in another. True when that cannot be told, as when it was waited for.
 */
bool cgroup_has(const struct cgroup *cgroup, int pid);

#endif
