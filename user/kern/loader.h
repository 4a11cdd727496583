/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF object of this build, as the kernel takes it: loaded with maps of its own, or with some that are there
 * already.
 */
#ifndef SW_LOADER_H
#define SW_LOADER_H

#include "host.h"

struct btf;
struct sockwarden; /* the skeleton */

/* What there is already. */
struct loader_from {
	int kept[MAP_COUNT]; /* maps to take; -1 where a new one is to be made */
	int socks;           /* if that is a new one: the map whose contents are carried over, or -1 */
};

/* `from` NULL: all new. 0, or -errno and `out` is NULL. */
int loader_load(const struct loader_from *from, struct sockwarden **out, struct fault *fault);
void loader_free(struct sockwarden *loaded);

/* The descriptor stays the object's. */
int loader_map(const struct sockwarden *loaded, enum sw_map map);

/* Pins all of it in PINS_LOADING, made anew, with the identity of this build. 0 or -errno, and nothing is there. */
int loader_pin(const struct sockwarden *loaded, struct fault *fault);

/* The first load of all: PINS_HOST appears whole or not at all. With the lock held. */
int loader_install(struct fault *fault);

/* The BTF of the object, to be freed, and the type of the map's values in it. NULL when it cannot be read. */
struct btf *loader_btf(enum sw_map map, __u32 *value);

#endif
