// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "storage.h"
#include "values.h"

int storage_write(struct host *host, __u64 cgroup, const struct sw_tenant *tenant, struct fault *fault)
{
	int err = value_write(host, MAP_tenants, &cgroup, tenant, BPF_EXIST);

	host->settled = false;
	return err ? fault_set(fault, -err, "cannot write the storage of the cgroup: %s", strerror(-err)) : 0;
}

int storage_clear(struct host *host, __u64 cgroup, struct fault *fault)
{
	struct sw_tenant tenant;
	int err = host_storage(host, cgroup, &tenant);

	if (err && err != -ENOENT)
		return fault_set(fault, -err, "cannot read the storage of the cgroup: %s", strerror(-err));
	return err ? 0 : storage_write(host, cgroup, &(struct sw_tenant){ 0 }, fault);
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
