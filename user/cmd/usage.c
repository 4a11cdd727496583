// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "ledger.h"
#include "load.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_CLOUDEVENTS, FORMAT_FOCUS, FORMATS };

/* What the options ask for. */
struct request {
	enum format format;
	struct usage_style style;
	const char *tenant, *ledger;
};

static int parse_format(const struct cli *cli, struct request *request)
{
	static const char *const names[] = { "table", "json", "csv", "cloudevents", "focus" };
	const char *value = cli->value[OPTION_FORMAT];

	request->format = cli_has(cli, OPTION_JSON) ? FORMAT_JSON : FORMAT_TABLE;
	if (!value)
		return EXIT_OK;
	for (request->format = 0; request->format < FORMATS; request->format++)
		if (!strcmp(value, names[request->format]))
			break;
	if (request->format == FORMATS)
		return usage("'%s' is no format: write table, json, csv, cloudevents or focus", value);
	if (cli_has(cli, OPTION_JSON) && request->format != FORMAT_JSON)
		return usage("--json and --format %s are two formats: give one", value);
	return EXIT_OK;
}

static int parse_times(const struct cli *cli, struct usage_style *style)
{
	const char *by = cli->value[OPTION_BY];
	__s64 now = time(NULL);

	style->to = INT64_MAX;
	if (cli_time(cli, OPTION_FROM, now, &style->from) || cli_time(cli, OPTION_TO, now, &style->to))
		return EXIT_USAGE;
	if (style->to <= style->from)
		return usage("--to %s is not after --from %s", cli->value[OPTION_TO],
			     cli_has(cli, OPTION_FROM) ? cli->value[OPTION_FROM]
						       : "1970-01-01, the first time there is");
	style->by = by;
	if (by && !calendar_unit_parse(by, &style->unit))
		return usage("'%s' is no period: write hour, day or month", by);
	return EXIT_OK;
}

static bool is_currency(const char *text)
{
	return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

static int parse_price(const struct cli *cli, struct usage_style *style)
{
	const char *price = cli->value[OPTION_PRICE], *currency = cli->value[OPTION_CURRENCY];

	style->priced = price;
	if (price && !price_parse(price, &style->price))
		return usage("'%s' is no price: write it as 0.12/GiB", price);
	if (currency && !price)
		return usage("--currency goes with a price: add --price, as in --price 0.12/GiB");
	if (currency && !is_currency(currency))
		return usage("'%s' is no currency: write the three letters of ISO 4217, as in USD", currency);
	strcpy(style->currency, currency ? currency : "XXX");
	return EXIT_OK;
}

/* What the formats demand of the other options. */
static int fit_format(struct request *request)
{
	struct usage_style *style = &request->style;

	if (request->format == FORMAT_CLOUDEVENTS && (style->by || style->priced))
		return usage("cloudevents are the ledger's own rows: leave out --by and --price");
	if (request->format == FORMAT_FOCUS && !style->priced)
		return usage("focus is a list of charges: add --price, as in --price 0.12/GiB");
	if (request->format == FORMAT_FOCUS && !style->by) {
		style->by = true;
		style->unit = CALENDAR_DAY;
	}
	if (request->format == FORMAT_TABLE && isatty(STDOUT_FILENO)) {
		setlocale(LC_CTYPE, "");
		style->bars = strcmp(nl_langinfo(CODESET), "UTF-8") ? BARS_ASCII : BARS_BLOCKS;
	}
	return EXIT_OK;
}

#define FOCUS_NAMES "/etc/sockwarden/focus.yaml"

/* The file that was named has to be there, and the usual one need not. */
static int read_names(const char *named, struct focus_names *names)
{
	const char *file = named ? named : FOCUS_NAMES;
	struct diags diags = { 0 };
	int status = EXIT_OK;
	size_t len;
	char *text = file_read(file, &len);

	if (!text)
		return named || errno != ENOENT ? fail("%s: %s", file, strerror(errno)) : EXIT_OK;
	focus_names_read(file, text, len, names, &diags);
	diags_print(&diags, stderr);
	if (diags.errors)
		status = EXIT_FAILED;
	diags_free(&diags);
	free(text);
	return status;
}

static int parse_focus(const struct cli *cli, struct request *request)
{
	const char *version = cli->value[OPTION_FOCUS], *names = cli->value[OPTION_FOCUS_NAMES];

	if ((version || names) && request->format != FORMAT_FOCUS)
		return usage("--focus and --focus-names go with --format focus");
	if (version && strcmp(version, "1.2") != 0 && strcmp(version, "1.3") != 0)
		return usage("--focus %s: write 1.2 or 1.3", version);
	request->style.focus = version && !strcmp(version, "1.3") ? FOCUS_1_3 : FOCUS_1_2;
	return request->format == FORMAT_FOCUS ? read_names(names, &request->style.names) : EXIT_OK;
}

static int parse_request(const struct cli *cli, struct request *request)
{
	int status;

	*request = (struct request){
		.tenant = cli->value[OPTION_TENANT],
		.ledger = cli->value[OPTION_LEDGER] ? cli->value[OPTION_LEDGER] : SW_LEDGER,
	};
	status = parse_format(cli, request);
	if (!status)
		status = parse_times(cli, &request->style);
	if (!status)
		status = parse_price(cli, &request->style);
	if (!status)
		status = fit_format(request);
	return status ? status : parse_focus(cli, request);
}

static int print_usages(const struct request *request, const struct usages *usages, struct json *json)
{
	int err;

	switch (request->format) {
	case FORMAT_JSON:
		err = usage_json(usages, &request->style, json);
		if (!err)
			json_end(json);
		return err;
	case FORMAT_CSV:
		return usage_csv(usages, &request->style, stdout);
	case FORMAT_FOCUS:
		return usage_focus(usages, &request->style, stdout);
	default:
		return usage_table(usages, &request->style, stdout);
	}
}

static int show_usages(struct ledger *ledger, const struct request *request, struct json *json, struct fault *fault)
{
	const struct usage_style *style = &request->style;
	struct ledger_query query = { request->tenant, style->from, style->to, style->by ? (int)style->unit : -1 };
	struct usages usages = { 0 };
	int err = ledger_usage(ledger, &query, &usages, fault);

	if (!err && print_usages(request, &usages, json))
		err = fault_set(fault, EOVERFLOW, "the sum is too large a number: ask for less time, or a tenant");
	free(usages.rows.v);
	return err;
}

static void show_interval(const struct interval *interval, void *data)
{
	interval_cloudevent(interval, data);
}

static int show(struct ledger *ledger, const struct request *request, struct json *json, struct fault *fault)
{
	struct ledger_query query = { request->tenant, request->style.from, request->style.to, -1 };

	if (request->format == FORMAT_CLOUDEVENTS)
		return ledger_intervals(ledger, &query, show_interval, stdout, fault);
	return show_usages(ledger, request, json, fault);
}

int cmd_usage(struct cli *cli)
{
	struct request request;
	struct ledger *ledger;
	struct fault fault;
	int err = parse_request(cli, &request);

	if (err)
		return err;
	err = ledger_open(&ledger, request.ledger, LEDGER_READING, &fault);
	if (err)
		return fail("%s", fault.text);
	err = show(ledger, &request, &cli->json, &fault);
	ledger_close(ledger);
	focus_names_free(&request.style.names);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
