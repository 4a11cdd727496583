/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The links of all tenants are moved from the programs in PINS_HOST to those in PINS_NEXT. A link is named as the hook,
 * the program "sw_" and that. May be done again, by any build: hooks that this one does not know are found by their
 * names; only a hook that is new with PINS_NEXT needs a build that knows it.
 */
#ifndef SW_RELINK_H
#define SW_RELINK_H

#include "fault.h"

/* With the lock held. 0 or -errno. */
int relink_tenants(struct fault *fault);

/* Of all tenants egress only, which comes first: what is sent from then on the new programs note. */
int relink_egress(struct fault *fault);

#endif
