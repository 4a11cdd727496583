// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "detach.h"
#include "detach_from.h"
#include "mem.h"
#include "plain.h"
#include "publish.h"
#include "state.h"
#include "target.h"
#include "tenant_file.h"
#include "wanted.h"

static void show(const struct cli *cli, const struct report *report)
{
	if (!cli_has(cli, OPTION_JSON) && cli_has(cli, OPTION_QUIET))
		return;
	if (!cli_has(cli, OPTION_JSON))
		plain_line(stdout, "detached %s (%s)", report->record.name, report->record.path);
	cli_report(cli, report, NULL, stdout);
}

/* What a file says holds again when it is applied; of one of many, as soon as the daemon looks. */
static void warn_of_file(const char *name, const char *policy, bool wanted)
{
	if (tenant_file_is(policy))
		warn("warning: tenant %s is of %s: it is attached again %s. Change the file, and 'sockwarden apply'",
		     name, policy,
		     wanted ? "by 'sockwarden apply', or when the daemon starts or reloads" : "by the daemon, at once");
}

/* What is told when the lock is given back: who reads it may be slow. */
struct parting {
	struct report report;
	bool done;
	LIST(char *) forgotten; /* a line for each that was not attached; owned */
};

/* Of a tenant that is not attached now nothing is left but that it was to be attached again. */
static int forget(struct host *host, const char *text, struct parting *parting, struct fault *fault)
{
	struct wanted_list wanted;
	struct target target;
	int err = wanted_read(host, &wanted, fault), done = -ENOENT;

	target_read(text, &target);
	for (size_t i = 0; i < wanted.of.n && !err; i++) {
		const struct wanted *one = &wanted.of.v[i];

		if (strcmp(*target.path ? one->is.path : one->name.text, *target.path ? target.path : target.text))
			continue;
		warn_of_file(one->name.text, one->is.policy, true);
		err = done = wanted_drop(host, one->name.text, fault);
		if (!err)
			*list_add(&parting->forgotten) =
				mem_printf("detached %s (%s): it was not attached, and is not attached again",
					   one->name.text, one->is.path);
	}
	wanted_free(&wanted);
	return err ? err : done == -ENOENT ? target_missing(text, fault) : done;
}

/* The passes are of this build. */
static bool closes(const struct cli *cli, const struct host *host)
{
	if (host->foreign && !cli_has(cli, OPTION_KEEP_OPEN))
		warn("the programs are another build's, so what is open goes on without policy and meter: "
		     "'sockwarden upgrade' takes over from it");
	return !host->foreign && !cli_has(cli, OPTION_KEEP_OPEN);
}

static int detach(struct cli *cli, struct host *host, struct tenancy of, struct parting *parting, struct fault *fault)
{
	const struct sw_record *record = tenancy_record(host, of), *was = &parting->report.record;
	bool wanted = wanted_at(host, record->name, record->path);
	struct ending ending = { .close = closes(cli, host) };
	struct fault ignored;
	int err = wanted ? wanted_drop(host, record->name, fault) : 0;

	if (!err)
		err = tenancy_close(host, of, &ending, &parting->report, fault);
	if (err && wanted && tenancy_is_whole(host, of)) /* it is as it was */
		wanted_note(host, record, &ignored);
	if (ending.held)
		warn("%" PRIu64
		     " of its sockets could not be taken out of the kernel's tables, and go on without policy "
		     "and meter: its processes hold them, or their network namespace was not found",
		     (uint64_t)ending.held);
	if (!err)
		warn_of_file(was->name, was->policy, wanted);
	parting->done = !err;
	return err;
}

static void tell(struct cli *cli, const struct parting *parting)
{
	for (size_t i = 0; i < parting->forgotten.n; i++) {
		if (!cli_has(cli, OPTION_QUIET))
			plain_line(stdout, "%s", parting->forgotten.v[i]);
		free(parting->forgotten.v[i]);
	}
	free(parting->forgotten.v);
	if (parting->done)
		show(cli, &parting->report);
}

int detach_from(struct cli *cli, const char *text)
{
	struct parting parting = { 0 };
	struct fault fault;
	struct host host;
	struct tenancy of;
	int err = host_open(&host, HOST_CHANGING, &fault);

	if (err)
		return fail("%s", fault.text);
	say_later();
	of = target_find(&host, text, &fault);
	err = of.number ? detach(cli, &host, of, &parting, &fault) : forget(&host, text, &parting, &fault);
	publish_tidy(&host);
	host_close(&host);
	say_now();
	tell(cli, &parting);
	report_free(&parting.report);
	return err ? fail("%s", fault.text) : EXIT_OK;
}

int cmd_detach(struct cli *cli)
{
	return detach_from(cli, cli->args[0]);
}
