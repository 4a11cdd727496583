/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of slots, in a map of another layout: for upgrade.c, with the lock held. */
#ifndef SW_COUNTS_H
#define SW_COUNTS_H

#include "host.h"

/* Copies what the pinned ones say, member by member, before the new ones are in use. 0 or -errno. */
int counts_copy(struct host *next, struct fault *fault);

/*
 * Once they are in use: what was sent in between is in the meters, and not in the new counter that budgets are held
 * against. So much less is left of them. May be done again. 0 or -errno.
 */
int counts_settle(struct host *next, struct fault *fault);

#endif
