// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "mem.h"
#include "share.h"

/* What a tenant may take in each pass for nothing: some hundred processes, two network namespaces. Everybody rests for that. */
#define LIGHT 5000000 /* ns */

void shares_open(struct shares *shares, bool once)
{
	*shares = (struct shares){ .v = mem_alloc(SW_TENANTS_MAX, sizeof(*shares->v)), .once = once };
}

void shares_close(struct shares *shares)
{
	free(shares->v);
}

void shares_begin(struct shares *shares)
{
	shares->now = clock_ns(CLOCK_MONOTONIC);
}

void share_belongs(struct shares *shares, __u32 slot, __u64 tenancy)
{
	if (shares->v[slot].tenancy != tenancy)
		shares->v[slot] = (struct share){ .tenancy = tenancy };
}

__u64 share_max(const struct shares *shares)
{
	return shares->once ? SHARE_ONCE : SHARE_MAX;
}

bool share_rests(const struct shares *shares, __u32 slot)
{
	return slot && shares->v[slot].until > shares->now;
}

bool share_lasts(const struct shares *shares, __u32 slot, enum share_of of)
{
	return !slot || shares->v[slot].of[of].taken < share_max(shares);
}

void share_charge(struct shares *shares, __u32 slot, enum share_of of, __u64 ns)
{
	shares->v[slot].of[of].taken += ns;
}

bool share_put_off(struct shares *shares, __u32 slot, enum share_of of, __u32 number)
{
	bool first = !shares->v[slot].of[of].next;

	if (first)
		shares->v[slot].of[of].next = number;
	return first;
}

__u32 share_next(struct shares *shares, __u32 slot, enum share_of of)
{
	__u32 next = shares->v[slot].of[of].next;

	shares->v[slot].of[of].next = 0;
	return next;
}

/* What was beyond LIGHT in this pass. */
static __u64 over(const struct share *share)
{
	__u64 taken = 0;

	for (int of = 0; of < SHARE_OFS; of++)
		taken += share->of[of].taken;
	return taken > LIGHT ? taken - LIGHT : 0;
}

/* The more tenants there are that take much, the longer each of them rests: together they have the share of one. */
__u64 shares_end(struct shares *shares)
{
	__s64 now = clock_ns(CLOCK_MONOTONIC);
	__u64 heavy = 0, all = 0;

	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		heavy += over(&shares->v[slot]) || shares->v[slot].until > now;
	for (__u32 slot = 0; slot < SW_TENANTS_MAX; slot++) {
		struct share *share = &shares->v[slot];
		__u64 ns = slot ? over(share) : 0;

		if (ns && !shares->once)
			share->until = (share->until > now ? share->until : now) + ns * SHARE_REST * heavy;
		for (int of = 0; of < SHARE_OFS; of++)
			if (share->of[of].taken)
				share->of[of].taken = 0;
		all += ns;
	}
	return all;
}
