// SPDX-License-Identifier: GPL-2.0-only
#include "cli.h"

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
