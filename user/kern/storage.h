/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs know of a cgroup: its storage in the map `tenants`. All zeroes refuses everything. */
#ifndef SW_STORAGE_H
#define SW_STORAGE_H

#include "slots.h"

/* A single store: who sends meanwhile is held to what was there before or to this. 0 or -errno. */
int storage_write(struct host *host, __u64 cgroup, const struct sw_tenant *tenant, struct fault *fault);

/* All zeroes, where there is any. It outlives the programs: what it says must not come into force again. 0 or -errno.
 */
int storage_clear(struct host *host, __u64 cgroup, struct fault *fault);

/* That of the slot's cgroup, as far as it is the slot's; else false, and all zeroes. */
bool storage_of_slot(const struct host *host, __u32 slot, struct sw_tenant *out);

/* Of a cgroup that was removed it lives on, with the programs, until the last socket made there is gone. */
bool storage_exists(const struct host *host, __u64 cgroup);

#endif
