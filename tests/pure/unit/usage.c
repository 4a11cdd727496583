// SPDX-License-Identifier: GPL-2.0-only
/* Sums and amounts of usage, and what holds in every form; the texts themselves are in tests/pure/usage. */
#include <errno.h>

#include "test.h"
#include "usage.h"

static struct usage_style priced(const char *price)
{
	struct usage_style style = { .to = INT64_MAX, .priced = true, .currency = "XXX" };

	assert_true(price_parse(price, &style.price));
	return style;
}

static struct usage *add(struct usages *usages, const char *tenant, enum sw_billing billing, __u64 sent)
{
	struct usage *row = list_add(&usages->rows);

	strcpy(row->tenant, tenant);
	row->billing = billing;
	row->to = 3600;
	row->traffic[SW_EGRESS].bytes = sent;
	return row;
}

static int form_json(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	return usage_json(usages, style, &(struct json){ .out = out });
}

static int (*const forms[])(const struct usages *usages, const struct usage_style *style, FILE *out) = {
	usage_table,
	form_json,
	usage_csv,
	usage_focus,
};

/* The text in a buffer that the next call reuses; `err` is what the writer must return. */
static const char *text_of(size_t form, const struct usages *usages, const struct usage_style *style, int err)
{
	static char text[16384];
	FILE *out;

	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text), "w");
	assert_int_equal(forms[form](usages, style, out), err);
	fclose(out);
	return text;
}

static void assert_total(const struct usages *usages, const struct usage_style *style, __u64 micro)
{
	struct usage_total total;

	assert_int_equal(usage_total(usages, style, &total), 0);
	assert_int_equal(total.micro, micro);
}

/* 4474 bytes are 0.50001 millionths. Three times that is less than two; each row rounded, it is three. */
static void the_total_is_the_sum_of_rounded_rows(void **state)
{
	struct usage_style style = priced("0.12/GiB");
	struct usages usages = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&usages, "a", SW_BILLABLE, 4474);
	assert_total(&usages, &style, 3);
	add(&usages, "b", SW_BILLABLE, 1);
	assert_total(&usages, &style, 3);
	assert_non_null(strstr(text_of(1, &usages, &style, 0), "\"amount\":\"0.000003\"}}"));
	assert_non_null(strstr(text_of(0, &usages, &style, 0), "0.000003\n"));
	free(usages.rows.v);
}

static void exempt_bytes_cost_nothing(void **state)
{
	struct usage_style style = priced("1/B");
	struct usages usages = { 0 };
	struct usage_total total;

	(void)state;
	add(&usages, "a", SW_BILLABLE, 2);
	add(&usages, "a", SW_EXEMPT, UINT64_MAX - 10); /* billed, it would not fit */
	assert_int_equal(usage_total(&usages, &style, &total), 0);
	assert_int_equal(total.micro, 2000000);
	assert_int_equal(total.meter.of[SW_BILLABLE][SW_EGRESS].bytes, 2);
	assert_int_equal(total.meter.of[SW_EXEMPT][SW_EGRESS].bytes, UINT64_MAX - 10);
	assert_int_equal(usage_amount(&usages.rows.v[0], &style), 2000000);
	assert_int_equal(usage_amount(&usages.rows.v[1], &style), 0);
	free(usages.rows.v);
}

static void received_bytes_cost_nothing(void **state)
{
	struct usage_style style = priced("1/B");
	struct usages usages = { 0 };

	(void)state;
	add(&usages, "a", SW_BILLABLE, 1)->traffic[SW_INGRESS] = (struct sw_traffic){ 1000, 1000, 1000 };
	assert_total(&usages, &style, 1000000);
	free(usages.rows.v);
}

static void assert_overflow(const struct usages *usages, const struct usage_style *style)
{
	for (size_t form = 0; form < COUNT(forms); form++)
		assert_string_equal(text_of(form, usages, style, -EOVERFLOW), "");
}

static void sums_that_do_not_fit(void **state)
{
	struct usage_style style = priced("0/GiB");
	struct usages usages = { 0 };
	__u64 *figures[6], i = 0;

	(void)state;
	add(&usages, "a", SW_BILLABLE, 0);
	add(&usages, "b", SW_EXEMPT, 0); /* the two kinds are added up as well */
	for (int direction = 0; direction < SW_DIRECTIONS; direction++) {
		figures[i++] = &usages.rows.v[0].traffic[direction].bytes;
		figures[i++] = &usages.rows.v[0].traffic[direction].payload;
		figures[i++] = &usages.rows.v[0].traffic[direction].packets;
	}
	for (int direction = 0; direction < SW_DIRECTIONS; direction++)
		usages.rows.v[1].traffic[direction] = (struct sw_traffic){ 1, 1, 1 };
	for (i = 0; i < COUNT(figures); i++) {
		*figures[i] = UINT64_MAX;
		assert_overflow(&usages, &style);
		*figures[i] = UINT64_MAX - 1;
		assert_total(&usages, &style, 0);
	}
	free(usages.rows.v);
}

static void amounts_that_do_not_fit(void **state)
{
	struct usage_style style = priced("1/B");
	struct usages usages = { 0 };
	struct usage *row = add(&usages, "a", SW_BILLABLE, 9223372036854);

	(void)state;
	assert_total(&usages, &style, 9223372036854000000);
	row->traffic[SW_EGRESS].bytes++;
	assert_overflow(&usages, &style); /* of a row */
	row->traffic[SW_EGRESS].bytes--;
	add(&usages, "b", SW_BILLABLE, 1);
	assert_overflow(&usages, &style); /* of the sum */
	free(usages.rows.v);
}

static size_t position(const char *text, const char *part)
{
	const char *at = strstr(text, part);

	assert_non_null(at);
	return at - text;
}

/* Biggest first, whoever is: what is exempt was sent too. */
static void the_table_is_by_size_within_a_period(void **state)
{
	struct usage_style style = { .to = INT64_MAX, .by = true, .unit = CALENDAR_HOUR };
	struct usages usages = { 0 };
	const char *text;

	(void)state;
	add(&usages, "small", SW_BILLABLE, 10);
	add(&usages, "split", SW_BILLABLE, 60);
	add(&usages, "split", SW_EXEMPT, 60);
	add(&usages, "whole", SW_BILLABLE, 100);
	add(&usages, "later", SW_BILLABLE, 1000)->from = 3600;
	text = text_of(0, &usages, &style, 0);
	assert_true(position(text, "split") < position(text, "whole"));
	assert_true(position(text, "whole") < position(text, "small"));
	assert_true(position(text, "small") < position(text, "later"));
	assert_true(position(text, "later") < position(text, "total"));
	assert_null(strstr(strstr(text, "split") + 1, "split"));
	assert_non_null(strstr(text, "1970-01-01 01:00  later"));
	free(usages.rows.v);
}

/* The page is 100 wide, whatever is in it: `columns` counts characters, not bytes. */
static void the_table_fits_the_page(void **state)
{
	struct usage_style style = priced("0.12/GiB");
	struct usages usages = { 0 };

	(void)state;
	style.by = true;
	style.bars = BARS_BLOCKS;
	add(&usages, "a-name-of-sixty-three-bytes-which-is-the-most-that-one-can-have", SW_BILLABLE, 1ULL << 45);
	add(&usages, "web", SW_EXEMPT, 1ULL << 44);
	for (char *save, *line = strtok_r((char *)text_of(0, &usages, &style, 0), "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t columns = 0;

		for (const char *c = line; *c; c++)
			columns += (*c & 0xc0) != 0x80;
		assert_in_range(columns, 1, 100);
	}
	free(usages.rows.v);
}

static void one_tenant_has_no_total(void **state)
{
	struct usage_style style = { .to = INT64_MAX };
	struct usages usages = { 0 };

	(void)state;
	add(&usages, "a", SW_BILLABLE, 1);
	add(&usages, "a", SW_EXEMPT, 1);
	assert_null(strstr(text_of(0, &usages, &style, 0), "total"));
	add(&usages, "b", SW_EXEMPT, 1);
	assert_non_null(strstr(text_of(0, &usages, &style, 0), "total"));
	free(usages.rows.v);
}

/* Whoever sent one byte beside an exbibyte is seen, and whoever sent none is not. */
static void bars_are_shares_of_the_largest(void **state)
{
	struct usage_style style = { .to = INT64_MAX, .bars = BARS_ASCII };
	struct usages usages = { 0 };
	const char *text;

	(void)state;
	add(&usages, "big", SW_BILLABLE, 1ULL << 62);
	add(&usages, "half", SW_BILLABLE, 1ULL << 61);
	add(&usages, "one", SW_BILLABLE, 1);
	add(&usages, "none", SW_BILLABLE, 0);
	text = text_of(0, &usages, &style, 0);
	assert_int_equal(strspn(strchr(strstr(text, "big"), '#'), "#"), 10);
	assert_int_equal(strspn(strchr(strstr(text, "half"), '#'), "#"), 5);
	assert_int_equal(strspn(strchr(strstr(text, "one"), '#'), "#"), 1);
	assert_null(strchr(strstr(text, "none"), '#'));
	style.bars = BARS_NONE;
	assert_null(strchr(text_of(0, &usages, &style, 0), '#'));
	free(usages.rows.v);
}

static const char *event_of(const struct interval *interval)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	interval_cloudevent(interval, out);
	fclose(out);
	return text;
}

static void id_of(const struct interval *interval, char id[256])
{
	assert_int_equal(sscanf(strstr(event_of(interval), "\"id\":\""), "\"id\":\"%255[^\"]", id), 1);
}

/* Any one of what names a row makes another id; nothing else does. */
static void ids_name_the_row(void **state)
{
	struct interval base = { .host = "h", .boot = "b", .epoch = 1, .sequence = 1, .tenant = "t" }, other[8];
	char id[256], again[256];

	(void)state;
	for (size_t i = 0; i < COUNT(other); i++)
		other[i] = base;
	strcpy(other[0].host, "h/0000000000000001");
	other[1].epoch = 16;
	other[2].sequence = 2;
	strcpy(other[3].tenant, "u");
	other[4].billing = SW_EXEMPT;
	strcpy(other[5].boot, "another");
	other[6].traffic[SW_EGRESS].bytes = 5;
	other[7].end = 7;
	id_of(&base, id);
	for (size_t i = 0; i < COUNT(other); i++) {
		id_of(&other[i], again);
		assert_int_equal(!strcmp(id, again), i >= 5);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_total_is_the_sum_of_rounded_rows),
		cmocka_unit_test(exempt_bytes_cost_nothing),
		cmocka_unit_test(received_bytes_cost_nothing),
		cmocka_unit_test(sums_that_do_not_fit),
		cmocka_unit_test(amounts_that_do_not_fit),
		cmocka_unit_test(the_table_is_by_size_within_a_period),
		cmocka_unit_test(the_table_fits_the_page),
		cmocka_unit_test(one_tenant_has_no_total),
		cmocka_unit_test(bars_are_shares_of_the_largest),
		cmocka_unit_test(ids_name_the_row),
	};

	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
