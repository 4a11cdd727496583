// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "cli.h"
#include "tenant.h"
#include "wanted.h"

int cmd_detach(struct cli *cli)
{
	struct report report = { 0 };
	struct fault fault;
	struct host host;
	__u32 slot;
	int err = host_open(&host, HOST_CHANGING, &fault);

	if (err)
		return fail("%s", fault.text);
	slot = tenant_find(&host, cli->args[0]);
	err = wanted_drop(&host, cli->args[0], &fault);
	if (err == -ENOENT && slot)
		err = 0;    /* a run's */
	if (err || !slot) { /* then nothing is left of it but that it was to be attached again */
		host_close(&host);
		return err ? fail("%s", fault.text) : EXIT_OK;
	}
	err = tenant_report(&host, slot, &report, &fault);
	if (!err)
		err = tenant_close(&host, cli->args[0], &report, &fault); /* says so when there is none */
	if (!err)
		err = publish_collect(&host, &fault);
	if (!err)
		cli_report(cli, &report, NULL, stdout);
	report_free(&report);
	host_close(&host);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
