// SPDX-License-Identifier: GPL-2.0-only
/* The table for people: biggest tenant first, in units they read; what is exact is in the other forms. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"
#include "plain.h"
#include "usage.h"

#define WIDTH      100 /* of the page */
#define TENANT_MIN 12  /* names are cut to what the page has room for, and not below this */
#define BAR_MAX    10

enum column { PERIOD, TENANT, SENT, PACKETS, EXEMPT, RECEIVED, AMOUNT, COLUMNS };

/* A tenant in a period, both kinds of billing together. */
struct entry {
	const struct usage *row; /* the first of them */
	struct sw_meter meter;
	__u64 micro;
};

struct entries {
	LIST(struct entry);
};

struct line {
	char cell[COLUMNS][SW_NAME_MAX];
	__u64 sent; /* for the bar; 0: none */
};

struct table {
	const struct usage_style *style;
	LIST(struct line) lines;
	size_t width[COLUMNS]; /* 0: the column is not shown */
	size_t decimals;       /* of the amounts, at most */
	size_t bar;
};

static bool same_line(const struct usage *a, const struct usage *b)
{
	return a->from == b->from && a->to == b->to && !strcmp(a->tenant, b->tenant);
}

static void collect(const struct usages *usages, const struct usage_style *style, struct entries *entries)
{
	for (size_t i = 0; i < usages->rows.n; i++) {
		const struct usage *row = &usages->rows.v[i];
		struct entry *entry = entries->n ? &entries->v[entries->n - 1] : NULL;

		if (!entry || !same_line(entry->row, row)) {
			entry = list_add(entries);
			entry->row = row;
		}
		for (int direction = 0; direction < SW_DIRECTIONS; direction++)
			traffic_add(&entry->meter.of[row->billing == SW_EXEMPT][direction], &row->traffic[direction]);
		entry->micro += usage_amount(row, style);
	}
}

static __u64 sent(const struct entry *entry)
{
	return meter_direction(&entry->meter, SW_EGRESS).bytes;
}

static int by_period_and_size(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->row->from != y->row->from)
		return x->row->from < y->row->from ? -1 : 1;
	if (x->row->to != y->row->to)
		return x->row->to < y->row->to ? -1 : 1;
	if (sent(x) != sent(y))
		return sent(x) > sent(y) ? -1 : 1;
	return strcmp(x->row->tenant, y->row->tenant);
}

/* ---- lines --------------------------------------------------------------------------------------- */

static void add_head(struct table *table)
{
	static const char *const names[] = { "PERIOD", "TENANT", "SENT", "PACKETS", "EXEMPT", "RECEIVED", "AMOUNT" };
	const struct usage_style *style = table->style;
	struct line *line = list_add(&table->lines);

	for (int i = style->by ? PERIOD : TENANT; i < (style->priced ? COLUMNS : AMOUNT); i++)
		strcpy(line->cell[i], names[i]);
	if (style->priced && strcmp(style->currency, "XXX"))
		snprintf(line->cell[AMOUNT], SW_NAME_MAX, "%s", style->currency);
}

static struct line *add_figures(struct table *table, const struct sw_meter *meter, __u64 micro)
{
	struct sw_traffic tx = meter_direction(meter, SW_EGRESS), rx = meter_direction(meter, SW_INGRESS);
	__u64 exempt = meter->of[SW_EXEMPT][SW_EGRESS].bytes;
	struct line *line = list_add(&table->lines);

	bytes_format(tx.bytes, line->cell[SENT]);
	snprintf(line->cell[PACKETS], SW_NAME_MAX, "%" PRIu64, (uint64_t)tx.packets);
	if (exempt)
		bytes_format(exempt, line->cell[EXEMPT]);
	else
		strcpy(line->cell[EXEMPT], "-");
	bytes_format(rx.bytes, line->cell[RECEIVED]);
	if (table->style->priced)
		money_short(micro, line->cell[AMOUNT]);
	return line;
}

static void add_entry(struct table *table, const struct entry *entry, bool begins_period)
{
	struct line *line = add_figures(table, &entry->meter, entry->micro);

	if (table->style->by && begins_period)
		calendar_label(entry->row->from, table->style->unit, line->cell[PERIOD]);
	snprintf(line->cell[TENANT], SW_NAME_MAX, "%s", entry->row->tenant);
	plain_ascii(line->cell[TENANT]);
	line->sent = sent(entry);
}

static void add_lines(struct table *table, const struct entries *entries, const struct usage_total *total)
{
	const struct usage *before = NULL;

	add_head(table);
	for (size_t i = 0; i < entries->n; i++) {
		const struct usage *row = entries->v[i].row;

		add_entry(table, &entries->v[i], !before || before->from != row->from || before->to != row->to);
		before = row;
	}
	if (entries->n > 1)
		strcpy(add_figures(table, &total->meter, total->micro)->cell[table->style->by ? PERIOD : TENANT],
		       "total");
}

/* ---- layout -------------------------------------------------------------------------------------- */

/* Points stand below one another: what an amount has fewer decimals than the longest. The head ends with them all. */
static size_t decimals_short(const struct table *table, const struct line *line)
{
	const char *point = strchr(line->cell[AMOUNT], '.');

	return point ? table->decimals - strlen(point + 1) : 0;
}

static void measure(struct table *table)
{
	for (size_t i = 0; i < table->lines.n; i++) {
		const char *point = strchr(table->lines.v[i].cell[AMOUNT], '.');

		if (point && strlen(point + 1) > table->decimals)
			table->decimals = strlen(point + 1);
	}
	for (size_t i = 0; i < table->lines.n; i++) {
		for (int column = 0; column < COLUMNS; column++) {
			size_t len = strlen(table->lines.v[i].cell[column]);

			if (column == AMOUNT)
				len += decimals_short(table, &table->lines.v[i]);
			if (len > table->width[column])
				table->width[column] = len;
		}
	}
}

/* Two blanks between columns; the tenants' gets what the others leave, a bar what is left then. */
static void lay_out(struct table *table)
{
	size_t used = 0, room;

	measure(table);
	for (int column = 0; column < COLUMNS; column++)
		if (column != TENANT && table->width[column])
			used += table->width[column] + 2;
	room = used + TENANT_MIN < WIDTH ? WIDTH - used : TENANT_MIN;
	if (table->width[TENANT] > room)
		table->width[TENANT] = room;
	used += table->width[TENANT] + 2;
	if (table->style->bars != BARS_NONE && used < WIDTH)
		table->bar = WIDTH - used < BAR_MAX ? WIDTH - used : BAR_MAX;
}

/* Names differ at their ends as often as in front: what is too long loses its middle. */
static void print_cut(const char *text, size_t width, FILE *out)
{
	size_t len = strlen(text), front = (width - 2) / 2;

	if (len <= width)
		fprintf(out, "%-*s", (int)width, text);
	else
		fprintf(out, "%.*s..%s", (int)front, text, text + len - (width - 2 - front));
}

/* Whoever sent anything has a piece of a bar, `gap` blanks from what is before it. */
static void print_bar(const struct table *table, __u64 share, __u64 largest, size_t gap, FILE *out)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	bool blocks = table->style->bars == BARS_BLOCKS;
	unsigned long long steps = table->bar * (blocks ? 8 : 1);

	steps = ((unsigned __int128)share * steps + largest - 1) / largest;
	fprintf(out, "%*s", (int)gap, "");
	for (unsigned long long i = 0; i < (blocks ? steps / 8 : steps); i++)
		fputs(blocks ? "█" : "#", out);
	if (blocks)
		fputs(eighths[steps % 8], out);
}

static void print_line(const struct table *table, const struct line *line, __u64 largest, FILE *out)
{
	size_t lacking = decimals_short(table, line);
	const char *gap = "";

	for (int column = 0; column < COLUMNS; column++) {
		if (!table->width[column])
			continue;
		fputs(gap, out);
		if (column <= TENANT)
			print_cut(line->cell[column], table->width[column], out);
		else
			fprintf(out, "%*s", (int)(table->width[column] - (column == AMOUNT ? lacking : 0)),
				line->cell[column]);
		gap = "  ";
	}
	if (table->bar && line->sent)
		print_bar(table, line->sent, largest, 2 + lacking, out);
	fputc('\n', out);
}

static void print_lines(const struct table *table, FILE *out)
{
	__u64 largest = 0;

	for (size_t i = 0; i < table->lines.n; i++)
		if (table->lines.v[i].sent > largest)
			largest = table->lines.v[i].sent;
	for (size_t i = 0; i < table->lines.n; i++)
		print_line(table, &table->lines.v[i], largest, out);
}

static void print_caption(const struct usage_style *style, const struct usage *first, FILE *out)
{
	char from[CALENDAR_TEXT], to[CALENDAR_TEXT], price[PRICE_TEXT];

	if (style->by)
		fprintf(out, "Usage by %s, UTC", calendar_name(style->unit));
	else
		fprintf(out, "Usage from %s to %s", calendar_format(first->from, from), calendar_format(first->to, to));
	if (style->priced)
		fprintf(out, ", billable bytes sent at %s", price_format(&style->price, price));
	fputs("\n\n", out);
}

int usage_table(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	struct table table = { .style = style };
	struct entries entries = { 0 };
	struct usage_total total;
	int err = usage_total(usages, style, &total);

	if (err)
		return err;
	if (!usages->rows.n) {
		fputs("Nothing was booked in that time, or nothing yet: 'sockwarden status' has what was counted.\n",
		      out);
		return 0;
	}
	collect(usages, style, &entries);
	qsort(entries.v, entries.n, sizeof(*entries.v), by_period_and_size);
	add_lines(&table, &entries, &total);
	lay_out(&table);
	print_caption(style, entries.v[0].row, out);
	print_lines(&table, out);
	free(entries.v);
	free(table.lines.v);
	return 0;
}
