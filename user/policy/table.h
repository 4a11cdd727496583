/* SPDX-License-Identifier: GPL-2.0-only */
/* An image's spans, socket options, patterns and texts as the kernel has them: one table of rows (struct sw_row of abi.h). */
#ifndef SW_TABLE_H
#define SW_TABLE_H

#include "image.h"

/* Says in the image's settings where its rows begin. */
void table_lay_out(struct image *image);

/* The rows, `n` of them, to be freed. `numbers`: what this host calls each of the image's patterns. */
struct sw_row *table_build(const struct image *image, const __u32 *numbers, __u32 *n);

/* Of patterns as they lie there, `n` of them: the one of that number, or NULL. */
const struct sw_pattern *table_pattern(const struct sw_pattern *patterns, size_t n, __u32 number);

#endif
