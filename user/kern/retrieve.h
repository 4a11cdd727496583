/* SPDX-License-Identifier: GPL-2.0-only */
/* An image that is in the kernel, as a compiled policy again: to be compared with what would take its place. */
#ifndef SW_RETRIEVE_H
#define SW_RETRIEVE_H

#include "publish.h"

/* To be freed with image_free(). NULL when it cannot be read, or is not there any more. */
struct image *image_retrieve(const struct host *host, const struct published *from);

#endif
