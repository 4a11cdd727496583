// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "cli.h"
#include "ledger.h"

static void print_line(const char *line, void *data)
{
	(void)data;
	puts(line);
}

static void print_string(const char *line, void *data)
{
	json_string(data, NULL, line);
}

static void print_counts(const struct ledger_checked *checked)
{
	printf("ok: %llu row%s, %llu day%s, %s\n", checked->rows, checked->rows == 1 ? "" : "s", checked->days,
	       checked->days == 1 ? "" : "s",
	       checked->summed ? "checksums on all pages"
			       : "no checksums of pages: the daemon adds them when it starts, up to 64 MiB");
}

static int check_json(struct ledger *ledger, const char *path, struct json *json, struct fault *fault)
{
	struct ledger_checked checked;
	int err;

	json_open(json, NULL, '{');
	json_string(json, "ledger", path);
	json_open(json, "findings", '[');
	err = ledger_check(ledger, print_string, json, &checked, fault);
	json_close(json, ']');
	json_bool(json, "sound", !err);
	json_bool(json, "complete", !err || err == -EINVAL);
	json_bool(json, "checksums", checked.summed);
	json_number(json, "rows", checked.rows);
	json_number(json, "days", checked.days);
	json_close(json, '}');
	json_end(json);
	return err;
}

static int check_lines(struct ledger *ledger, struct fault *fault)
{
	struct ledger_checked checked;
	int err = ledger_check(ledger, print_line, NULL, &checked, fault);

	if (!err)
		print_counts(&checked);
	return err;
}

int cmd_ledger_check(struct cli *cli)
{
	const char *path = cli->value[OPTION_LEDGER] ? cli->value[OPTION_LEDGER] : SW_LEDGER;
	struct ledger *ledger;
	struct fault fault;
	int err = ledger_open(&ledger, path, LEDGER_READING, &fault);

	if (err)
		return fail("%s", fault.text);
	err = cli_has(cli, OPTION_JSON) ? check_json(ledger, path, &cli->json, &fault) : check_lines(ledger, &fault);
	ledger_close(ledger);
	if (err && err != -EINVAL) /* the lines of what is damaged are printed */
		return fail("%s", fault.text);
	return err ? EXIT_FAILED : EXIT_OK;
}
