// SPDX-License-Identifier: GPL-2.0-only
/* The exporter is a program of its own, so that what listens on the network has none of this one's libraries. */
#include "beside.h"
#include "cli.h"

int cmd_exporter(struct cli *cli)
{
	return become_beside("sockwarden-exporter", cli->args - 1); /* the verb, which it takes for its name */
}
