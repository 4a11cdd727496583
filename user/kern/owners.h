/* SPDX-License-Identifier: GPL-2.0-only */
/* The map `owners`: which cgroups are tenants, for programs that run in no cgroup and cannot read their storage. */
#ifndef SW_OWNERS_H
#define SW_OWNERS_H

#include "host.h"

struct owners {
	__u32 levels;  /* bits 1 << sw_tenant.level of all tenants */
	__u32 timeout; /* the shortest idle-timeout of any, seconds; 0: none has one */
};

/*
 * Sees to it that the map says what the storage of the cgroups does. `leaves`: a tenant whose storage may be cleared
 * already, and that is to be known still; or NULL. 0 or -errno. Needs no lock.
 */
int owners_settle(const struct host *host, const struct sw_tenant *leaves, struct owners *owners, struct fault *fault);

#endif
