// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "cli.h"
#include "daemon.h"

#define INTERVAL     10
#define INTERVAL_MAX 3600

static const char *value_or(const struct cli *cli, enum cli_option option, const char *otherwise)
{
	return cli->value[option] ? cli->value[option] : otherwise;
}

int cmd_daemon(struct cli *cli)
{
	const char *interval = cli->value[OPTION_INTERVAL];
	struct daemon_options options = {
		.ledger = value_or(cli, OPTION_LEDGER, SW_LEDGER),
		.socket = value_or(cli, OPTION_SOCKET, SW_SOCKET),
		.group = cli->value[OPTION_GROUP],
		.interval = INTERVAL,
		.quiet = cli_has(cli, OPTION_QUIET),
		.adopt = cli_has(cli, OPTION_ADOPT),
	};
	char *end;

	if (interval) {
		unsigned long seconds = strtoul(interval, &end, 10);

		if (*interval < '0' || *interval > '9' || *end || !seconds || seconds > INTERVAL_MAX)
			return usage("'%s' is no interval: give a number of seconds from 1 to %d", interval,
				     INTERVAL_MAX);
		options.interval = seconds;
	}
	return daemon_run(&options);
}
