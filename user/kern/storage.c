// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "storage.h"
#include "values.h"

/*
 * For programs that run in no cgroup, and cannot read that storage: what is in force now, not what was when a pass last
 * began. Of another build's map, which is not open, its own passes take care.
 */
static int tell_owners(const struct host *host, __u64 cgroup, const struct sw_tenant *tenant)
{
	int owners = host->map[MAP_owners];

	if (owners < 0)
		return 0;
	if (tenant->slot)
		return bpf_map_update_elem(owners, &cgroup, tenant, BPF_ANY) ? -errno : 0;
	return bpf_map_delete_elem(owners, &cgroup) && errno != ENOENT ? -errno : 0;
}

int storage_write(struct host *host, __u64 cgroup, const struct sw_tenant *tenant, struct fault *fault)
{
	int err = value_write(host, MAP_tenants, &cgroup, tenant, BPF_EXIST);

	host->settled = false;
	if (!err)
		err = tell_owners(host, cgroup, tenant);
	return err ? fault_set(fault, -err, "cannot write the storage of the cgroup: %s", strerror(-err)) : 0;
}

int storage_clear(struct host *host, __u64 cgroup, struct fault *fault)
{
	const struct sw_tenant none = { 0 };
	struct sw_tenant tenant;
	int err = host_storage(host, cgroup, &tenant);

	if (!err)
		return storage_write(host, cgroup, &none, fault);
	if (err == -ENOENT)
		err = tell_owners(host, cgroup, &none);
	return err ? fault_set(fault, -err, "cannot read the storage of the cgroup: %s", strerror(-err)) : 0;
}

bool storage_of_slot(const struct host *host, __u32 slot, struct sw_tenant *out)
{
	if (!host_storage(host, host->records[slot].cgroup, out) && out->slot == slot)
		return true;
	*out = (struct sw_tenant){ 0 };
	return false;
}

bool storage_exists(const struct host *host, __u64 cgroup)
{
	struct sw_tenant tenant;

	return host_storage(host, cgroup, &tenant) != -ENOENT;
}
