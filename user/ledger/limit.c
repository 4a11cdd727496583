// SPDX-License-Identifier: GPL-2.0-only
/*
 * A budget as a limit of the kernel's counter. With B the budget, P what was booked of the tenant, by all tenancies of
 * its name, in this period, and T what was booked of this tenancy ever, the tenancy may still send B - P. Its meter
 * stood at T when that was so, and its counter at T - unspent, hence
 *
 *   limit = T - unspent + B - P
 *
 * in which nothing changes while the tenancy goes on sending. What other tenancies of the name sent that is not booked
 * yet is taken off besides.
 */
#include <errno.h>

#include "store.h"

/* Day by day, so that each row is found by its key. */
static const char of_booked[] =
	"WITH RECURSIVE days(n) AS (SELECT min(day) FROM day UNION ALL SELECT n + 1 FROM days "
	"WHERE n < (SELECT max(day) FROM day)) "
	"SELECT sum(tx_bytes) FROM source CROSS JOIN tenancy ON tenancy.source = source.id AND number = ?2 "
	"CROSS JOIN days CROSS JOIN day ON day.day = n AND day.tenancy = tenancy.id AND day.class = 0 "
	"WHERE epoch = format('%016x', ?1)";

int ledger_booked(struct ledger *ledger, __u64 epoch, __u64 tenancy, __u64 *bytes, struct fault *fault)
{
	__s64 sum = 0;
	int err = store_connect(ledger, fault);

	if (!err)
		err = store_number(ledger, &sum, fault, of_booked, "ii", (__s64)epoch, (__s64)tenancy);
	*bytes = sum;
	return err;
}

int ledger_limit(struct ledger *ledger, const struct ledger_tenancy *of, const struct sw_settings *settings, __s64 now,
		 __u64 *limit, struct fault *fault)
{
	__u64 gone = of->unspent + of->pending, spent, left;
	int err = ledger_spent(ledger, of->tenant, settings->budget_period, now, &spent, fault);

	if (err)
		return err;
	left = settings->budget > spent ? settings->budget - spent : 0;
	left = left < SW_COUNTING - of->booked ? of->booked + left : SW_COUNTING;
	*limit = left > gone ? left - gone : 0;
	return 0;
}
