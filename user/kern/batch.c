// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "batch.h"

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

int batch_place(struct host *host, struct batch *batch, struct fault *fault)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 n = batch->n;
	int err = 0;

	if (n && bpf_map_update_batch(host->map[MAP_tries], batch->number, batch->trie, &n, &how))
		err = fault_set(fault, errno, "cannot write the policy's prefixes: %s", strerror(errno));
	n = batch->n;
	if (!err && n && bpf_map_update_batch(host->map[MAP_tables], batch->number, batch->table, &n, &how))
		err = fault_set(fault, errno, "cannot write the policy's table: %s", strerror(errno));
	inner_close(batch->trie, batch->n);
	inner_close(batch->table, batch->n);
	return err;
}
