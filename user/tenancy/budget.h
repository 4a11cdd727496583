/* SPDX-License-Identifier: GPL-2.0-only */
/* What a tenant may still send, as its policy's budget and the ledger say. With the host's lock held. */
#ifndef SW_BUDGET_H
#define SW_BUDGET_H

#include "ledger.h"
#include "slots.h"

/*
 * The limit of sw_counts.spent for tenant `name` under a policy's budget; `of` is its tenancy, none for a new one. The
 * daemon sets it anew when it has booked what is not in the ledger yet. `ledger` is the one that books here, if it is
 * open already; NULL: it is found. 0 or -errno.
 */
int budget_limit(struct host *host, struct ledger *ledger, const char *name, struct tenancy of,
		 const struct sw_settings *settings, __u64 *limit, struct fault *fault);

/* The same for who has just booked in the ledger all there was, of this tenancy `booked` bytes (NULL: has not); the
 * policy has a budget. */
int budget_limit_by(struct ledger *ledger, struct host *host, const char *name, struct tenancy of,
		    const struct sw_settings *settings, const __u64 *booked, __s64 now, __u64 *limit,
		    struct fault *fault);

/* Puts another limit in force, under the same policy. 0 or -errno. */
int budget_set(struct host *host, struct tenancy of, __u64 limit, struct fault *fault);

#endif
