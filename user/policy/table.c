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
	settings->patterns_at = settings->options_at + rows_for(image->options.n, SW_ROW_OPTIONS);
	settings->pattern_count = image->patterns.n;
	settings->texts_at = settings->patterns_at + rows_for(image->patterns.n, SW_ROW_PATTERNS);
	settings->unix_at = settings->texts_at + image->texts.n;
	settings->unix_count = image->paths.n;
	settings->prefixes = image->entries.n;
}

static int by_option(const void *a, const void *b)
{
	const struct sw_option *x = a, *y = b;
	__u64 left = SW_OPTION(x->level, x->name), right = SW_OPTION(y->level, y->name);

	return left < right ? -1 : left > right;
}

static int by_number(const void *a, const void *b)
{
	const struct sw_pattern *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void add_patterns(const struct image *image, const __u32 *numbers, struct sw_pattern *out)
{
	for (size_t i = 0; i < image->patterns.n; i++)
		out[i] = (struct sw_pattern){ .number = numbers[i], .class = image->patterns.v[i].class };
	qsort(out, image->patterns.n, sizeof(*out), by_number);
}

const struct sw_pattern *table_pattern(const struct sw_pattern *patterns, size_t n, __u32 number)
{
	const struct sw_pattern wanted = { .number = number };

	return n ? bsearch(&wanted, patterns, n, sizeof(wanted), by_number) : NULL;
}

/* Elements lie in their rows without a gap, for a row is a whole number of each kind. */
struct sw_row *table_build(const struct image *image, const __u32 *numbers, __u32 *n)
{
	const struct sw_settings *settings = &image->settings;
	struct sw_row *rows;

	*n = settings->unix_at + image->paths.n;
	rows = mem_alloc(*n, sizeof(*rows));
	memcpy(rows, image->spans.v, image->spans.n * sizeof(*image->spans.v));
	if (image->options.n) {
		struct sw_option *options = (struct sw_option *)&rows[settings->options_at];

		memcpy(options, image->options.v, image->options.n * sizeof(*options));
		qsort(options, image->options.n, sizeof(*options), by_option);
	}
	if (image->patterns.n)
		add_patterns(image, numbers, (struct sw_pattern *)&rows[settings->patterns_at]);
	if (image->texts.n)
		memcpy(&rows[settings->texts_at], image->texts.v, image->texts.n * sizeof(*image->texts.v));
	if (image->paths.n)
		memcpy(&rows[settings->unix_at], image->paths.v, image->paths.n * sizeof(*image->paths.v));
	return rows;
}
