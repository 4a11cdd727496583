/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Patterns of names, as the kernel knows them. A text has one number on this host for as long as it is remembered, so
 * what a tenant was told outlives a change of its policy; and a number is never given to another text.
 */
#ifndef SW_PATTERNS_H
#define SW_PATTERNS_H

#include "host.h"
#include "image.h"

/* What this host calls each of the image's patterns: to be freed. NULL: it has none. With the lock held; 0 or -errno. */
int patterns_number(struct host *host, const struct image *image, __u32 **numbers, struct fault *fault);

/* A trie of them, by name: a descriptor, or -1 if there are none. 0 or -errno. */
int patterns_trie(const struct image *image, const __u32 *numbers, int *out, struct fault *fault);

/* All texts that have a number, `n` of them, to be freed; their text is as in struct sw_pattern_text. */
struct pattern_number {
	struct sw_pattern_text text;
	__u32 number;
};
struct pattern_number *patterns_read(const struct host *host, size_t *n);

#endif
