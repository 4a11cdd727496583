/* SPDX-License-Identifier: GPL-2.0-only */
/* What is open when a tenant is detached. */
#ifndef SW_LEAVE_H
#define SW_LEAVE_H

#include "slots.h"

/*
 * Closes every socket of the tenant, so that none goes on without policy and meter, in two passes. The first is made
 * under the policy, so that what is sent is metered and peers get their resets. Then the storage is cleared: from there
 * on the tenant is refused everything, and makes nothing new. What it made in between the second pass finds, which
 * closes the same ones otherwise.
 *
 * `held`: how many the second could not take out of the kernel's tables; most often their tenant holds them. They are
 * not waited for. An audited tenant's stay open, and so do those of a cgroup that was removed: they stay under the
 * policy.
 *
 * Called with the lock, which it lets go of during the passes: others could make them long. 0 or -errno, -ENOENT when
 * someone else has ended the tenancy; after an error it is attached, or refused everything.
 */
int tenancy_leave(struct host *host, struct tenancy of, __u64 *held, struct fault *fault);

#endif
