// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hits.h"
#include "mem.h"
#include "slots.h"

#define BLOCKS (SW_HITS_MAX / SW_BLOCK)

static __u32 blocks_for(__u32 counters)
{
	return (counters + SW_BLOCK - 1) / SW_BLOCK;
}

/* The slot's own too: its old counters are written to until its new ones are in force. */
static void mark_taken(const struct host *host, bool taken[BLOCKS])
{
	for_each_slot_of(slot, host, SLOTS_HELD) {
		const struct sw_block *block = &host->blocks[slot];

		memset(taken + block->first / SW_BLOCK, true, blocks_for(block->count));
	}
}

/* The first of `n` free blocks in a row; BLOCKS: there are not so many. */
static __u32 find_room(const bool taken[BLOCKS], __u32 n)
{
	__u32 run = 0;

	for (__u32 i = 0; i < BLOCKS; i++) {
		run = taken[i] ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return BLOCKS;
}

static int clear(struct host *host, const struct sw_block *block)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 n = block->count, *keys = mem_alloc(n, sizeof(*keys));
	__u64 *zeroes = mem_alloc(n, sizeof(*zeroes));
	int err = 0;

	for (__u32 i = 0; i < n; i++)
		keys[i] = block->first + i;
	if (n && bpf_map_update_batch(host->map[MAP_hits], keys, zeroes, &n, &how))
		err = -errno;
	free(keys);
	free(zeroes);
	return err;
}

int hits_place(struct host *host, __u32 slot, __u64 serial, __u32 rules, struct fault *fault)
{
	bool *taken = mem_alloc(BLOCKS, sizeof(*taken));
	struct sw_block block = { .serial = serial, .count = rules + 1 };
	__u32 first;
	int err;

	mark_taken(host, taken);
	first = find_room(taken, blocks_for(block.count));
	free(taken);
	if (first == BLOCKS)
		block.count = 0;
	else
		block.first = first * SW_BLOCK;
	err = clear(host, &block);
	if (!err && bpf_map_update_elem(host->map[MAP_blocks], &slot, &block, BPF_ANY))
		err = -errno;
	return err ? fault_set(fault, -err, "cannot place the counters of the rules: %s", strerror(-err)) : 0;
}

__u64 hits_of(const struct host *host, __u32 slot, __u64 serial, __u32 rule)
{
	const struct sw_block block = host->blocks && host->hits ? host->blocks[slot] : (struct sw_block){ 0 };
	__u32 counter = rule == SW_RULE_DEFAULT ? block.count - 1 : rule;

	if (block.serial != serial || counter >= block.count || block.first + counter >= SW_HITS_MAX)
		return 0;
	return *(const volatile __u64 *)&host->hits[block.first + counter];
}
