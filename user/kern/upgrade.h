/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This build takes over from another, in place: no connection is lost, no moment is open, nothing is metered twice.
 *
 *   1  the object is loaded, with the maps that it can use of those that are pinned, and new ones for the others; if
 *      the images are new, the policies are compiled again from their sources, and put under the numbers and serials
 *      that the tenants have, so that these are right for the programs of both builds
 *   2  all of it is pinned as loading/, which is renamed to next/. From here on it is finished, by whoever comes next
 *   3  each link is given its new program (BPF_LINK_UPDATE keeps the link's place and its storage), tenant by tenant,
 *      egress first: in between both builds' programs are in force, on the same tenancies and meters
 *   4  when no old program runs any more, counters that were made anew are given what the others have (counts.h);
 *      budgets are settled whose counters were copied, and images that were made anew get serials of their own
 *   5  host/ is renamed to loading/, next/ to host/, and loading/ is removed
 *
 * Up to the rename in 2 whoever is killed leaves things as they were. From there on any command finds next/, and any
 * build can go on: 3 to 5 need what is pinned, and nothing else, and may be done again. Only this build can do all of 4,
 * any build the counters.
 */
#ifndef SW_UPGRADE_H
#define SW_UPGRADE_H

#include "image.h"
#include "layout.h"

struct upgrade {
	bool loaded;          /* there is a build to take over from */
	struct layout layout; /* of that one */
	__u32 tenants;        /* that are attached */
};

/* What those do who can print and read policies. Set by main(); without them, what needs them is refused. */
struct upgrade_ways {
	/* A policy, by sw_record.policy: to be freed. NULL with the reason in `fault`. */
	struct image *(*compile)(const char *source, struct fault *fault);
	void (*tell)(const struct upgrade *done);
};
extern struct upgrade_ways upgrade_ways;

/* With the lock held, all of them. 0 or -errno. */

/* What there is to take over. -ESTALE: this build cannot, and `fault` says why. */
int upgrade_plan(struct upgrade *out, struct fault *fault);

/* Does it; with no `host` opened yet but for the lock. -EBUSY: a daemon of the other build is running. */
int upgrade_run(struct host *host, struct fault *fault);

/* All of it but what changes anything, to see whether it can be done. */
int upgrade_try(struct host *host, struct fault *fault);

/* Finishes what someone else began. */
int upgrade_resume(struct fault *fault);

/* Is there something to finish? Without the lock, a hint. */
bool upgrade_pending(void);

#endif
