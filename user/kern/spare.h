/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inner maps that are in their places already. To put one there the kernel waits for a grace period; to fill one it
 * does not. So a number that is given free keeps its maps, emptied, and an image that fits is filled into them. And
 * when something has to be put in place anyway, some numbers that are free get maps in the same call.
 *
 * Nobody reads what is under a free number, and an image is as immutable as any other from when it is whole.
 */
#ifndef SW_SPARE_H
#define SW_SPARE_H

#include "inner.h"

/* Fills the image into the maps of `number`, which no tenant points to, and gives descriptors of them, to be closed.
 * False: there are none, or they are too small, or it failed; the number then has to be given others. */
bool spare_fill(const struct host *host, __u32 number, const struct image *image, const __u32 *numbers, int *trie,
		int *table);

/* Empties those of an image that no program reads any more. False: they cannot stay. */
bool spare_leave(const struct host *host, __u32 number);

/* Makes maps for some numbers that are free and have none, `max` of them at most, and says how many. Owned by the
 * caller, who is to put them in place. */
#define SPARES 8
__u32 spare_make(const struct host *host, __u32 max, __u32 *numbers, int *tries, int *tables);

#endif
