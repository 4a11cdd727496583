/* SPDX-License-Identifier: GPL-2.0-only */
/* The decision, over the very maps the kernel decides with. */
#ifndef SW_ASK_H
#define SW_ASK_H

#include "host.h"

/* What image `number` says of the flow to a tenancy, by what that has learned; 0: has learned nothing. 0, or -errno with
 * the reason in `fault`. */
int ask(const struct host *host, __u32 number, __u32 tenancy, const struct sw_flow *flow, struct sw_verdict *out,
	struct fault *fault);

#endif
