// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "cli.h"
#include "report.h"

/* The counters go with the tenant, so this is the last to see them. */
static int detach(struct host *host, const char *name, struct report *report, struct fault *fault)
{
	__u32 slot = tenant_find(host, name);
	int err;

	if (!slot)
		return fault_set(fault, ENOENT, "no tenant is named %s: 'sockwarden status' lists them", name);
	err = report_read(host, slot, report, fault);
	if (!err)
		err = tenant_detach(host, name, fault);
	return err ? err : publish_collect(host, fault);
}

int cmd_detach(struct cli *cli)
{
	struct report report = { 0 };
	struct fault fault;
	struct host host;
	int err = host_open(&host, HOST_CHANGING, &fault);

	if (err)
		return fail("%s", fault.text);
	err = detach(&host, cli->args[0], &report, &fault);
	if (!err)
		report_show(&report, cli, stdout);
	report_free(&report);
	host_close(&host);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
