/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images in the kernel. One is put there whole, under a free number, before any tenant points to it; it is never
 * changed; it is taken out when no tenant points to it and no program can still be reading it. A change of policy is
 * thus one store to a tenant's storage.
 *
 * An image is three things of one number: an element of `settings`, a trie and a table. The latter two are pinned too,
 * by the serial, for who has not the right to open them by the kernel's number. An image's life is in its settings:
 *
 *   serial 0                 the number is free
 *   serial, hash of zeroes   being put there, or being taken out: no program reads it
 *   serial and hash          whole: it may be found, shared and used
 *
 * The kernel waits for a grace period when something is put into an outer map, once for all that one call puts there
 * (since Linux 6.8; before, for each). So what is done for many is done in one call.
 */
#ifndef SW_PUBLISH_H
#define SW_PUBLISH_H

#include "host.h"
#include "image.h"

struct published {
	__u32 image;
	__u64 serial;
};

/* Finds an equal image that is there already, or loads this one. 0, or -errno and nothing is left behind. */
int publish(struct host *host, const struct image *image, struct published *out, struct fault *fault);

/* Loads `n` of them, PUBLISH_BATCH at most, under numbers and serials that tenants know them by, into maps that are not
 * in force yet. */
int publish_as(struct host *host, const struct image *const *images, const struct published *as, size_t n,
	       struct fault *fault);

/* Pins in the folder `to`, too, what is pinned of all images. */
int publish_pin_again(const struct host *host, const char *to, struct fault *fault);

/*
 * The same for `n` of them, in as few grace periods as one, if they are no more than PUBLISH_BATCH. All, or none. What
 * takes long, to make the maps of a large one, publish_prepare() does before, without the lock; one that is not
 * prepared has -1 for both.
 */
#define PUBLISH_BATCH 128
struct publishing {
	const struct image *image;
	int trie, table; /* descriptors, owned until publish_many() takes them */
};

int publish_prepare(const struct image *image, struct publishing *out, struct fault *fault);
void publish_discard(struct publishing *publishing);
int publish_many(struct host *host, struct publishing *of, size_t n, struct published *out, struct fault *fault);

/* For commands, before they take the lock: publish_prepare() if that takes long and no equal image is there. Else, and
 * when it cannot be told, `out` is left unprepared. 0 or -errno. */
int publish_prepare_large(const struct image *image, struct publishing *out, struct fault *fault);

/* True when an equal image is there. */
bool publish_knows(const struct host *host, const struct image *image);

/* True while the image is there and whole. */
bool publish_has(const struct host *host, const struct published *image);

/*
 * Takes out images that no tenant uses, `max` of them at most, and none with a serial after `newest`: one that was just
 * put there may be about to be used. With the lock held. Of one with a large trie only the
 * name goes: the kernel would free it in one go, and hold a processor for hundreds of milliseconds. publish_drain() is
 * for these. Whether there are more, or others that are too young; 0; or -errno.
 */
enum { COLLECT_MORE = 1, COLLECT_YOUNG = 2 };
#define COLLECT_ALL (~(__u64)0)
int publish_collect(struct host *host, __u32 max, __u64 newest, struct fault *fault);

/* How many images to put in place, or take out, at once, after `n` of them took so long: the lock is to be held for
 * some 100 ms. What to begin with, for kernels that wait for each. */
#define PUBLISH_PACE 8
__u32 publish_pace(__u32 n, __s64 ms);

/* Frees a piece of what publish_collect() left, without the lock. True when there is more, to be asked for after
 * PUBLISH_PAUSE ms: the kernel frees the pieces of one pause together. */
#define PUBLISH_PAUSE 20
bool publish_drain(struct host *host);

/* For commands, when they have done what they were for: all of both, and lets go of the lock, if it was held. Where a
 * daemon runs it does that, and nobody waits for the grace periods. */
void publish_tidy(struct host *host);

/* True while only a few small images are left for that, and a grace period would have to be waited for: it is left to
 * whoever has one anyway. */
bool publish_may_wait(const struct host *host);

/* `rows` rows of the table of the image with that serial, from `first` on, to be freed. NULL: cannot be read. */
struct sw_row *published_rows(const struct host *host, __u64 serial, __u32 first, __u32 rows);

/* The texts of all rules of image `number`, as they are in the kernel: `n` of them, to be freed. NULL: cannot be read.
 */
struct sw_text *published_texts(const struct host *host, __u32 number, size_t *n);

/* Likewise its patterns, ordered by number. */
struct sw_pattern *published_patterns(const struct host *host, __u32 number, size_t *n);

#endif
