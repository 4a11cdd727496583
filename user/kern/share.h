/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much of the processor passes take for each tenant. Who has much waits for it, and nobody else does: what a pass
 * does for a tenant ends when that had its part, and goes on there in a later pass; and the tenant is left out of passes
 * until many times what it took has gone by.
 */
#ifndef SW_SHARE_H
#define SW_SHARE_H

#include <stdbool.h>

#include "abi.h"

#define SHARE_REST 10        /* so many times what a pass took is the rest after it: a tenant's, and everybody's */
#define SHARE_MAX  50000000  /* ns of each kind that the daemon's passes do for a tenant, in one pass */
#define SHARE_ONCE 200000000 /* the same, of a pass by hand, after which nobody rests */

/* Each has a part of its own, or who has much of the one would have none of the others done. */
enum share_of {
	SHARE_TABLES, /* of descriptors, that are gone through */
	SHARE_SPACES, /* network namespaces, likewise */
	SHARE_TAKING, /* sockets that are taken out of the kernel's tables */
	SHARE_OFS,
};

/* Of a tenant. */
struct share {
	struct share_part {
		__u64 taken; /* in this pass, ns */
		__u32 next;  /* where the next pass goes on: number of a census_item; 0: at the first */
	} of[SHARE_OFS];
	__s64 until; /* it is left out, ns of the monotonic clock */
	__u64 tenancy;
};

/* By slots. The host, slot 0, has all that there is, at once. */
struct shares {
	struct share *v;
	bool once; /* a pass by hand */
	__s64 now; /* when the pass began */
};

void shares_open(struct shares *shares, bool once);
void shares_close(struct shares *shares);

/* A pass begins. */
void shares_begin(struct shares *shares);
/* Whose the slot is. What another tenancy had there is forgotten. */
void share_belongs(struct shares *shares, __u32 slot, __u64 tenancy);
/* What each kind may take of the processor for a tenant in a pass, ns. */
__u64 share_max(const struct shares *shares);
/* The tenant has no part in this pass. */
bool share_rests(const struct shares *shares, __u32 slot);
/* There is time for more of it in this pass; there always is for the first. */
bool share_lasts(const struct shares *shares, __u32 slot, enum share_of of);
void share_charge(struct shares *shares, __u32 slot, enum share_of of, __u64 ns);
/* There is no time left for item `number`: the next pass begins with the first that this is said of. Whether it is it. */
bool share_put_off(struct shares *shares, __u32 slot, enum share_of of, __u32 number);
/* Takes what share_put_off() said: the number, or 0. */
__u32 share_next(struct shares *shares, __u32 slot, enum share_of of);
/* It has ended: ns that tenants are charged with, each its own, so that nobody else needs to rest for them. */
__u64 shares_end(struct shares *shares);

#endif
