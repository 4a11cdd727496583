/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cgroups that run makes, each below CGROUPROOT/sockwarden/. A run holds a lock on the directory of its own while
 * it lives, and says in an extended attribute of it who it is and which tenancy it attached. So what a run left that
 * was killed is known from what an operator made there, or attached to it since. All of it with the host's lock held.
 */
#ifndef SW_CMD_RUN_CGROUP_H
#define SW_CMD_RUN_CGROUP_H

#include "cgroup.h"
#include "slots.h"

#define RUN_PREFIX "run-" /* of the names that run gives on its own */

/*
 * A cgroup for tenant `name`, owned: new, or one that has neither owner, tenant nor process. -EEXIST: another has it,
 * as `fault` says. cgroup_close() gives it up.
 */
int run_cgroup_make(const struct host *host, const char *name, struct cgroup *cgroup, struct fault *fault);

/* Says which tenancy is about to be attached to it. */
int run_cgroup_mark(const struct cgroup *cgroup, __u64 tenancy, struct fault *fault);

/* Removes what killed runs left and no process lives in, and ends the tenancies of these. */
void run_cgroup_sweep(struct host *host);

#endif
