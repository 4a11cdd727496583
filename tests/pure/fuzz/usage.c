// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: whatever the rows, names and prices, what is written is well-formed and says the same; and what the readers
 * of dates, bytes and prices accept returns when it is written and read again.
 */
#include <ctype.h>
#include <errno.h>

#include "../unit/generate.h"
#include "node.h"
#include "support.h"
#include "usage.h"

#define ROWS_MAX 40

/* ---- drawing ------------------------------------------------------------------------------------- */

/* Of any magnitude: small ones are as likely as large. */
static __u64 draw_number(struct draw *draw)
{
	unsigned bytes = draw_below(draw, 9);
	__u64 value = 0;

	while (bytes--)
		value = value << 8 | draw_byte(draw);
	return value;
}

/* Up to a NUL. Left out is what JSON may hold, and YAML, as which it is read back, may not. */
static void draw_name(struct draw *draw, char name[SW_NAME_MAX])
{
	size_t len = 0;

	for (int c; len < SW_NAME_MAX - 1 && (c = draw_byte(draw)); len++)
		name[len] = c == 0x7f ? '~' : c == 0xc2 ? 0xc3 : c == 0xef ? 0xee : c;
	name[len] = '\0';
}

static void draw_ways(struct draw *draw, struct sw_traffic traffic[SW_DIRECTIONS])
{
	for (int i = 0; i < SW_DIRECTIONS; i++)
		traffic[i] = (struct sw_traffic){ draw_number(draw), draw_number(draw), draw_number(draw) };
}

static void draw_row(struct draw *draw, struct usages *usages)
{
	struct usage *row = list_add(&usages->rows), *before = row - 1;
	__u32 how = draw_byte(draw);

	if (usages->rows.n > 1 && how & 1) {
		*row = *before;
	} else {
		draw_name(draw, row->tenant);
		row->from = draw_number(draw);
		row->to = draw_number(draw);
	}
	row->billing = how & 2 ? SW_EXEMPT : SW_BILLABLE;
	draw_ways(draw, row->traffic);
}

static struct usage_style draw_style(struct draw *draw)
{
	static const __u64 units[] = { 1, 1000, 1024, 1000000000, 1ULL << 30, 1000000000000000000, 1ULL << 60, 7 };
	struct usage_style style = { .currency = "XXX" };

	style.from = draw_number(draw);
	style.to = draw_number(draw);
	style.by = draw_below(draw, 2);
	style.unit = draw_below(draw, CALENDAR_UNITS);
	style.priced = draw_below(draw, 2);
	style.price.nano = draw_number(draw);
	style.price.per = units[draw_below(draw, sizeof(units) / sizeof(*units))];
	style.bars = draw_below(draw, BARS_BLOCKS + 1);
	return style;
}

/* ---- readers ------------------------------------------------------------------------------------- */

static void check_bytes(__u64 bytes)
{
	char text[24], decimal[24];
	__u64 again;

	snprintf(decimal, sizeof(decimal), "%llu", (unsigned long long)bytes);
	must_hold(bytes_parse(bytes_canonical(bytes, text), &again) && again == bytes, "bytes return");
	must_hold(strlen(text) <= strlen(decimal), "the canonical form is the shortest");
}

static void check_time(__s64 time)
{
	char text[CALENDAR_TEXT];
	__s64 again;

	must_hold(calendar_parse(calendar_format(time, text), &again) && again == time, "a time returns");
	for (enum calendar_unit unit = 0; unit < CALENDAR_UNITS; unit++) {
		__s64 floor = calendar_floor(time, unit), next = calendar_next(time, unit);

		must_hold(floor <= time && time < next, "a time is in its period");
		must_hold(calendar_next(floor, unit) == next && calendar_floor(next - 1, unit) == floor,
			  "periods meet");
		must_hold(*calendar_label(time, unit, text), "a period has a label");
	}
}

static void check_price(const struct price *price, __u64 bytes)
{
	char text[PRICE_TEXT];
	struct price again;
	__u64 micro, more;

	must_hold(price_parse(price_format(price, text), &again) && again.nano == price->nano &&
			  again.per == price->per,
		  "a price returns");
	if (price_amount(price, bytes, &micro) && bytes)
		must_hold(price_amount(price, bytes - 1, &more) && more <= micro, "fewer bytes cost no more");
}

static void check_readers(const char *text, __u64 number)
{
	struct price price;
	__u64 bytes;
	__s64 time;

	if (bytes_parse(text, &bytes))
		check_bytes(bytes);
	check_bytes(number & INT64_MAX);
	if (price_parse(text, &price))
		check_price(&price, number);
	if (calendar_parse_from(text, 1795341907, &time))
		check_time(time);
	check_time(number % 253402300800);
	calendar_next(number, CALENDAR_MONTH);
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

static const struct node *find(const struct node *map, const char *key)
{
	must_hold(map && map->kind == NODE_MAP, "it is an object");
	for (size_t i = 0; i < map->n; i++)
		if (!strcmp(map->v[i]->key, key))
			return map->v[i];
	must_hold(false, key);
	return NULL;
}

static void must_be(const struct node *map, const char *key, const char *want)
{
	const struct node *node = find(map, key);

	must_hold(node->kind == NODE_SCALAR && !strcmp(node->text, want), key);
}

static void check_figures(const struct node *map, const struct sw_traffic traffic[SW_DIRECTIONS])
{
	char text[QUOTIENT_TEXT];

	for (int i = 0; i < USAGE_FIGURES; i++)
		must_be(map, usage_figure_name(i), quotient_format(usage_figure(traffic, i), 1, text));
}

/* Names in ASCII return as they are; what is not UTF-8 cannot. */
static void check_tenant(const struct node *map, const char *key, const char *tenant)
{
	for (const char *c = tenant; *c; c++)
		if (*c & 0x80)
			return;
	must_be(map, key, tenant);
}

static struct node *read_back(const char *text, size_t len)
{
	struct diags diags = { 0 };
	struct node *root = node_read("usage.json", text, len, &diags);

	if (diags.errors)
		diags_print(&diags, stderr);
	must_hold(root && !diags.errors, "JSON can be read");
	diags_free(&diags);
	return root;
}

static void check_json(const char *text, size_t len, const struct usages *usages, const struct usage_style *style)
{
	struct node *root = read_back(text, len);
	const struct node *rows = find(root, "rows"), *total = find(root, "total");
	struct usage_total sums;
	char money[MONEY_TEXT];

	must_hold(rows->n == usages->rows.n, "every row is in the JSON");
	for (size_t i = 0; i < rows->n; i++) {
		check_tenant(rows->v[i], "tenant", usages->rows.v[i].tenant);
		check_figures(rows->v[i], usages->rows.v[i].traffic);
	}
	usage_total(usages, style, &sums);
	check_figures(find(total, "exempt"), sums.meter.of[SW_EXEMPT]);
	if (style->priced)
		must_be(total, "amount", money_format(sums.micro, money));
	node_free(root);
}

static void check_event(const char *text, size_t len, const struct interval *interval)
{
	static const char *const required[] = { "specversion", "id", "source", "type" };
	struct node *root = read_back(text, len);

	must_hold(memchr(text, '\n', len) == text + len - 1, "an event is one line");
	for (size_t i = 0; i < 4; i++)
		must_hold(*find(root, required[i])->text, "what is required is not empty");
	must_be(root, "specversion", "1.0");
	for (const char *c = find(root, "id")->text; *c; c++)
		must_hold(*c > ' ' && *c <= '~', "an id is plain");
	for (const char *c = *interval->tenant ? find(root, "subject")->text : ""; *c; c++)
		must_hold(*c >= ' ' && *c <= '~', "a subject is plain");
	check_tenant(find(root, "data"), "tenant", interval->tenant);
	check_figures(find(root, "data"), interval->traffic);
	node_free(root);
}

/* ---- CSV and table ------------------------------------------------------------------------------- */

/* Behind the field at `at`. */
static const char *skip_field(const char *at)
{
	if (*at != '"')
		return at + strcspn(at, ",\"\r\n");
	for (at++; *at != '"' || at[1] == '"'; at += *at == '"' ? 2 : 1)
		must_hold(*at, "a quoted field ends");
	return at + 1;
}

static void check_csv(const char *text, size_t rows)
{
	size_t lines = 0, fields = 0, columns = 0;

	for (const char *at = text; *at;) {
		at = skip_field(at);
		fields++;
		if (*at == ',') {
			at++;
			continue;
		}
		must_hold(at[0] == '\r' && at[1] == '\n', "a field ends with a comma or the line");
		must_hold(!lines || fields == columns, "every line has as many fields");
		columns = fields;
		fields = 0;
		lines++;
		at += 2;
	}
	must_hold(!fields && lines == rows + 1, "there is a line for each row");
	for (; *text; text++)
		must_hold(!iscntrl((unsigned char)*text) || *text == '\r' || *text == '\n', "CSV has no controls");
}

static void check_table(const char *text)
{
	for (; *text; text++) {
		must_hold(*text == '\n' || !iscntrl((unsigned char)*text), "a table has no controls");
		if (*text & 0x80) {
			must_hold(!strncmp(text, "\xe2\x96", 2) && text[2] & 0x80, "a table has blocks only");
			text += 2;
		}
	}
}

/* ---- writers ------------------------------------------------------------------------------------- */

static int form_json(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	return usage_json(usages, style, &(struct json){ .out = out, .pretty = style->bars });
}

/* What `write` writes; empty when it returns an error. */
static char *written(int (*write)(const struct usages *usages, const struct usage_style *style, FILE *out),
		     const struct usages *usages, const struct usage_style *style, size_t *len)
{
	struct usage_total total;
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	int err = write(usages, style, out);

	fclose(out);
	must_hold(err == usage_total(usages, style, &total), "a form fails when the sum does");
	must_hold(err == 0 || err == -EOVERFLOW, "the sum does not fit, or all is well");
	must_hold(!err == !!*len, "a form is written whole or not at all");
	return text;
}

static void check_forms(const struct usages *usages, const struct usage_style *style)
{
	size_t len;
	char *text = written(form_json, usages, style, &len);

	if (len)
		check_json(text, len, usages, style);
	free(text);
	text = written(usage_table, usages, style, &len);
	check_table(text);
	free(text);
	text = written(usage_csv, usages, style, &len);
	if (len)
		check_csv(text, usages->rows.n);
	free(text);
	text = written(usage_focus, usages, style, &len);
	if (len)
		check_csv(text, usages->rows.n);
	free(text);
}

static void check_interval(struct draw *draw)
{
	struct interval interval = { .epoch = draw_number(draw), .sequence = draw_number(draw) };
	char *text = NULL;
	size_t len;
	FILE *out;

	draw_name(draw, interval.host);
	draw_name(draw, interval.tenant);
	draw_name(draw, interval.policy);
	interval.billing = draw_below(draw, SW_BILLINGS);
	interval.start = draw_number(draw);
	interval.end = draw_number(draw);
	draw_ways(draw, interval.traffic);
	out = open_memstream(&text, &len);
	interval_cloudevent(&interval, out);
	fclose(out);
	check_event(text, len, &interval);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draw draw = { .bytes = data, .left = size };
	struct usages usages = { 0 };
	struct usage_style style;
	char text[SW_NAME_MAX];

	draw_name(&draw, text);
	check_readers(text, draw_number(&draw));
	style = draw_style(&draw);
	check_interval(&draw);
	while (draw.left && usages.rows.n < ROWS_MAX)
		draw_row(&draw, &usages);
	check_forms(&usages, &style);
	free(usages.rows.v);
	return 0;
}
