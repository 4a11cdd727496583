/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_CMD_BUDGET_H
#define SW_CMD_BUDGET_H

#include "host.h"
#include "ledger.h"

/*
 * The limit for tenant `name` under a policy's budget; `slot` is 0 for a new tenancy. The daemon sets it anew when it
 * has booked what is not in the ledger yet. 0 or -errno.
 */
int budget_limit(struct host *host, const char *name, __u32 slot, const struct sw_settings *settings, __u64 *limit,
		 struct fault *fault);

/* The same for who has a ledger open, and has just booked in it all there was, of this tenancy `booked` (else NULL);
 * the policy has a budget. */
int budget_limit_by(struct ledger *ledger, struct host *host, const char *name, __u32 slot,
		    const struct sw_settings *settings, const __u64 *booked, __s64 now, __u64 *limit,
		    struct fault *fault);

#endif
