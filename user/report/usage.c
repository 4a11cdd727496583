// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "csv.h"
#include "meter.h"
#include "usage.h"

const char *usage_figure_name(int figure)
{
	static const char *const names[] = {
		"sent_bytes",     "sent_payload_bytes",     "sent_packets",
		"received_bytes", "received_payload_bytes", "received_packets",
	};

	return names[figure];
}

__u64 usage_figure(const struct sw_traffic traffic[SW_DIRECTIONS], int figure)
{
	const struct sw_traffic *of = &traffic[figure < 3 ? SW_EGRESS : SW_INGRESS];
	const __u64 figures[] = { of->bytes, of->payload, of->packets };

	return figures[figure % 3];
}

static bool traffic_add_fits(struct sw_traffic *sum, const struct sw_traffic *add)
{
	return !__builtin_add_overflow(sum->bytes, add->bytes, &sum->bytes) &&
	       !__builtin_add_overflow(sum->payload, add->payload, &sum->payload) &&
	       !__builtin_add_overflow(sum->packets, add->packets, &sum->packets);
}

/* `sum` is what both kinds of billing come to, for tables add them up. */
static bool total_add(struct usage_total *total, struct sw_traffic sum[SW_DIRECTIONS], const struct usage *row,
		      const struct usage_style *style)
{
	bool exempt = row->billing == SW_EXEMPT;
	__u64 micro = 0;

	for (int direction = 0; direction < SW_DIRECTIONS; direction++)
		if (!traffic_add_fits(&sum[direction], &row->traffic[direction]))
			return false;
	for (int direction = 0; direction < SW_DIRECTIONS; direction++)
		traffic_add(&total->meter.of[exempt][direction], &row->traffic[direction]);
	if (style->priced && !exempt && !price_amount(&style->price, row->traffic[SW_EGRESS].bytes, &micro))
		return false;
	total->micro += micro;
	return total->micro <= INT64_MAX;
}

int usage_total(const struct usages *usages, const struct usage_style *style, struct usage_total *out)
{
	struct sw_traffic sum[SW_DIRECTIONS] = { 0 };

	*out = (struct usage_total){ 0 };
	for (size_t i = 0; i < usages->rows.n; i++)
		if (!total_add(out, sum, &usages->rows.v[i], style))
			return -EOVERFLOW;
	return 0;
}

__u64 usage_amount(const struct usage *row, const struct usage_style *style)
{
	__u64 micro = 0;

	if (style->priced && row->billing != SW_EXEMPT)
		price_amount(&style->price, row->traffic[SW_EGRESS].bytes, &micro);
	return micro;
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

void usage_figures_json(const struct sw_traffic traffic[SW_DIRECTIONS], struct json *json)
{
	for (int i = 0; i < USAGE_FIGURES; i++)
		json_number(json, usage_figure_name(i), usage_figure(traffic, i));
}

static void json_amount(__u64 micro, const struct usage_style *style, struct json *json)
{
	char money[MONEY_TEXT];

	if (style->priced)
		json_string(json, "amount", money_format(micro, money));
}

static void json_row(const struct usage *row, const struct usage_style *style, struct json *json)
{
	char text[CALENDAR_TEXT];

	json_open(json, NULL, '{');
	json_string(json, "tenant", row->tenant);
	json_string(json, "class", billing_name(row->billing));
	json_string(json, "from", calendar_format(row->from, text));
	json_string(json, "to", calendar_format(row->to, text));
	usage_figures_json(row->traffic, json);
	json_amount(usage_amount(row, style), style, json);
	json_close(json, '}');
}

/* As a report has it: all, and what of it is exempt. */
static void json_total(const struct usage_total *total, const struct usage_style *style, struct json *json)
{
	struct sw_traffic traffic[SW_DIRECTIONS] = { meter_direction(&total->meter, SW_EGRESS),
						     meter_direction(&total->meter, SW_INGRESS) };

	json_open(json, "total", '{');
	usage_figures_json(traffic, json);
	json_open(json, "exempt", '{');
	usage_figures_json(total->meter.of[SW_EXEMPT], json);
	json_close(json, '}');
	json_amount(total->micro, style, json);
	json_close(json, '}');
}

static void json_style(const struct usage_style *style, struct json *json)
{
	char time[CALENDAR_TEXT], price[PRICE_TEXT];

	json_string(json, "from", style->from > 0 ? calendar_format(style->from, time) : NULL);
	json_string(json, "to", style->to < INT64_MAX ? calendar_format(style->to, time) : NULL);
	json_string(json, "by", style->by ? calendar_name(style->unit) : NULL);
	json_string(json, "price", style->priced ? price_format(&style->price, price) : NULL);
	json_string(json, "currency", style->priced ? style->currency : NULL);
}

int usage_json(const struct usages *usages, const struct usage_style *style, struct json *json)
{
	struct usage_total total;
	int err = usage_total(usages, style, &total);

	if (err)
		return err;
	json_open(json, NULL, '{');
	json_style(style, json);
	json_open(json, "rows", '[');
	for (size_t i = 0; i < usages->rows.n; i++)
		json_row(&usages->rows.v[i], style, json);
	json_close(json, ']');
	json_total(&total, style, json);
	json_close(json, '}');
	return 0;
}

/* ---- CSV ----------------------------------------------------------------------------------------- */

static void csv_head(const struct usage_style *style, struct csv *csv)
{
	static const char *const names[] = { "from", "to", "tenant", "class" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		csv_text(csv, names[i]);
	for (int i = 0; i < USAGE_FIGURES; i++)
		csv_text(csv, usage_figure_name(i));
	if (style->priced) {
		csv_text(csv, "amount");
		csv_text(csv, "currency");
	}
	csv_end(csv);
}

static void csv_row(const struct usage *row, const struct usage_style *style, struct csv *csv)
{
	char time[CALENDAR_TEXT], money[MONEY_TEXT];

	csv_text(csv, calendar_format(row->from, time));
	csv_text(csv, calendar_format(row->to, time));
	csv_text(csv, row->tenant);
	csv_text(csv, billing_name(row->billing));
	for (int i = 0; i < USAGE_FIGURES; i++)
		csv_number(csv, usage_figure(row->traffic, i));
	if (style->priced) {
		csv_text(csv, money_format(usage_amount(row, style), money));
		csv_text(csv, style->currency);
	}
	csv_end(csv);
}

int usage_csv(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	struct csv csv = { .out = out };
	struct usage_total total;
	int err = usage_total(usages, style, &total);

	if (err)
		return err;
	csv_head(style, &csv);
	for (size_t i = 0; i < usages->rows.n; i++)
		csv_row(&usages->rows.v[i], style, &csv);
	return 0;
}
