// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "budget.h"
#include "meters.h"
#include "state.h"
#include "storage.h"

/*
 * While there is no limit nothing is spent, so what the meter has beyond it is found when spending begins: at first
 * under a limit that is never reached, so that all that passes from then on is in both. The counter is read before the
 * meter: what passes between the two is taken for unspent, in the budget's favour.
 */
static int begin_spending(struct host *host, struct tenancy of, struct fault *fault)
{
	struct sw_record record = *tenancy_record(host, of);
	struct sw_tenant tenant;
	struct sw_meter meter;
	__u64 spent;
	int err = tenancy_storage(host, of, &tenant, fault);

	if (err || tenant.limit != SW_NO_LIMIT)
		return err;
	tenant.limit = SW_COUNTING;
	err = storage_write(host, tenant.cgroup, &tenant, fault);
	if (!err)
		err = host_synchronize(host, fault);
	if (err)
		return err;
	spent = *(volatile const __u64 *)&host->counts[of.slot].spent;
	err = meters_read_one(host, of.slot, &meter, fault);
	record.unspent =
		meter.of[SW_BILLABLE][SW_EGRESS].bytes > spent ? meter.of[SW_BILLABLE][SW_EGRESS].bytes - spent : 0;
	return err ? err : slot_write(host, of.slot, &record, fault);
}

/* Nothing is booked on this host: what was sent so far belongs to no period. */
static __u64 limit_without_ledger(const struct host *host, struct tenancy of, __u64 budget)
{
	__u64 spent = of.number ? host->counts[of.slot].spent : 0;

	return budget < SW_NO_LIMIT - spent ? spent + budget : SW_COUNTING;
}

/* What tenancies of the name have sent, but for this one, that the ledger does not have yet. */
static int add_pending(struct ledger *ledger, const struct host *host, const char *name, struct tenancy of,
		       __u64 *pending, struct fault *fault)
{
	for_each_slot_of(slot, host, SLOTS_USED) {
		const struct sw_record *other = &host->records[slot];
		struct sw_meter meter;
		__u64 booked;
		int err;

		if (other->tenancy == of.number || strcmp(other->name, name))
			continue;
		err = ledger_booked(ledger, host->epoch, other->tenancy, &booked, fault);
		if (!err)
			err = meters_read_one(host, slot, &meter, fault);
		if (err)
			return err;
		if (meter.of[SW_BILLABLE][SW_EGRESS].bytes > booked)
			*pending += meter.of[SW_BILLABLE][SW_EGRESS].bytes - booked;
	}
	return 0;
}

int budget_limit_by(struct ledger *ledger, struct host *host, const char *name, struct tenancy of,
		    const struct sw_settings *settings, const __u64 *booked, __s64 now, __u64 *limit,
		    struct fault *fault)
{
	struct ledger_tenancy sent = { .tenant = name, .booked = booked ? *booked : 0 };
	int err = of.number ? begin_spending(host, of, fault) : 0;

	if (!err && of.number && !booked)
		err = ledger_booked(ledger, host->epoch, of.number, &sent.booked, fault);
	if (!err && !booked)
		err = add_pending(ledger, host, name, of, &sent.pending, fault);
	sent.unspent = of.number ? tenancy_record(host, of)->unspent : 0;
	return err ? err : ledger_limit(ledger, &sent, settings, now, limit, fault);
}

static int limit_by_file(struct host *host, const char *path, const char *name, struct tenancy of,
			 const struct sw_settings *settings, __u64 *limit, struct fault *fault)
{
	struct ledger *ledger;
	int err = ledger_open(&ledger, path, LEDGER_READING, fault);

	if (err)
		return err;
	err = budget_limit_by(ledger, host, name, of, settings, NULL, time(NULL), limit, fault);
	ledger_close(ledger);
	return err;
}

/* The ledger that books here, or after a reboot the one that did so before, at its usual place. */
int budget_limit(struct host *host, struct ledger *ledger, const char *name, struct tenancy of,
		 const struct sw_settings *settings, __u64 *limit, struct fault *fault)
{
	char path[SW_PATH_MAX];
	int err;

	*limit = SW_NO_LIMIT;
	if (settings->budget == SW_NO_LIMIT)
		return 0;
	if (ledger)
		return budget_limit_by(ledger, host, name, of, settings, NULL, time(NULL), limit, fault);
	err = host_ledger(host, path, fault);
	if (!err && *path)
		return limit_by_file(host, path, name, of, settings, limit, fault);
	if (!err && (!access(SW_LEDGER, F_OK) || errno != ENOENT))
		return limit_by_file(host, SW_LEDGER, name, of, settings, limit, fault);
	if (!err && of.number)
		err = begin_spending(host, of, fault);
	*limit = limit_without_ledger(host, of, settings->budget);
	return err;
}

int budget_set(struct host *host, struct tenancy of, __u64 limit, struct fault *fault)
{
	struct sw_tenant tenant;
	int err = tenancy_storage(host, of, &tenant, fault);

	if (err || tenant.limit == limit)
		return err;
	tenant.limit = limit;
	return storage_write(host, tenant.cgroup, &tenant, fault);
}
