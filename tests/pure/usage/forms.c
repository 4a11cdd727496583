// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: forms [--write]. Each of the cases below, in each form: NAME.table, NAME.json, NAME.csv, NAME.focus and
 * NAME.cloudevents hold, byte for byte, what it must come to. Prints TAP; with --write, writes the files instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "usage.h"

#define FOLDER "tests/pure/usage"
#define GIB    (1ULL << 30)
#define DAY    86400

static bool writing;
static int number, failures;

static void add(struct usages *usages, const char *tenant, enum sw_billing billing, __s64 from, __s64 to, __u64 sent)
{
	struct usage *row = list_add(&usages->rows);

	snprintf(row->tenant, sizeof(row->tenant), "%s", tenant);
	row->billing = billing;
	row->from = from;
	row->to = to;
	row->traffic[SW_EGRESS] = (struct sw_traffic){ sent, sent - sent / 30, sent / 1500 + !!sent };
	row->traffic[SW_INGRESS] = (struct sw_traffic){ sent / 7 + 40, sent / 8, sent / 9000 + 1 };
}

/* ---- cases --------------------------------------------------------------------------------------- */

#define NOVEMBER 1793491200 /* 2026-11-01 */

static void nothing(struct usages *usages, struct usage_style *style)
{
	(void)usages;
	style->from = NOVEMBER;
	style->to = NOVEMBER + 30 * DAY;
}

static void one_row(struct usages *usages, struct usage_style *style)
{
	(void)style;
	add(usages, "web", SW_BILLABLE, NOVEMBER, NOVEMBER + 5025, 10 * GIB);
}

/* The order by size is not that of the names, and the largest of them are exempt in part. */
static void several_tenants(struct usages *usages, struct usage_style *style)
{
	__s64 to = NOVEMBER + DAY;

	strcpy(style->currency, "USD");
	add(usages, "cron:nightly", SW_BILLABLE, NOVEMBER, to, 1);
	add(usages, "idle", SW_BILLABLE, NOVEMBER, to, 0);
	add(usages, "shop@eu", SW_BILLABLE, NOVEMBER, to, 25 * GIB + 1);
	add(usages, "shop@eu", SW_EXEMPT, NOVEMBER, to, 100 * GIB);
	add(usages, "web", SW_BILLABLE, NOVEMBER, to, 70 * GIB);
	add(usages, "web", SW_EXEMPT, NOVEMBER, to, GIB / 2);
	add(usages, "wiki", SW_EXEMPT, NOVEMBER, to, 4210);
}

static void by_day(struct usages *usages, struct usage_style *style)
{
	style->by = true;
	style->unit = CALENDAR_DAY;
	for (__s64 from = NOVEMBER - DAY; from <= NOVEMBER + DAY; from += DAY) {
		add(usages, "api", SW_BILLABLE, from, from + DAY, (from - NOVEMBER + 2 * DAY) * 10000);
		add(usages, "web", SW_BILLABLE, from, from + DAY, 2 * GIB);
		add(usages, "web", SW_EXEMPT, from, from + DAY, GIB);
	}
}

/* No tenant can have such a name; a ledger that was tampered with might. */
static void odd_names(struct usages *usages, struct usage_style *style)
{
	static const char *const names[] = {
		"",
		"comma,comma",
		"\"quoted\"",
		"two\r\nlines",
		"line\nfeed",
		"\x1b[31mred\x7f",
		"caf\xc3\xa9",
		"not utf-8 \xff",
		"a-name-of-sixty-three-bytes-which-is-the-most-that-one-can-have",
	};

	style->to = 1793491200;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		add(usages, names[i], SW_BILLABLE, NOVEMBER, NOVEMBER + DAY, (i + 1) * 1000);
}

/* Beyond what a double holds, and the most the table has to make room for. */
static void large(struct usages *usages, struct usage_style *style)
{
	style->by = true;
	style->unit = CALENDAR_HOUR;
	style->price.nano = 1000000000;
	add(usages, "a-rather-long-name-of-a-tenant", SW_BILLABLE, 0, 3600, (1ULL << 53) + 1);
	add(usages, "a-rather-long-name-of-another-tenant", SW_BILLABLE, 0, 3600, (1ULL << 62) + 1);
}

/* Amounts of which a cent shows nothing; all decimals are summed. */
static void cents(struct usages *usages, struct usage_style *style)
{
	static const __u64 mebibytes[] = { 40, 41, 128, 85, 1, 0, 50000 };
	char name[16];

	strcpy(style->currency, "EUR");
	for (size_t i = 0; i < sizeof(mebibytes) / sizeof(*mebibytes); i++) {
		snprintf(name, sizeof(name), "t%zu", i);
		add(usages, name, SW_BILLABLE, NOVEMBER, NOVEMBER + DAY, (mebibytes[i] << 20) + 12000);
	}
}

static const struct test {
	const char *name;
	void (*make)(struct usages *usages, struct usage_style *style);
	bool priced;
	enum usage_bars bars;
} tests[] = {
	{ "nothing", nothing, false, BARS_NONE },
	{ "one", one_row, false, BARS_NONE },
	{ "several", several_tenants, true, BARS_BLOCKS },
	{ "days", by_day, true, BARS_ASCII },
	{ "names", odd_names, false, BARS_BLOCKS },
	{ "large", large, true, BARS_BLOCKS },
	{ "cents", cents, true, BARS_ASCII },
};

/* ---- forms --------------------------------------------------------------------------------------- */

static int form_json(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	struct json json = { .out = out, .pretty = true };
	int err = usage_json(usages, style, &json);

	json_end(&json);
	return err;
}

static int form_focus(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	struct usage_style priced = *style;

	priced.priced = true;
	return usage_focus(usages, &priced, out);
}

/* The rows as if each had been booked at once. */
static int form_cloudevents(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	(void)style;
	for (size_t i = 0; i < usages->rows.n; i++) {
		const struct usage *row = &usages->rows.v[i];
		struct interval interval = {
			.host = "4c4c4544004d3510804cb7c04f595831",
			.boot = "0f5c9aa1-8a3c-4f6e-9a43-1f0f5d0c2b11",
			.epoch = 0x0123456789abcdef,
			.sequence = i + 1,
			.billing = row->billing,
			.start = row->from * 1000 + 7,
			.end = row->to * 1000 + 250,
			.policy = "appengine",
			.hash = { 0xab, [31] = 0x01 },
		};

		memcpy(interval.tenant, row->tenant, sizeof(interval.tenant));
		memcpy(interval.traffic, row->traffic, sizeof(interval.traffic));
		interval_cloudevent(&interval, out);
	}
	return 0;
}

static const struct form {
	const char *ending;
	int (*write)(const struct usages *usages, const struct usage_style *style, FILE *out);
} forms[] = {
	{ "table", usage_table },
	{ "json", form_json },
	{ "csv", usage_csv },
	{ "focus", form_focus },
	{ "cloudevents", form_cloudevents },
};

/* ---- comparison ---------------------------------------------------------------------------------- */

static void replace(const char *path, const char *text, size_t len)
{
	FILE *out = fopen(path, "w");

	if (!out || fwrite(text, 1, len, out) != len || fclose(out)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

static void show_difference(const char *want, const char *have)
{
	size_t at = 0, start = 0, line = 1;

	for (; want[at] && want[at] == have[at]; at++) {
		if (want[at] == '\n') {
			line++;
			start = at + 1;
		}
	}
	printf("# line %zu should be: %.*s\n", line, (int)strcspn(want + start, "\r\n"), want + start);
	printf("# line %zu is:        %.*s\n", line, (int)strcspn(have + start, "\r\n"), have + start);
}

static void expect(const char *path, const char *have, size_t len)
{
	size_t want_len = 0;
	char *want = file_read(path, &want_len);
	bool same = want && want_len == len && !memcmp(want, have, len);

	if (!same)
		show_difference(want ? want : "", have);
	printf("%sok %d - %s\n", same ? "" : "not ", ++number, path);
	failures += !same;
	free(want);
}

static void check(const struct test *test, const struct form *form)
{
	struct usage_style style = { .to = INT64_MAX, .priced = test->priced, .currency = "XXX", .bars = test->bars };
	char *path = mem_printf("%s/%s.%s", FOLDER, test->name, form->ending), *text;
	struct usages usages = { 0 };
	size_t len;
	FILE *out = open_memstream(&text, &len);

	price_parse("0.12/GiB", &style.price);
	test->make(&usages, &style);
	if (form->write(&usages, &style, out))
		fputs("it failed\n", out);
	fclose(out);
	if (writing)
		replace(path, text, len);
	else
		expect(path, text, len);
	free(usages.rows.v);
	free(text);
	free(path);
}

int main(int argc, char **argv)
{
	writing = argc > 1 && !strcmp(argv[1], "--write");
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		for (size_t j = 0; j < sizeof(forms) / sizeof(*forms); j++)
			check(&tests[i], &forms[j]);
	printf("1..%d\n", number);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
