// SPDX-License-Identifier: GPL-2.0-only
#include "cli.h"
#include "calendar.h"

void cli_report(const struct cli *cli, const struct report *report, const struct support *support, FILE *out)
{
	struct json json = { .out = out, .pretty = cli_has(cli, OPTION_PRETTY) };

	if (!cli_has(cli, OPTION_JSON)) {
		report_print(report, support, out);
		return;
	}
	report_json(report, support, &json);
	json_end(&json);
}

int cli_time(const struct cli *cli, enum cli_option option, __s64 now, __s64 *at)
{
	const char *value = cli->value[option];

	if (value && !calendar_parse_from(value, now, at))
		return usage("'%s' is no time: write 2026-11, 2026-11-22 or 2026-11-22T10:00, which are UTC, "
			     "2026-11-22T10:00+01:00, today, yesterday, now, or -7d (also s, m, h, w)",
			     value);
	return EXIT_OK;
}
