/* SPDX-License-Identifier: GPL-2.0-only */
/* The meters of slots, the CPUs summed. A read that fails is an error, never a zero. */
#ifndef SW_METERS_H
#define SW_METERS_H

#include "host.h"

/* Of one slot. 0 or -errno. */
int meters_read_one(const struct host *host, __u32 slot, struct sw_meter *out, struct fault *fault);

/* Of slots 0 to n - 1, with as few system calls as there can be: free(); after an error there are none. 0 or -errno. */
int meters_read(const struct host *host, __u32 n, struct sw_meter **out, struct fault *fault);

/* Meter and counts of the slot's last tenancy must not show up on the next one's invoice. 0 or -errno. */
int meters_clear(struct host *host, __u32 slot, struct fault *fault);

#endif
