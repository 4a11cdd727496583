// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "counts.h"
#include "meters.h"
#include "slots.h"
#include "storage.h"
#include "values.h"

int counts_copy(struct host *next, struct fault *fault)
{
	struct host was = host_closed;
	int err = values_open(&was, MAP_counts, fault);

	if (!err)
		for_each_slot_of(slot, next, SLOTS_USED) {
			struct sw_counts counts;

			err = value_read(&was, MAP_counts, &slot, &counts);
			if (!err && bpf_map_update_elem(next->map[MAP_counts], &slot, &counts, BPF_ANY))
				err = -errno;
			if (err) {
				fault_set(fault, -err, "cannot copy the counters: %s", strerror(-err));
				break;
			}
		}
	values_close(&was);
	return err;
}

/* The counter is read before the meter, as in budget.c: what passes between the two is taken for unspent. */
static int settle(struct host *next, __u32 slot, struct fault *fault)
{
	struct sw_record record = next->records[slot];
	struct sw_tenant tenant;
	struct sw_counts counts;
	struct sw_meter meter;
	__u64 unspent;
	int err;

	if (!storage_of_slot(next, slot, &tenant) || tenant.limit == SW_NO_LIMIT)
		return 0;
	if (bpf_map_lookup_elem(next->map[MAP_counts], &slot, &counts))
		return fault_set(fault, errno, "cannot read the counters: %s", strerror(errno));
	err = meters_read_one(next, slot, &meter, fault);
	unspent = meter.of[SW_BILLABLE][SW_EGRESS].bytes - counts.spent;
	if (err || (__s64)(unspent - record.unspent) <= 0)
		return err;
	if (tenant.limit != SW_COUNTING)
		tenant.limit -= unspent - record.unspent < tenant.limit ? unspent - record.unspent : tenant.limit;
	record.unspent = unspent;
	err = slot_write(next, slot, &record, fault);
	return err ? err : storage_write(next, tenant.cgroup, &tenant, fault);
}

int counts_settle(struct host *next, struct fault *fault)
{
	int err = host_synchronize(next, fault);

	for_each_slot_of(slot, next, SLOTS_HELD)
		if (!err)
			err = settle(next, slot, fault);
	return err;
}
