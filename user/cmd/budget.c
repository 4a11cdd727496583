// SPDX-License-Identifier: GPL-2.0-only
/* What a tenant may still send, as its policy's budget and the ledger say. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "budget.h"
#include "tenant.h"

/* Nothing is booked on this host: what was sent so far belongs to no period. */
static __u64 limit_without_ledger(const struct host *host, __u32 slot, __u64 budget)
{
	__u64 spent = slot ? host->counts[slot].spent : 0;

	return budget < SW_NO_LIMIT - spent ? spent + budget : SW_COUNTING;
}

/* What tenancies of the name have sent, but for the one in `slot`, that the ledger does not have yet. */
static int add_pending(struct ledger *ledger, const struct host *host, const char *name, __u32 slot, __u64 *pending,
		       struct fault *fault)
{
	int err = 0;

	for (__u32 other = 1; other < SW_TENANTS_MAX && !err; other++) {
		const struct sw_record *record = &host->records[other];
		struct sw_meter meter;
		__u64 booked;

		if (!record->tenancy || other == slot || strcmp(record->name, name))
			continue;
		err = ledger_booked(ledger, host->epoch, record->tenancy, &booked, fault);
		if (!err)
			err = tenant_meter(host, other, &meter, fault);
		if (!err && meter.of[SW_BILLABLE][SW_TX].bytes > booked)
			*pending += meter.of[SW_BILLABLE][SW_TX].bytes - booked;
	}
	return err;
}

int budget_limit_by(struct ledger *ledger, struct host *host, const char *name, __u32 slot,
		    const struct sw_settings *settings, const __u64 *booked, __s64 now, __u64 *limit,
		    struct fault *fault)
{
	struct ledger_tenancy of = { .tenant = name, .booked = booked ? *booked : 0 };
	int err = slot ? tenant_count(host, slot, fault) : 0;

	if (!err && slot && !booked)
		err = ledger_booked(ledger, host->epoch, host->records[slot].tenancy, &of.booked, fault);
	if (!err && !booked)
		err = add_pending(ledger, host, name, slot, &of.pending, fault);
	of.unspent = slot ? host->records[slot].unspent : 0;
	return err ? err : ledger_limit(ledger, &of, settings, now, limit, fault);
}

static int limit_by_ledger(struct host *host, const char *path, const char *name, __u32 slot,
			   const struct sw_settings *settings, __u64 *limit, struct fault *fault)
{
	struct ledger *ledger;
	int err = ledger_open(&ledger, path, LEDGER_READING, fault);

	if (err)
		return err;
	err = budget_limit_by(ledger, host, name, slot, settings, NULL, time(NULL), limit, fault);
	ledger_close(ledger);
	return err;
}

/* The ledger that books here, or after a reboot the one that did so before, at its usual place. */
int budget_limit(struct host *host, const char *name, __u32 slot, const struct sw_settings *settings, __u64 *limit,
		 struct fault *fault)
{
	char path[SW_PATH_MAX];
	int err = 0;

	*limit = SW_NO_LIMIT;
	if (settings->budget == SW_NO_LIMIT)
		return 0;
	err = host_ledger(host, path, fault);
	if (!err && *path)
		return limit_by_ledger(host, path, name, slot, settings, limit, fault);
	if (!err && (!access(SW_LEDGER, F_OK) || errno != ENOENT))
		return limit_by_ledger(host, SW_LEDGER, name, slot, settings, limit, fault);
	if (!err && slot)
		err = tenant_count(host, slot, fault);
	*limit = limit_without_ledger(host, slot, settings->budget);
	return err;
}
