/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules decided, for people: a counter for each rule of a tenant's image, and one for the default. A tenant has
 * its counters in one block, given to it with the image, and only while it is under it.
 */
#ifndef SW_HITS_H
#define SW_HITS_H

#include "host.h"

/*
 * Gives the slot counters for an image of `rules` rules, all zero, before the image comes into force there. Where there
 * is no room for so many none are counted. With the lock held. 0 or -errno.
 */
int hits_place(struct host *host, __u32 slot, __u64 serial, __u32 rules, struct fault *fault);

/* What rule `rule` (or SW_RULE_DEFAULT) of that image decided in the slot. */
__u64 hits_of(const struct host *host, __u32 slot, __u64 serial, __u32 rule);

#endif
