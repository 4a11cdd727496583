// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"

typedef struct sw_image {
	int trie, spans;
	struct sw_class *class; /* where the accessors put what they read */
	struct sw_span *span;
} sw_image;

#include "decide.h"

static inline const struct sw_class *sw_image_class(const sw_image *image, const struct sw_addr *addr)
{
	struct sw_prefix key = { .len = 128, .addr = *addr };

	return bpf_map_lookup_elem(image->trie, &key, image->class) ? NULL : image->class;
}

static inline const struct sw_span *sw_image_span(const sw_image *image, __u32 index)
{
	return bpf_map_lookup_elem(image->spans, &index, image->span) ? NULL : image->span;
}

static int open_inner(int outer, __u32 number)
{
	__u32 id;

	return bpf_map_lookup_elem(outer, &number, &id) ? -1 : bpf_map_get_fd_by_id(id);
}

int ask(const struct host *host, __u32 number, const struct sw_flow *flow, struct sw_verdict *out, struct fault *fault)
{
	struct sw_class class;
	struct sw_span span;
	sw_image image = {
		.trie = open_inner(host->map[MAP_tries], number),
		.spans = open_inner(host->map[MAP_spans], number),
		.class = &class,
		.span = &span,
	};
	int err = 0;

	if (image.trie < 0 || image.spans < 0)
		err = fault_set(fault, errno, "cannot open the policy in the kernel: %s", strerror(errno));
	else
		*out = sw_decide(&image, &host->settings[number], flow);
	if (image.trie >= 0)
		close(image.trie);
	if (image.spans >= 0)
		close(image.spans);
	return err;
}
