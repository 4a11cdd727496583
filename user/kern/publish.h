/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images in the kernel. One is put there whole, under a free number, before any tenant points to it; it is
 * never changed; it is taken out when no tenant points to it and no program can still be reading it.
 * A change of policy is thus one store to a tenant's storage.
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

/* Takes out every image that no tenant uses. */
int publish_collect(struct host *host, struct fault *fault);

/* Rule `rule` of image `number`, as it is in the kernel. 0 or -errno. */
int published_text(const struct host *host, __u32 number, __u32 rule, struct sw_text *out);

#endif
