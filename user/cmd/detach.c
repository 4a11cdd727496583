// SPDX-License-Identifier: GPL-2.0-only
#include "cli.h"
#include "tenant.h"

int cmd_detach(struct cli *cli)
{
	struct fault fault;
	struct host host;
	int err = host_open(&host, HOST_CHANGING, &fault);

	if (err)
		return fail("%s", fault.text);
	err = tenant_detach(&host, cli->args[0], &fault);
	if (!err)
		err = publish_collect(&host, &fault);
	host_close(&host);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
