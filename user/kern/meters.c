// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "meter.h"
#include "meters.h"
#include "values.h"

int meters_clear(struct host *host, __u32 slot, struct fault *fault)
{
	struct sw_meter *zero = mem_alloc(libbpf_num_possible_cpus(), sizeof(*zero));
	struct sw_counts none = { 0 };
	int err = 0;

	if (bpf_map_update_elem(host->map[MAP_meters], &slot, zero, BPF_ANY) ||
	    bpf_map_update_elem(host->map[MAP_counts], &slot, &none, BPF_ANY))
		err = fault_set(fault, errno, "cannot clear the counters: %s", strerror(errno));
	free(zero);
	return err;
}

int meters_read_one(const struct host *host, __u32 slot, struct sw_meter *out, struct fault *fault)
{
	int cpus = libbpf_num_possible_cpus(), err;
	struct sw_meter *per_cpu = mem_alloc(cpus, sizeof(*per_cpu));

	*out = (struct sw_meter){ 0 };
	err = value_read(host, MAP_meters, &slot, per_cpu);
	if (err)
		fault_set(fault, -err, "cannot read the meters: %s", strerror(-err));
	for (int i = 0; i < cpus && !err; i++)
		meter_add(out, &per_cpu[i]);
	free(per_cpu);
	return err;
}

#define BATCH 1024 /* slots in a system call: with many CPUs a slot is large */

/* The kernel gives each CPU's meter of a slot, one behind the other. */
static void sum_batch(const struct sw_meter *per_cpu, int cpus, __u32 n, struct sw_meter *out)
{
	for (__u32 i = 0; i < n; i++)
		for (int cpu = 0; cpu < cpus; cpu++)
			meter_add(&out[i], &per_cpu[(size_t)i * cpus + cpu]);
}

/* An array's keys come in order, so the sums can be written where they belong. */
static int read_all(int map, __u32 n, int cpus, struct sw_meter *sums)
{
	struct sw_meter *per_cpu = mem_alloc((size_t)BATCH * cpus, sizeof(*per_cpu));
	__u32 keys[BATCH], done = 0, next;
	int err = 0;

	while (done < n && !err) {
		__u32 count = n - done < BATCH ? n - done : BATCH;

		if (bpf_map_lookup_batch(map, done ? &next : NULL, &next, keys, per_cpu, &count, NULL) &&
		    errno != ENOENT) /* that was the end of the map */
			err = -errno;
		else if (!count)
			err = -EIO;
		else
			sum_batch(per_cpu, cpus, count, sums + done);
		done += count;
	}
	free(per_cpu);
	return err;
}

/* Of another build's, which lie otherwise. */
static int read_each(const struct host *host, __u32 n, struct sw_meter *sums, struct fault *fault)
{
	int err = 0;

	for (__u32 slot = 0; slot < n && !err; slot++)
		err = meters_read_one(host, slot, &sums[slot], fault);
	return err;
}

int meters_read(const struct host *host, __u32 n, struct sw_meter **out, struct fault *fault)
{
	struct sw_meter *sums = mem_alloc(n + BATCH, sizeof(*sums));
	int err = host->theirs[MAP_meters] ? read_each(host, n, sums, fault)
					   : read_all(host->map[MAP_meters], n, libbpf_num_possible_cpus(), sums);

	*out = err ? NULL : sums;
	if (!err)
		return 0;
	free(sums);
	return fault_set(fault, -err, "cannot read the meters: %s", strerror(-err));
}
