/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a tenancy: its policy is taken off, its last bytes are booked, its slot is given to another. With the
 * host's lock held. Whatever became of its name meanwhile, no other tenancy is touched. */
#ifndef SW_DETACH_H
#define SW_DETACH_H

#include "cgroup.h"
#include "report.h"
#include "slots.h"

/*
 * Takes the policy off, whatever state the tenant is in. Its slot has then ended: the name is free, the meter stays
 * until tenancy_release(). If the cgroup was removed, but not its last sockets, only the name is free: they are held to
 * the policy until they have ended. 0 or -errno.
 */
int tenancy_detach(struct host *host, struct tenancy of, struct fault *fault);

/* What is done before the policy is taken off. */
struct ending {
	const struct cgroup *remove; /* its cgroup: what its sockets have yet to send goes out under the policy, and is
					metered; NULL: it stays */
	bool close;                  /* what is open (leave.h) */
	__u64 held;                  /* of that, still there: `held` of tenancy_leave() */
};

/* The same, with a report of it up to its last packet, to be freed also after an error. */
int tenancy_close(struct host *host, struct tenancy of, struct ending *ending, struct report *report,
		  struct fault *fault);

/* Removes the cgroup, and gives the sockets made in it a moment to end, which is under the policy and metered. 0 or
 * -errno. */
int tenancy_remove_cgroup(const struct host *host, struct tenancy of, const struct cgroup *cgroup);

/* Ends it if its cgroup was removed, and its last socket is gone as well. 0 or -errno. */
int tenancy_end(struct host *host, struct tenancy of, struct fault *fault);

/* The same for all whose names were given away. */
void tenancy_sweep(struct host *host);

/* Gives the slot of one that has ended to whoever comes next. 0 or -errno. */
int tenancy_release(struct host *host, struct tenancy of, struct fault *fault);

#endif
