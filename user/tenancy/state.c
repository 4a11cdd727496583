// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "state.h"
#include "storage.h"

enum tenant_state tenancy_read(const struct host *host, struct standings *known, struct tenancy of,
			       struct sw_tenant *storage)
{
	bool filled = storage_of_slot(host, of.slot, storage);

	if (!standing_lives(filled ? known : NULL, host, of))
		return TENANT_GONE;
	if (!filled || !standing_whole(known, host, of))
		return TENANT_INCOMPLETE;
	return host->settings[storage->image].audit ? TENANT_AUDITED : TENANT_ENFORCED;
}

enum tenant_state tenancy_state(const struct host *host, struct tenancy of)
{
	struct sw_tenant storage;

	return tenancy_read(host, NULL, of, &storage);
}

int tenancy_storage(const struct host *host, struct tenancy of, struct sw_tenant *storage, struct fault *fault)
{
	int err = tenancy_check(host, of, SLOTS_HELD, fault);

	if (err || storage_of_slot(host, of.slot, storage))
		return err;
	return fault_set(fault, EINVAL, "tenant %s is %s: detach it, and attach it again",
			 tenancy_record(host, of)->name, tenant_state_name(tenancy_state(host, of)));
}

bool tenancy_is_whole(const struct host *host, struct tenancy of)
{
	return of.number && tenancy_state(host, of) <= TENANT_AUDITED;
}

bool tenancy_outlives_cgroup(const struct host *host, struct tenancy of)
{
	return of.number && tenancy_state(host, of) == TENANT_GONE &&
	       storage_exists(host, tenancy_record(host, of)->cgroup);
}
