// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "counts.h"
#include "fields.h"
#include "meters.h"
#include "pins.h"
#include "slots.h"
#include "storage.h"
#include "values.h"

/*
 * In a sum, and in no other word: what the other build's has is to be added yet. One addition does that and takes the
 * mark away. So whoever is killed has done all of it or nothing, and what programs add at the same time is in it.
 */
#define OWED (1ULL << 63)

/* ---- before the new ones are in use ---------------------------------------------------------------------------- */

/* What programs add to, and do not look at. */
static void owe(struct sw_counts *counts)
{
	counts->allowed = counts->audited = counts->log_dropped = OWED;
	for (int i = 0; i < SW_REASONS_MAX; i++)
		counts->denied[i] = OWED;
	for (int i = 0; i < SW_CAUSES_MAX; i++)
		counts->closed[i] = OWED;
}

int counts_copy(struct host *next, struct fault *fault)
{
	struct host was = host_closed;
	int err = values_open(&was, MAP_counts, fault);

	if (!err)
		for_each_slot_of(slot, next, SLOTS_USED) {
			struct sw_counts counts;

			err = value_read(&was, MAP_counts, &slot, &counts);
			owe(&counts);
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

/* ---- once only they are ---------------------------------------------------------------------------------------- */

/* The maps of two builds, neither of which need be this one. */
struct pair {
	int was, now; /* their descriptors */
	struct bpf_map_info is_was, is_now;
	struct fields fields; /* from one to the other */
	__u64 *sums;          /* all values of `now`, as the programs have them before them */
	size_t words;         /* of a value of `now` */
};

static size_t words_of(const struct bpf_map_info *info)
{
	return (info->value_size + 7) / 8;
}

static int open_pair(struct pair *pair, struct fault *fault)
{
	__u32 len_was = sizeof(pair->is_was), len_now = sizeof(pair->is_now);
	void *at;

	*pair = (struct pair){ .was = pins_open(PINS_HOST, pins_map[MAP_counts]),
			       .now = pins_open(PINS_NEXT, pins_map[MAP_counts]) };
	if (pair->was < 0 || pair->now < 0 || bpf_obj_get_info_by_fd(pair->was, &pair->is_was, &len_was) ||
	    bpf_obj_get_info_by_fd(pair->now, &pair->is_now, &len_now))
		return fault_set(fault, errno, "cannot open the counters: %s", strerror(errno));
	pair->words = words_of(&pair->is_now);
	at = mmap(NULL, pair->is_now.max_entries * pair->words * 8, PROT_READ | PROT_WRITE, MAP_SHARED, pair->now, 0);
	if (at == MAP_FAILED)
		return fault_set(fault, errno, "cannot map the counters: %s", strerror(errno));
	pair->sums = at;
	return fields_between(pair->was, pair->now, MAP_counts, &pair->fields, fault);
}

static void close_pair(struct pair *pair)
{
	if (pair->sums)
		munmap(pair->sums, pair->is_now.max_entries * pair->words * 8);
	fields_free(&pair->fields);
	if (pair->was >= 0)
		close(pair->was);
	if (pair->now >= 0)
		close(pair->now);
}

static bool is_owed(const __u64 *sum)
{
	return __atomic_load_n(sum, __ATOMIC_RELAXED) & OWED;
}

static bool any_owed(const __u64 *sums, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_owed(&sums[i]))
			return true;
	return false;
}

/* `raw` has room for a value of `was`, `moved` for one of `now`. A sum that the other build has not is owed 0. */
static int pay_slot(const struct pair *pair, __u32 slot, void *raw, __u64 *moved)
{
	__u64 *sums = pair->sums + slot * pair->words;

	if (!any_owed(sums, pair->words))
		return 0;
	if (bpf_map_lookup_elem(pair->was, &slot, raw))
		return -errno;
	memset(moved, 0, pair->words * sizeof(*moved));
	fields_copy(&pair->fields, raw, moved);
	for (size_t i = 0; i < pair->words; i++)
		if (is_owed(&sums[i]))
			__atomic_fetch_add(&sums[i], moved[i] - OWED, __ATOMIC_RELAXED);
	return 0;
}

int counts_pay(struct fault *fault)
{
	struct pair pair;
	int err = open_pair(&pair, fault);
	__u64 *raw = mem_alloc(words_of(&pair.is_was) + 1, sizeof(*raw));
	__u64 *moved = mem_alloc(pair.words + 1, sizeof(*moved));

	for (__u32 slot = 0; slot < pair.is_now.max_entries && !err; slot++) {
		err = pay_slot(&pair, slot, raw, moved);
		if (err)
			fault_set(fault, -err, "cannot read the counters: %s", strerror(-err));
	}
	free(raw);
	free(moved);
	close_pair(&pair);
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
	int err = 0;

	for_each_slot_of(slot, next, SLOTS_HELD)
		if (!err)
			err = settle(next, slot, fault);
	return err;
}
