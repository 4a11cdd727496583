/* SPDX-License-Identifier: GPL-2.0-only */
/* Images that are put into the outer maps, or taken out, in one call. For publish.c and collect.c. */
#ifndef SW_BATCH_H
#define SW_BATCH_H

#include "inner.h"
#include "publish.h"

struct batch {
	__u32 number[PUBLISH_BATCH];
	int trie[PUBLISH_BATCH], table[PUBLISH_BATCH]; /* owned until batch_place() */
	int names[PUBLISH_BATCH];                      /* likewise; -1: it has no patterns */
	bool placed[PUBLISH_BATCH];                    /* trie and table are in their places already: spare.h */
	const struct image *image[PUBLISH_BATCH];
	__u64 serial[PUBLISH_BATCH];
	__u32 n;
};

/* Puts the inner maps in their places, and closes them: two grace periods, whatever its size, or none if they are
 * there; one more if there are patterns. 0 or -errno. */
int batch_place(struct host *host, struct batch *batch, struct fault *fault);

/* Of images that no program reads any more. What is left under their numbers is one in which nothing is found. 0 or
 * -errno. */
int batch_empty(struct host *host, const struct batch *batch, struct fault *fault);

/* 0 or -errno. */
int settings_write(struct host *host, __u32 number, const struct sw_settings *settings, struct fault *fault);

/* The image may be found, shared and used. */
bool settings_whole(const struct sw_settings *settings);

#endif
