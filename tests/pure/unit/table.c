// SPDX-License-Identifier: GPL-2.0-only
/* An image as the rows that the kernel gets. */
#include "table.h"
#include "test.h"

static struct image *make_image(size_t spans, size_t options, size_t patterns, size_t texts, size_t paths)
{
	struct image *image = mem_alloc(1, sizeof(*image));

	for (size_t i = 0; i < spans; i++)
		*list_add(&image->spans) = (struct sw_span){ .first = i, .rule = i % 100, .answer = SW_ANSWER_ALLOW };
	for (size_t i = 0; i < options; i++) /* the last comes first, and some levels are negative as a __s32 */
		*list_add(&image->options) = (struct sw_option){ .level = i % 3 - 1, .name = options - i };
	for (size_t i = 0; i < patterns; i++)
		*list_add(&image->patterns) = (struct name_pattern){ .class = { .span = i, .count = 1 } };
	for (size_t i = 0; i < texts; i++)
		*list_add(&image->texts) = (struct sw_text){ .line = i + 1, .allow = i % 2 };
	for (size_t i = 0; i < paths; i++)
		*list_add(&image->paths) = (struct sw_unix){ .answer = SW_UNIX_ALLOW, .len = i };
	return image;
}

static void check_rows(const struct image *image, const struct sw_row *rows)
{
	const struct sw_settings *settings = &image->settings;

	for (size_t i = 0; i < image->spans.n; i++)
		assert_memory_equal(&rows[i / SW_ROW_SPANS].spans[i % SW_ROW_SPANS], &image->spans.v[i],
				    sizeof(struct sw_span));
	for (size_t i = 0; i < image->texts.n; i++)
		assert_memory_equal(&rows[settings->texts_at + i].text, &image->texts.v[i], sizeof(struct sw_text));
	for (size_t i = 0; i < image->paths.n; i++)
		assert_memory_equal(&rows[settings->unix_at + i].path, &image->paths.v[i], sizeof(struct sw_unix));
}

/* As the programs look for them. */
static void check_order(const struct image *image, const struct sw_row *rows)
{
	__u64 before = 0;

	for (__u32 i = 0; i < image->settings.option_count; i++) {
		const struct sw_option *option =
			&rows[image->settings.options_at + i / SW_ROW_OPTIONS].options[i % SW_ROW_OPTIONS];
		__u64 order = SW_OPTION(option->level, option->name);

		assert_true(!i || order > before);
		before = order;
	}
}

/* By number, each with its class; the last pattern has the smallest. */
static void check_patterns(const struct image *image, const struct sw_row *rows)
{
	__u32 n = image->settings.pattern_count;

	for (__u32 i = 0; i < n; i++) {
		const struct sw_pattern *pattern =
			&rows[image->settings.patterns_at + i / SW_ROW_PATTERNS].patterns[i % SW_ROW_PATTERNS];

		assert_int_equal(pattern->number, 7 + i);
		assert_int_equal(pattern->class.span, n - 1 - i);
	}
}

static __u32 *numbers_of(const struct image *image)
{
	__u32 *numbers = mem_alloc(image->patterns.n + 1, sizeof(*numbers));

	for (size_t i = 0; i < image->patterns.n; i++)
		numbers[i] = 7 + image->patterns.n - 1 - i;
	return numbers;
}

static void rows_hold_an_image(void **state)
{
	static const size_t sizes[][5] = {
		{ 1, 0, 0, 0, 0 },  { 16, 4, 8, 1, 1 }, { 17, 5, 9, 2, 64 }, { 1000, 4096, 4000, 4096, 7 },
		{ 15, 3, 7, 0, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct image *image = make_image(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], sizes[i][4]);
		__u32 *numbers = numbers_of(image);
		struct sw_row *rows;
		__u32 n;

		table_lay_out(image);
		rows = table_build(image, numbers, &n);
		assert_int_equal(n, (sizes[i][0] + 15) / 16 + (sizes[i][1] + 3) / 4 + (sizes[i][2] + 7) / 8 +
					    sizes[i][3] + sizes[i][4]);
		assert_int_equal(image->settings.pattern_count, sizes[i][2]);
		assert_int_equal(image->settings.option_count, sizes[i][1]);
		assert_int_equal(image->settings.unix_count, sizes[i][4]);
		check_rows(image, rows);
		check_order(image, rows);
		check_patterns(image, rows);
		free(numbers);
		free(rows);
		image_free(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_hold_an_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
