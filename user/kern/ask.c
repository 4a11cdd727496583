// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"

typedef struct sw_image {
	int trie, table;
	struct sw_class *class; /* where the accessors put what they read */
	struct sw_row *row;
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

static int open_inner(int outer, __u32 number)
{
	__u32 id;

	return bpf_map_lookup_elem(outer, &number, &id) ? -1 : bpf_map_get_fd_by_id(id);
}

int ask(const struct host *host, __u32 number, const struct sw_flow *flow, struct sw_verdict *out, struct fault *fault)
{
	struct sw_class class;
	struct sw_row row;
	sw_image image = {
		.trie = open_inner(host->map[MAP_tries], number),
		.table = open_inner(host->map[MAP_tables], number),
		.class = &class,
		.row = &row,
	};
	int err = 0;

	if (image.trie < 0 || image.table < 0)
		err = fault_set(fault, errno, "cannot open the policy in the kernel: %s", strerror(errno));
	else
		*out = sw_decide(&image, &host->settings[number], flow);
	if (image.trie >= 0)
		close(image.trie);
	if (image.table >= 0)
		close(image.table);
	return err;
}
