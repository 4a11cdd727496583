// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "batch.h"
#include "spare.h"

int settings_write(struct host *host, __u32 number, const struct sw_settings *settings, struct fault *fault)
{
	if (!bpf_map_update_elem(host->map[MAP_settings], &number, settings, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the policy's settings: %s", strerror(errno));
}

bool settings_whole(const struct sw_settings *settings)
{
	static const __u8 none[sizeof(settings->hash)];

	return settings->serial && memcmp(settings->hash, none, sizeof(none)) != 0;
}

/* What is to be put in place, in one call for each of the two outer maps. */
struct placing {
	__u32 number[PUBLISH_BATCH + SPARES];
	int trie[PUBLISH_BATCH + SPARES],
		table[PUBLISH_BATCH + SPARES]; /* owned by the batch, but for the spare ones */
	__u32 n;
};

static int place(struct host *host, const struct placing *placing, struct fault *fault)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 n = placing->n;

	if (n && bpf_map_update_batch(host->map[MAP_tries], placing->number, placing->trie, &n, &how))
		return fault_set(fault, errno, "cannot write the policy's prefixes: %s", strerror(errno));
	n = placing->n;
	if (n && bpf_map_update_batch(host->map[MAP_tables], placing->number, placing->table, &n, &how))
		return fault_set(fault, errno, "cannot write the policy's table: %s", strerror(errno));
	return 0;
}

/* Tries of names are few, and made for their image: none is kept for another. */
static int place_names(struct host *host, struct batch *batch, struct fault *fault)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 number[PUBLISH_BATCH], n = 0;
	int names[PUBLISH_BATCH];

	for (__u32 i = 0; i < batch->n; i++)
		if (batch->names[i] >= 0) {
			number[n] = batch->number[i];
			names[n++] = batch->names[i];
		}
	if (n && bpf_map_update_batch(host->map[MAP_names], number, names, &n, &how))
		return fault_set(fault, errno, "cannot write the policy's names: %s", strerror(errno));
	return 0;
}

/* What the numbers have, if any. */
static int take_names(struct host *host, const struct batch *batch, struct fault *fault)
{
	for (__u32 i = 0; i < batch->n; i++)
		if (bpf_map_delete_elem(host->map[MAP_names], &batch->number[i]) && errno != ENOENT)
			return fault_set(fault, errno, "cannot take out a policy's names: %s", strerror(errno));
	return 0;
}

int batch_place(struct host *host, struct batch *batch, struct fault *fault)
{
	struct placing placing = { 0 };
	__u32 own, n;
	int err;

	for (__u32 i = 0; i < batch->n; i++)
		if (!batch->placed[i]) {
			placing.number[placing.n] = batch->number[i];
			placing.trie[placing.n] = batch->trie[i];
			placing.table[placing.n++] = batch->table[i];
		}
	own = placing.n;
	if (own)
		placing.n += spare_make(host, SPARES, &placing.number[own], &placing.trie[own], &placing.table[own]);
	err = place(host, &placing, fault);
	if (!err)
		err = place_names(host, batch, fault);
	n = placing.n - own;
	inner_close(&placing.trie[own], n);
	inner_close(&placing.table[own], n);
	inner_close(batch->trie, batch->n);
	inner_close(batch->table, batch->n);
	inner_close(batch->names, batch->n);
	return err;
}

/* What the kernel could not make, it does not take. */
int batch_empty(struct host *host, const struct batch *batch, struct fault *fault)
{
	struct placing placing = { 0 };
	int trie, table, err = take_names(host, batch, fault);

	if (err)
		return err;
	for (__u32 i = 0; i < batch->n; i++)
		if (!spare_leave(host, batch->number[i]))
			placing.number[placing.n++] = batch->number[i];
	if (!placing.n)
		return 0;
	inner_make_nothing(&trie, &table);
	for (__u32 i = 0; i < placing.n; i++) {
		placing.trie[i] = trie;
		placing.table[i] = table;
	}
	err = place(host, &placing, fault);
	inner_close(&trie, 1);
	inner_close(&table, 1);
	return err;
}
