/* SPDX-License-Identifier: GPL-2.0-only */
/* An image's spans, socket options and texts as the kernel has them: one table of rows (struct sw_row of abi.h). */
#ifndef SW_TABLE_H
#define SW_TABLE_H

#include "image.h"

/* Says in the image's settings where its rows begin. */
void table_lay_out(struct image *image);

/* The rows, `n` of them, to be freed. */
struct sw_row *table_build(const struct image *image, __u32 *n);

#endif
