/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots, and the tenancies they are given to.
 *
 * A slot is a number below SW_TENANTS_MAX, with a record, a meter and counters. It belongs to one tenancy after the
 * other. Names, cgroups and slots are given to others; the number of a tenancy never is. So a name is looked up once,
 * with the lock held, and what was found is passed on as a struct tenancy.
 */
#ifndef SW_SLOTS_H
#define SW_SLOTS_H

#include "host.h"

enum slot_state {
	SLOT_FREE,
	SLOT_ATTACHED,  /* it has a name and a cgroup, though that may have been removed since */
	SLOT_LINGERING, /* its cgroup is gone and its name given away, but its last sockets are held to the policy */
	SLOT_ENDED,     /* nothing is held to it any more; its last bytes wait for the ledger */
};

/* Sets of states. */
#define SLOTS(state) (1U << SLOT_##state)
#define SLOTS_HELD   (SLOTS(ATTACHED) | SLOTS(LINGERING)) /* links and storage are there */
#define SLOTS_USED   (SLOTS_HELD | SLOTS(ENDED))          /* all that are not free */

/* The only place that knows how a record says it. */
static inline enum slot_state slot_state(const struct sw_record *record)
{
	if (!record->tenancy)
		return SLOT_FREE;
	if (!record->cgroup)
		return SLOT_ENDED;
	return record->lingers ? SLOT_LINGERING : SLOT_ATTACHED;
}

/* The first slot after `slot`, and before `end`, whose state is one of `states`; 0: there is none. */
__u32 slot_next(const struct sw_record *records, __u32 end, __u32 slot, unsigned states);

/* Over the records of slots 1 to end - 1, which may be copies. */
#define for_each_slot(slot, records, end, states)                                                                      \
	for (__u32 slot = slot_next(records, end, 0, states); slot; slot = slot_next(records, end, slot, states))

/* Over all there are. */
#define for_each_slot_of(slot, host, states) for_each_slot(slot, (host)->records, SW_TENANTS_MAX, states)

/* One more than the last slot that is not free. */
__u32 slots_end(const struct host *host);

__u32 slots_count(const struct host *host, unsigned states);

/* With the lock held. 0 or -errno. */
int slot_write(struct host *host, __u32 slot, const struct sw_record *record, struct fault *fault);

/* A tenancy, and the slot it was found in. */
struct tenancy {
	__u64 number; /* sw_record.tenancy; 0: none */
	__u32 slot;   /* holds while the slot's record has that number */
};

/* Whose slot that is now. */
static inline struct tenancy tenancy_in(const struct host *host, __u32 slot)
{
	return (struct tenancy){ host->records[slot].tenancy, slot };
}

/* The slot is still that tenancy's, and in one of these states. */
static inline bool tenancy_is(const struct host *host, struct tenancy of, unsigned states)
{
	const struct sw_record *record = &host->records[of.slot];

	return of.number && record->tenancy == of.number && states & 1U << slot_state(record);
}

/* The same for who has to give up otherwise: 0, or -ENOENT. */
int tenancy_check(const struct host *host, struct tenancy of, unsigned states, struct fault *fault);

static inline const struct sw_record *tenancy_record(const struct host *host, struct tenancy of)
{
	return &host->records[of.slot];
}

/* The one that is attached by that name, to that cgroup, or with that number; none: its number is 0. */
struct tenancy tenancy_named(const struct host *host, const char *name);
struct tenancy tenancy_of_cgroup(const struct host *host, __u64 cgroup);
struct tenancy tenancy_numbered(const struct host *host, __u64 number);

#endif
