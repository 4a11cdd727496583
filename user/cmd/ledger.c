// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <time.h>

#include "amount.h"
#include "calendar.h"
#include "cli.h"
#include "ledger.h"
#include "plain.h"

static void print_line(const char *line, void *data)
{
	(void)data;
	plain_line(stdout, "%s", line);
}

static void print_string(const char *line, void *data)
{
	json_string(data, NULL, line);
}

static const char *date_of(__s64 day, char text[CALENDAR_TEXT])
{
	return calendar_label(day * 86400, CALENDAR_DAY, text);
}

static void print_counts(const struct ledger_checked *checked)
{
	char date[CALENDAR_TEXT];

	printf("ok: %llu row%s, %llu day%s, ", checked->rows, plural(checked->rows), checked->days,
	       plural(checked->days));
	if (checked->pruned)
		printf("of %llu of them before %s only sums, ", checked->pruned, date_of(checked->before, date));
	puts(checked->summed ? "checksums on all pages"
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
	json_number(json, "pruned_days", checked.pruned);
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

/* ---- prune ---- */

struct pruning {
	const char *path;
	__s64 day;
	bool dry_run;
};

static void print_size(const char *before, __u64 bytes, const char *after)
{
	char text[BYTES_TEXT];

	printf("%s%s%s", before, bytes_format(bytes, text), after);
}

static void print_pruned(const struct pruning *what, const struct ledger_pruned *pruned)
{
	char date[CALENDAR_TEXT];

	printf("%s %llu row%s of %llu day%s before %s (UTC); their sums by day %s.",
	       what->dry_run ? "Would take out" : "Took out", pruned->rows, plural(pruned->rows), pruned->days,
	       plural(pruned->days), date_of(what->day, date), what->dry_run ? "would stay" : "stay");
	if (!what->dry_run) {
		print_size(" The file had ", pruned->size, "");
		print_size(", and has ", pruned->after, "");
		print_size(", of which ", pruned->free, " are free and will be used again.");
	}
	putchar('\n');
}

static void print_pruned_json(const struct pruning *what, const struct ledger_pruned *pruned, struct json *json)
{
	char date[CALENDAR_TEXT];

	json_open(json, NULL, '{');
	json_string(json, "ledger", what->path);
	json_string(json, "before", date_of(what->day, date));
	json_bool(json, "dry_run", what->dry_run);
	json_number(json, "rows", pruned->rows);
	json_number(json, "days", pruned->days);
	json_number(json, "file_bytes_before", pruned->size);
	json_number(json, "file_bytes", pruned->after);
	json_number(json, "free_bytes", pruned->free);
	json_close(json, '}');
	json_end(json);
}

static int parse_day(const struct cli *cli, struct pruning *what)
{
	__s64 now = time(NULL), at = 0;

	if (!cli_has(cli, OPTION_BEFORE))
		return usage("--before is missing: say before which day, as --before 2026-06 or --before -90d");
	if (cli_time(cli, OPTION_BEFORE, now, &at))
		return EXIT_USAGE;
	at = calendar_floor(at, CALENDAR_DAY);
	if (at > now)
		return usage("--before %s: that day has not begun: only days that are over can be pruned",
			     cli->value[OPTION_BEFORE]);
	what->day = at / 86400;
	what->dry_run = cli_has(cli, OPTION_DRY_RUN);
	what->path = cli->value[OPTION_LEDGER] ? cli->value[OPTION_LEDGER] : SW_LEDGER;
	return EXIT_OK;
}

int cmd_ledger_prune(struct cli *cli)
{
	struct ledger_pruned pruned;
	struct pruning what;
	struct ledger *ledger;
	struct fault fault;
	int err = parse_day(cli, &what);

	if (err)
		return err;
	err = ledger_open(&ledger, what.path, what.dry_run ? LEDGER_READING : LEDGER_PRUNING, &fault);
	if (err)
		return fail("%s", fault.text);
	err = ledger_prune(ledger, what.day, what.dry_run, &pruned, &fault);
	ledger_close(ledger);
	if (err)
		return fail("%s", fault.text);
	if (cli_has(cli, OPTION_JSON))
		print_pruned_json(&what, &pruned, &cli->json);
	else
		print_pruned(&what, &pruned);
	return EXIT_OK;
}
