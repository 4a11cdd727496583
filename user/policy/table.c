// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "table.h"

static __u32 rows_for(size_t n, __u32 per_row)
{
	return (n + per_row - 1) / per_row;
}

void table_lay_out(struct image *image)
{
	struct sw_settings *settings = &image->settings;

	settings->options_at = rows_for(image->spans.n, SW_ROW_SPANS);
	settings->option_count = image->options.n;
	settings->texts_at = settings->options_at + rows_for(image->options.n, SW_ROW_OPTIONS);
	settings->prefixes = image->entries.n;
}

static int by_option(const void *a, const void *b)
{
	const struct sw_option *x = a, *y = b;
	__u64 left = SW_OPTION(x->level, x->name), right = SW_OPTION(y->level, y->name);

	return left < right ? -1 : left > right;
}

/* Elements lie in their rows without a gap, for a row is a whole number of each kind. */
struct sw_row *table_build(const struct image *image, __u32 *n)
{
	const struct sw_settings *settings = &image->settings;
	struct sw_row *rows;

	*n = settings->texts_at + image->texts.n;
	rows = mem_alloc(*n, sizeof(*rows));
	memcpy(rows, image->spans.v, image->spans.n * sizeof(*image->spans.v));
	if (image->options.n) {
		struct sw_option *options = (struct sw_option *)&rows[settings->options_at];

		memcpy(options, image->options.v, image->options.n * sizeof(*options));
		qsort(options, image->options.n, sizeof(*options), by_option);
	}
	if (image->texts.n)
		memcpy(&rows[settings->texts_at], image->texts.v, image->texts.n * sizeof(*image->texts.v));
	return rows;
}
