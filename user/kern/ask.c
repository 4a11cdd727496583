// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "publish.h"
#include "table.h"

typedef struct sw_image {
	int trie, table;
	struct sw_class *class; /* where the accessors put what they read */
	struct sw_row *row;
	struct sw_pattern *patterns; /* ordered by number */
	size_t pattern_count;
	int grants;
	__u32 tenancy;
} sw_image;

#include "decide.h"

static inline const struct sw_class *sw_image_class(const sw_image *image, const struct sw_addr *addr)
{
	struct sw_prefix key = { .len = 128, .addr = *addr };

	return bpf_map_lookup_elem(image->trie, &key, image->class) ? NULL : image->class;
}

static inline const struct sw_span *sw_image_span(const sw_image *image, __u32 index)
{
	__u32 row = index / SW_ROW_SPANS;

	return bpf_map_lookup_elem(image->table, &row, image->row) ? NULL : &image->row->spans[index % SW_ROW_SPANS];
}

static inline void sw_image_named(const sw_image *image, const struct sw_addr *addr, __u32 service, __u8 answer,
				  struct sw_verdict *verdict)
{
	struct sw_grant_key key = { .tenancy = image->tenancy, .addr = *addr };
	struct sw_grant grant;
	__u32 now = clock_ns(CLOCK_BOOTTIME) / 1000000000;

	if (bpf_map_lookup_elem(image->grants, &key, &grant))
		return;
	for (int i = 0; i < SW_GRANT_PATTERNS; i++) {
		const struct sw_pattern *pattern;

		if ((__u32)grant.open[i] <= now)
			continue;
		pattern = table_pattern(image->patterns, image->pattern_count, grant.open[i] >> 32);
		if (pattern)
			sw_decide_pattern(image, pattern, service, answer, verdict);
	}
}

static int open_inner(int outer, __u32 number)
{
	__u32 id;

	return bpf_map_lookup_elem(outer, &number, &id) ? -1 : bpf_map_get_fd_by_id(id);
}

int ask(const struct host *host, __u32 number, __u32 tenancy, const struct sw_flow *flow, struct sw_verdict *out,
	struct fault *fault)
{
	struct sw_class class;
	struct sw_row row;
	sw_image image = {
		.trie = open_inner(host->map[MAP_tries], number),
		.table = open_inner(host->map[MAP_tables], number),
		.class = &class,
		.row = &row,
		.grants = host->map[MAP_grants],
		.tenancy = tenancy,
	};
	int err = 0;

	image.patterns = published_patterns(host, number, &image.pattern_count);

	if (image.trie < 0 || image.table < 0)
		err = fault_set(fault, errno, "cannot open the policy in the kernel: %s", strerror(errno));
	else
		*out = sw_decide(&image, &host->settings[number], flow);
	if (image.trie >= 0)
		close(image.trie);
	if (image.table >= 0)
		close(image.table);
	free(image.patterns);
	return err;
}
