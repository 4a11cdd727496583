/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of slots, in a map of another layout: for upgrade.c, with the lock held. */
#ifndef SW_COUNTS_H
#define SW_COUNTS_H

#include "host.h"

/*
 * Copies what the pinned ones say, member by member, before the new ones are in use. Of sums, which both builds' programs
 * add to until all links are changed, nothing is copied: the new ones are marked instead, as owed that. 0 or -errno.
 */
int counts_copy(struct host *next, struct fault *fault);

/*
 * Once no program of the other build runs any more: each sum of PINS_NEXT that is owed something is given what that of
 * PINS_HOST has, once, whoever is killed and goes on, of whichever build. 0 or -errno.
 */
int counts_pay(struct fault *fault);

/*
 * Then: what was sent since the copy is in the meters, and not in the new counter that budgets are held against. So
 * much less is left of them. May be done again. 0 or -errno.
 */
int counts_settle(struct host *next, struct fault *fault);

#endif
