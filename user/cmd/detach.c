// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "detach.h"
#include "publish.h"
#include "target.h"
#include "wanted.h"

static void show(const struct cli *cli, const struct report *report)
{
	if (!cli_has(cli, OPTION_JSON) && cli_has(cli, OPTION_QUIET))
		return;
	if (!cli_has(cli, OPTION_JSON))
		printf("detached %s (%s)\n", report->record.name, report->record.path);
	cli_report(cli, report, NULL, stdout);
}

/* Of a tenant that is not attached now nothing is left but that it was to be attached again. */
static int forget(struct cli *cli, struct host *host, struct fault *fault)
{
	struct wanted_list wanted;
	struct target target;
	int err = wanted_read(host, &wanted, fault), done = -ENOENT;

	target_read(cli->args[0], &target);
	for (size_t i = 0; i < wanted.of.n && !err; i++) {
		const struct wanted *one = &wanted.of.v[i];

		if (strcmp(*target.path ? one->is.path : one->name.text, *target.path ? target.path : target.text))
			continue;
		err = done = wanted_drop(host, one->name.text, fault);
		if (!err && !cli_has(cli, OPTION_QUIET))
			printf("detached %s (%s): it was not attached, and is not attached again\n", one->name.text,
			       one->is.path);
	}
	wanted_free(&wanted);
	return err ? err : done == -ENOENT ? target_missing(cli->args[0], fault) : done;
}

static int detach(struct cli *cli, struct host *host, struct tenancy of, struct fault *fault)
{
	struct report report = { 0 };
	const struct sw_record *record = tenancy_record(host, of);
	int err = wanted_at(host, record->name, record->path) ? wanted_drop(host, record->name, fault) : 0;

	if (!err)
		err = tenancy_close(host, of, NULL, &report, fault);
	if (!err)
		show(cli, &report);
	report_free(&report);
	return err;
}

int cmd_detach(struct cli *cli)
{
	struct fault fault;
	struct host host;
	struct tenancy of;
	int err = host_open(&host, HOST_CHANGING, &fault);

	if (err)
		return fail("%s", fault.text);
	of = target_find(&host, cli->args[0], &fault);
	err = of.number ? detach(cli, &host, of, &fault) : forget(cli, &host, &fault);
	publish_tidy(&host);
	host_close(&host);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
