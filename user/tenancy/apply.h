/* SPDX-License-Identifier: GPL-2.0-only */
/* Carrying out a plan. */
#ifndef SW_APPLY_H
#define SW_APPLY_H

#include "plan.h"

/*
 * All steps, or none: when one fails, those before it are taken back, as far as they can be; plan->warn is told of what
 * cannot. What is detached goes last, for that is the hardest to take back. With the lock held, which is let go of now
 * and then, so that others get on; it may be lost after an error. A cgroup that is removed meanwhile is no error.
 * Who is killed on the way leaves some of it done, and the next apply goes on. 0 or -errno.
 */
int plan_carry_out(struct host *host, struct plan *plan, struct fault *fault);

#endif
