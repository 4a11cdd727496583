// SPDX-License-Identifier: GPL-2.0-only
/* An image as the rows that the kernel gets. */
#include "table.h"
#include "test.h"

static struct image *make_image(size_t spans, size_t options, size_t texts)
{
	struct image *image = mem_alloc(1, sizeof(*image));

	for (size_t i = 0; i < spans; i++)
		*list_add(&image->spans) = (struct sw_span){ .first = i, .rule = i % 100, .allow = 1 };
	for (size_t i = 0; i < options; i++) /* the last comes first, and some levels are negative as a __s32 */
		*list_add(&image->options) = (struct sw_option){ .level = i % 3 - 1, .name = options - i };
	for (size_t i = 0; i < texts; i++)
		*list_add(&image->texts) = (struct sw_text){ .line = i + 1, .allow = i % 2 };
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

static void rows_hold_an_image(void **state)
{
	static const size_t sizes[][3] = {
		{ 1, 0, 0 }, { 16, 4, 1 }, { 17, 5, 2 }, { 1000, 4096, 4096 }, { 15, 3, 0 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct image *image = make_image(sizes[i][0], sizes[i][1], sizes[i][2]);
		struct sw_row *rows;
		__u32 n;

		table_lay_out(image);
		rows = table_build(image, &n);
		assert_int_equal(n, (sizes[i][0] + 15) / 16 + (sizes[i][1] + 3) / 4 + sizes[i][2]);
		assert_int_equal(image->settings.option_count, sizes[i][1]);
		check_rows(image, rows);
		check_order(image, rows);
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
