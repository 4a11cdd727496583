// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fields.h"
#include "pins.h"
#include "values.h"

struct theirs {
	int fd;
	size_t size, stride; /* of a value, and as the kernel gives one of several CPUs */
	int cpus;            /* values it gives at once */
	struct fields fields;
	size_t ours; /* bytes of our value, as far as it has fields in common */
};

static size_t round_up(size_t n)
{
	return (n + 7) / 8 * 8;
}

static size_t size_of(enum sw_map map)
{
	switch (map) {
	case MAP_tenants:
		return sizeof(struct sw_tenant);
	case MAP_meters:
		return sizeof(struct sw_meter);
	case MAP_counts:
		return sizeof(struct sw_counts);
	case MAP_records:
		return sizeof(struct sw_record);
	case MAP_wanted:
		return sizeof(struct sw_wanted);
	default:
		return sizeof(struct sw_host);
	}
}

int values_open(struct host *host, enum sw_map map, struct fault *fault)
{
	struct theirs *theirs = mem_alloc(1, sizeof(*theirs));
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	host->theirs[map] = theirs;
	theirs->fd = pins_open(PINS_HOST, pins_map[map]);
	if (theirs->fd < 0 || bpf_obj_get_info_by_fd(theirs->fd, &info, &len))
		return fault_set(fault, errno, PINS_HOST "/%s: %s", pins_map[map], strerror(errno));
	theirs->size = info.value_size;
	theirs->stride = round_up(info.value_size);
	theirs->cpus = info.type == BPF_MAP_TYPE_PERCPU_ARRAY ? libbpf_num_possible_cpus() : 1;
	theirs->ours = size_of(map);
	return fields_match(theirs->fd, map, &theirs->fields, fault);
}

void values_close(struct host *host)
{
	for (int i = 0; i < MAP_COUNT; i++) {
		struct theirs *theirs = host->theirs[i];

		if (!theirs)
			continue;
		if (theirs->fd >= 0)
			close(theirs->fd);
		fields_free(&theirs->fields);
		free(theirs);
		host->theirs[i] = NULL;
	}
}

int values_fd(const struct host *host, enum sw_map map)
{
	return host->theirs[map] ? host->theirs[map]->fd : host->map[map];
}

int value_read(const struct host *host, enum sw_map map, const void *key, void *value)
{
	const struct theirs *theirs = host->theirs[map];
	char *raw;
	int err;

	if (!theirs)
		return bpf_map_lookup_elem(host->map[map], key, value) ? -errno : 0;
	raw = mem_alloc(theirs->cpus, theirs->stride);
	err = bpf_map_lookup_elem(theirs->fd, key, raw) ? -errno : 0;
	memset(value, 0, theirs->cpus * theirs->ours);
	for (int i = 0; i < theirs->cpus && !err; i++)
		fields_copy(&theirs->fields, raw + i * theirs->stride, (char *)value + i * theirs->ours);
	free(raw);
	return err;
}

/* What they have and we do not stays as it is. */
int value_write(const struct host *host, enum sw_map map, const void *key, const void *value, __u64 flags)
{
	const struct theirs *theirs = host->theirs[map];
	char *raw;
	int err;

	if (!theirs)
		return bpf_map_update_elem(host->map[map], key, value, flags) ? -errno : 0;
	raw = mem_alloc(theirs->cpus, theirs->stride);
	(void)bpf_map_lookup_elem(theirs->fd, key, raw);
	for (int i = 0; i < theirs->cpus; i++)
		fields_paste(&theirs->fields, (const char *)value + i * theirs->ours, raw + i * theirs->stride);
	err = bpf_map_update_elem(theirs->fd, key, raw, flags) ? -errno : 0;
	free(raw);
	if (map == MAP_records && host->records)
		value_read(host, map, key, (void *)&host->records[*(const __u32 *)key]);
	return err;
}

void values_refresh(const struct host *host, enum sw_map map, void *copy, size_t n, size_t size)
{
	for (__u32 i = 0; i < n; i++)
		value_read(host, map, &i, (char *)copy + i * size);
}

void *values_copy(const struct host *host, enum sw_map map, size_t n, size_t size)
{
	void *copy = mem_alloc(n, size);

	values_refresh(host, map, copy, n, size);
	return copy;
}
