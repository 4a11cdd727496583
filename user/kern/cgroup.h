/* SPDX-License-Identifier: GPL-2.0-only */
/* Directories of the cgroup v2 hierarchy. */
#ifndef SW_CGROUP_H
#define SW_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

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

/* Makes the directory, and the one above it, for a tenant of our own. */
int cgroup_make(const char *path, struct fault *fault);

/* Ends every process in it and waits until they are gone; how many there were, or -errno. */
int cgroup_end(const struct cgroup *cgroup);

/*
 * Removes what cgroup_make() made, and the cgroups its processes made in it; no process is there any more. Leaves alone
 * what another has made in its place.
 */
int cgroup_remove(const struct cgroup *cgroup);

/* True if a process is in it or below it. */
bool cgroup_populated(const struct cgroup *cgroup);

/* False if the process, which may have ended, is in another. True when that cannot be told, as when it was waited for.
 */
bool cgroup_has(const struct cgroup *cgroup, int pid);

#endif
