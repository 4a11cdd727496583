// SPDX-License-Identifier: GPL-2.0-only
#include "leave.h"
#include "cgroup.h"
#include "reap.h"
#include "state.h"
#include "storage.h"

struct leaving {
	struct host *host;
	struct tenancy of;
	struct sw_tenant who; /* by what a socket is known as the tenant's, of whom nothing may be in force */
	struct reaper reaper; /* of all passes, so that what is held is waited for once */
	struct reap_result result;
};

/* The lock is back even after an error, unless that was the reason. */
static int close_all(struct leaving *leaving, struct fault *fault)
{
	const struct reap_options options = {
		.idle = SW_NO_LIMIT,
		.tenancy = leaving->of.number,
		.leaves = &leaving->who,
	};
	struct fault second;
	int err, relocked;

	host_unlock(leaving->host);
	err = reap_pass(&leaving->reaper, &options, NULL, NULL, &leaving->result, fault);
	relocked = host_lock(leaving->host, HOST_PATIENCE, err ? &second : fault);
	if (err || relocked)
		return err ? err : relocked;
	return tenancy_check(leaving->host, leaving->of, SLOTS(ATTACHED), fault);
}

static int identify(struct leaving *leaving, struct fault *fault)
{
	const struct sw_record *record = tenancy_record(leaving->host, leaving->of);
	struct cgroup cgroup;
	int err = cgroup_open(&cgroup, record->path, fault);

	if (err)
		return err;
	leaving->who = (struct sw_tenant){
		.slot = leaving->of.slot,
		.cgroup = record->cgroup,
		.level = cgroup.level,
		.tenancy = leaving->of.number,
	};
	cgroup_close(&cgroup);
	return 0;
}

#define PASSES 10 /* of which each takes out what there is time for */

/* What went by itself, as both ends of a connection do when one is closed, is not found again. */
static int close_rest(struct leaving *leaving, struct fault *fault)
{
	int err = close_all(leaving, fault);

	for (int i = 0; i < PASSES && !err && leaving->result.stuck && (!i || leaving->result.taken); i++)
		err = close_all(leaving, fault);
	return err;
}

int tenancy_leave(struct host *host, struct tenancy of, __u64 *held, struct fault *fault)
{
	struct leaving leaving = { .host = host, .of = of };
	enum tenant_state state = tenancy_state(host, of);
	int err;

	*held = 0;
	if (state == TENANT_GONE || state == TENANT_AUDITED)
		return 0;
	reaper_open(&leaving.reaper, host, true);
	err = identify(&leaving, fault);
	if (!err && state == TENANT_ENFORCED)
		err = close_all(&leaving, fault);
	if (!err)
		err = storage_clear(host, leaving.who.cgroup, fault);
	if (!err)
		err = close_rest(&leaving, fault);
	*held = leaving.result.stuck;
	reaper_close(&leaving.reaper);
	return err;
}
