/* SPDX-License-Identifier: GPL-2.0-only */
/* Which peers a tenant asked for in vain, most often first. */
#ifndef SW_REFUSED_H
#define SW_REFUSED_H

#include "host.h"
#include "report.h"

/* Into `report`, which has the record of the slot. 0 or -errno. */
int refused_read(const struct host *host, __u32 slot, struct report *report, struct fault *fault);

#endif
