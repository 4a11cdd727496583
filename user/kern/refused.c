// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "refused.h"
#include "resolv.h"

#define BATCH 512

/* More often first; then by peer, so that two reports of the same agree. */
static int by_times(const void *a, const void *b)
{
	const struct refused *x = a, *y = b;

	if (x->times != y->times)
		return x->times < y->times ? 1 : -1;
	return memcmp(&x->flow, &y->flow, sizeof(x->flow));
}

static void add(const struct sw_refused_key *key, __u64 times, const struct prefixes *resolvers, struct report *report)
{
	struct refused *refused = list_add(&report->refused);

	*refused = (struct refused){ .flow = key->flow, .rule = key->rule, .times = times };
	for (size_t i = 0; i < resolvers->n; i++)
		refused->resolver |= key->flow.port == 53 && sw_addr_equal(&resolvers->v[i].addr, &key->flow.peer);
}

/* The table is small, and one for all tenants: it is read whole. */
static int read_all(const struct host *host, __u32 slot, const struct prefixes *resolvers, struct report *report)
{
	struct sw_refused_key keys[BATCH];
	__u64 times[BATCH];
	__u32 n, token;
	bool first = true;
	int err = 0;

	while (!err && host->map[MAP_refused] >= 0) { /* else it is another build's */
		n = BATCH;
		if (bpf_map_lookup_batch(host->map[MAP_refused], first ? NULL : &token, &token, keys, times, &n, NULL))
			err = -errno;
		for (__u32 i = 0; i < n && (!err || err == -ENOENT); i++)
			if (keys[i].slot == slot && keys[i].tenancy == (__u32)report->record.tenancy)
				add(&keys[i], times[i], resolvers, report);
		first = false;
	}
	return err == -ENOENT ? 0 : err;
}

int refused_read(const struct host *host, __u32 slot, struct report *report, struct fault *fault)
{
	struct prefixes resolvers = { 0 };
	int err;

	(void)resolv_read(&resolvers); /* where it cannot be read there is less to say */
	err = read_all(host, slot, &resolvers, report);
	prefixes_free(&resolvers);
	if (report->refused.n)
		qsort(report->refused.v, report->refused.n, sizeof(*report->refused.v), by_times);
	return err ? fault_set(fault, -err, "cannot read the peers that were refused: %s", strerror(-err)) : 0;
}
