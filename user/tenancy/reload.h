/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every policy in use read anew, and put in force: all of them, or none. It is done in pieces, so that who does it can
 * serve others in between, and the host's lock is held for a piece at a time.
 */
#ifndef SW_RELOAD_H
#define SW_RELOAD_H

#include <stdbool.h>
#include <stdio.h>

#include "ledger.h"
#include "slots.h"

struct reload {
	struct ledger *ledger; /* that books here */
	FILE *mistakes;        /* where those of the policies are printed */
	/* called for a tenant that could not be given its new policy; the others are not held up by it */
	void (*kept)(const char *tenant, const struct fault *why, void *data);
	/*
	 * Called after the policies were read, and before any is put in force, until it is not positive: for what is to
	 * change with them, or if they have mistakes, only to say what is wrong with that. Milliseconds to wait; 0; or
	 * -errno, and all tenants keep the policies they have. NULL: there is nothing such. What is of it, so not for us:
	 */
	int (*others)(bool mistaken, void *data, struct fault *fault);
	bool (*is_others)(const char *policy, void *data);
	void *data;
};

struct reloading;

/* Borrows all that it is given, until reload_end(). */
struct reloading *reload_begin(struct host *host, const struct reload *how);

/*
 * One piece: as many policies or tenants as take some 100 ms, or one that takes longer; and at most 100 ms of waiting for
 * the lock. More than 0: there is more to do, after so many ms, which let others have the lock; 0: it is done; -EINVAL:
 * a policy has mistakes; or another -errno when some tenant keeps the policy it has.
 */
int reload_step(struct reloading *reloading, struct fault *fault);

/* How many policies were read. */
size_t reload_policies(const struct reloading *reloading);

void reload_end(struct reloading *reloading);

#endif
