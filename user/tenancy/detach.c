// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <time.h>

#include "detach.h"
#include "grants.h"
#include "leave.h"
#include "links.h"
#include "meters.h"
#include "reports.h"
#include "state.h"
#include "storage.h"
#include "watch.h"

static int end_slot(struct host *host, struct tenancy of, struct fault *fault)
{
	struct sw_record record = *tenancy_record(host, of);
	char ledger[SW_PATH_MAX] = "";
	int err = storage_clear(host, record.cgroup, fault);

	if (!err)
		err = links_unpin(host, &record, fault);
	if (!err)
		err = host_ledger(host, ledger, fault);
	if (!err)
		err = links_end(&record, *ledger, fault);
	if (!err)
		err = grants_clear(host, of.slot, fault);
	record.cgroup = 0;
	if (!err)
		err = slot_write(host, of.slot, &record, fault);
	if (!slot_next(host->records, SW_TENANTS_MAX, 0, SLOTS_HELD))
		watch_stop();
	host_announce();
	return err;
}

/* The name is given away, and the links stay: what its sockets have yet to send is held to the policy and metered. */
static int let_linger(struct host *host, struct tenancy of, struct fault *fault)
{
	struct sw_record record = *tenancy_record(host, of);
	int err = links_let_linger(&record, fault);

	record.lingers = 1;
	return err ? err : slot_write(host, of.slot, &record, fault);
}

int tenancy_detach(struct host *host, struct tenancy of, struct fault *fault)
{
	int err = tenancy_check(host, of, SLOTS(ATTACHED), fault);

	if (err)
		return err;
	return tenancy_outlives_cgroup(host, of) ? let_linger(host, of, fault) : end_slot(host, of, fault);
}

#define DRAIN_TRIES 100 /* of 10 ms: most sockets have sent all they had by then */

int tenancy_remove_cgroup(const struct host *host, struct tenancy of, const struct cgroup *cgroup)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int err = cgroup_remove(cgroup);

	for (int i = 0; !err && i < DRAIN_TRIES && tenancy_outlives_cgroup(host, of); i++)
		nanosleep(&pause, NULL);
	return err;
}

int tenancy_close(struct host *host, struct tenancy of, struct ending *ending, struct report *report,
		  struct fault *fault)
{
	int err = tenancy_report(host, of, report, fault);

	if (err)
		return err;
	if (ending->remove)
		tenancy_remove_cgroup(host, of, ending->remove);
	if (ending->close)
		err = tenancy_leave(host, of, &ending->held, fault);
	if (!err)
		err = tenancy_detach(host, of, fault);
	if (!err)
		err = host_synchronize(host, fault);
	if (err)
		return err;
	report->counts = host->counts[of.slot];
	return meters_read_one(host, of.slot, &report->meter, fault);
}

int tenancy_end(struct host *host, struct tenancy of, struct fault *fault)
{
	return storage_exists(host, tenancy_record(host, of)->cgroup) ? 0 : end_slot(host, of, fault);
}

void tenancy_sweep(struct host *host)
{
	struct fault ignored;

	for_each_slot_of(slot, host, SLOTS(LINGERING))
		tenancy_end(host, tenancy_in(host, slot), &ignored);
}

int tenancy_release(struct host *host, struct tenancy of, struct fault *fault)
{
	int err = host_let_go(of.number, fault);

	return err ? err : slot_write(host, of.slot, &(struct sw_record){ 0 }, fault);
}
