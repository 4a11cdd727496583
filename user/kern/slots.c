// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "slots.h"
#include "values.h"

__u32 slot_next(const struct sw_record *records, __u32 end, __u32 slot, unsigned states)
{
	while (++slot < end)
		if (states & 1U << slot_state(&records[slot]))
			return slot;
	return 0;
}

__u32 slots_end(const struct host *host)
{
	__u32 end = SW_TENANTS_MAX;

	while (end > 1 && slot_state(&host->records[end - 1]) == SLOT_FREE)
		end--;
	return end;
}

__u32 slots_count(const struct host *host, unsigned states)
{
	__u32 n = 0;

	for_each_slot_of(slot, host, states)
		n++;
	return n;
}

int slot_write(struct host *host, __u32 slot, const struct sw_record *record, struct fault *fault)
{
	int err = value_write(host, MAP_records, &slot, record, BPF_ANY);

	return err ? fault_set(fault, -err, "cannot write the map 'records': %s", strerror(-err)) : 0;
}

int tenancy_check(const struct host *host, struct tenancy of, unsigned states, struct fault *fault)
{
	return tenancy_is(host, of, states) ? 0 : fault_set(fault, ENOENT, "the tenant has been detached meanwhile");
}

struct tenancy tenancy_named(const struct host *host, const char *name)
{
	for_each_slot_of(slot, host, SLOTS(ATTACHED))
		if (!strcmp(host->records[slot].name, name))
			return tenancy_in(host, slot);
	return (struct tenancy){ 0 };
}

struct tenancy tenancy_of_cgroup(const struct host *host, __u64 cgroup)
{
	for_each_slot_of(slot, host, SLOTS(ATTACHED))
		if (host->records[slot].cgroup == cgroup)
			return tenancy_in(host, slot);
	return (struct tenancy){ 0 };
}

struct tenancy tenancy_numbered(const struct host *host, __u64 number)
{
	for_each_slot_of(slot, host, SLOTS(ATTACHED))
		if (host->records[slot].tenancy == number)
			return tenancy_in(host, slot);
	return (struct tenancy){ 0 };
}
