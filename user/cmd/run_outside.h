/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that a command started and that left its cgroup, so that the policy was not enforced on them. Who may write
 * to another cgroup.procs can do that: root, which container runtimes are.
 *
 * They are found by looking: at each process that ends and is ours to wait for, and now and then at all descendants.
 * Those that lose their parent become our children, so that they stay in sight. Not seen: who comes, leaves and ends
 * between two looks and is waited for by its own parent; and what a daemon starts that the command only talks to, as
 * Docker's does, for that is no descendant of the command's.
 */
#ifndef SW_CMD_RUN_OUTSIDE_H
#define SW_CMD_RUN_OUTSIDE_H

#include <stdbool.h>

#include "cgroup.h"
#include "mem.h"

struct outside {
	const struct cgroup *cgroup;
	LIST(int) pids;   /* which left it */
	LIST(int) before; /* children there were before the command: not its */
};

/* Before the command is started. */
void outside_begin(struct outside *outside, const struct cgroup *cgroup);

/* One process, which may have ended but was not waited for. */
void outside_look_at(struct outside *outside, int pid);

/* All descendants. */
void outside_look(struct outside *outside);

/* Says so, if any did. */
void outside_tell(const struct outside *outside);

void outside_end(struct outside *outside);

#endif
