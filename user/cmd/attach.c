// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "attach.h"
#include "attach_to.h"
#include "foreign.h"
#include "named.h"
#include "names.h"
#include "plain.h"
#include "publish.h"
#include "reports.h"
#include "state.h"
#include "target.h"

static void report_foreign(const struct foreign *foreign, void *data)
{
	(void)data;
	warn("warning: %s has a %s program of someone else, '%s' (id %u), that runs after ours and may undo a refusal",
	     foreign->cgroup, hook_name(foreign->hook), foreign->program, foreign->id);
}

/* How what was done is told: with the tenant, its cgroup, its policy and the number of rules. */
#define ATTACHED  "attached %s (%s) to policy %s, %u rule%s"
#define REPLACED  "replaced the policy of %s (%s): it is %s now, %u rule%s"
#define UNCHANGED "unchanged: %s (%s) is attached to policy %s, %u rule%s"

/* What is attached already is only warned of: another policy makes it no worse. */
static int check_kept(const struct cli *cli, const struct cgroup *cgroup, bool is_new, struct fault *fault)
{
	struct fault why;
	int err = cgroup_keeps(cgroup, &why);

	if (!err)
		return 0;
	if (is_new && !cli_has(cli, OPTION_FORCE))
		return fault_set(fault, -err, "%s; --force attaches it all the same", why.text);
	warn("warning: %s", why.text);
	return 0;
}

static int attach_new(struct host *host, const struct cli *cli, const struct cgroup *cgroup,
		      const struct attachment *as, struct tenancy *of, struct fault *fault)
{
	int err = check_kept(cli, cgroup, true, fault);

	if (!err)
		err = foreign_find(host, cgroup, report_foreign, NULL, fault);
	return err ? err : tenancy_attach(host, cgroup, as, of, fault);
}

/* What is not whole is attached anew. */
static int attach(struct host *host, struct cli *cli, const struct attachment *as, const struct cgroup *cgroup,
		  struct tenancy *of, const char **done, struct fault *fault)
{
	const struct sw_record *record;

	*of = tenancy_of_cgroup(host, cgroup->id);
	*done = ATTACHED;
	if (!tenancy_is_whole(host, *of))
		return attach_new(host, cli, cgroup, as, of, fault);
	check_kept(cli, cgroup, false, fault);
	record = tenancy_record(host, *of);
	*done = UNCHANGED;
	if (strcmp(record->name, as->name))
		return fault_set(fault, EEXIST, "%s is tenant %s already", cgroup->path, record->name);
	if (!strcmp(record->policy, as->policy) && tenancy_has_image(host, *of, as->image))
		return 0;
	*done = REPLACED;
	if (!cli_has(cli, OPTION_REPLACE))
		return fault_set(fault, EEXIST,
				 "tenant %s is attached already, to another policy: --replace gives it this one",
				 as->name);
	return tenancy_replace(host, *of, as, fault);
}

/* What is shown when the lock is given back: who reads it may be slow. People are told what the record says alone. */
static int note(const struct host *host, const struct cli *cli, struct tenancy of, struct report *report,
		struct fault *fault)
{
	if (cli_has(cli, OPTION_JSON))
		return tenancy_report(host, of, report, fault);
	report->record = *tenancy_record(host, of);
	return 0;
}

static void show(struct cli *cli, const struct report *report, const struct image *image, const char *done)
{
	const struct sw_settings *settings = &image->settings;

	if (cli_has(cli, OPTION_JSON))
		cli_report(cli, report, NULL, stdout);
	else if (!cli_has(cli, OPTION_QUIET))
		plain_line(stdout, done, report->record.name, report->record.path, settings->policy, settings->rules,
			   plural(settings->rules));
}

/* The name asked for, or the one it has, or else that of the unit or directory. */
static int choose_name(const struct host *host, const struct cli *cli, const struct cgroup *cgroup, const char *unit,
		       char name[SW_NAME_MAX], struct fault *fault)
{
	struct tenancy has = tenancy_of_cgroup(host, cgroup->id);
	const char *text = cli->value[OPTION_TENANT] ? cli->value[OPTION_TENANT]
			   : has.number              ? tenancy_record(host, has)->name
			   : unit                    ? unit
						     : strrchr(cgroup->path, '/') + 1;
	const char *wrong = tenant_name_check(text);

	if (wrong)
		return fault_set(fault, EINVAL, "'%.100s' cannot name a tenant: %s; choose another with --tenant", text,
				 wrong);
	strcpy(name, text);
	return 0;
}

/* A tenant's name stands for its cgroup. */
static int open_named(const struct host *host, const char *text, struct cgroup *cgroup, struct fault *fault)
{
	struct fault ignored;
	struct tenancy of = target_find(host, text, &ignored);
	const struct sw_record *record = tenancy_record(host, of);
	int err = cgroup_open(cgroup, of.number ? record->path : text, fault);

	if (err || !of.number || cgroup->id == record->cgroup)
		return err;
	cgroup_close(cgroup);
	return fault_set(fault, ENOENT, "%s is not the cgroup of tenant %s any more: detach that first", record->path,
			 record->name);
}

static int attach_and_note(struct cli *cli, struct host *host, const struct cgroup *cgroup, const char *unit,
			   const char *source, struct publishing *ready, struct report *report, const char **done,
			   struct fault *fault)
{
	const struct image *image = ready->image;
	char name[SW_NAME_MAX];
	const struct attachment as = { .name = name, .policy = source, .image = image, .ready = ready, .wanted = true };
	struct tenancy of;
	int err = choose_name(host, cli, cgroup, unit, name, fault);

	if (!err)
		err = attach(host, cli, &as, cgroup, &of, done, fault);
	return err ? err : note(host, cli, of, report, fault);
}

static int attach_under(struct cli *cli, const char *text, const char *unit, const char *source,
			const struct image *image)
{
	struct cgroup cgroup = { .fd = -1 };
	struct report report = { 0 };
	struct publishing ready;
	const char *done = NULL;
	struct fault fault;
	struct host host;
	int err = strchr(text, '/') ? cgroup_open(&cgroup, text, &fault) : 0; /* before anything is loaded */

	if (!err)
		err = publish_prepare_large(image, &ready, &fault);
	if (err)
		return fail("%s", fault.text);
	err = host_open(&host, HOST_LOADING, &fault);
	say_later();
	if (!err && cgroup.fd < 0)
		err = open_named(&host, text, &cgroup, &fault);
	if (!err)
		err = attach_and_note(cli, &host, &cgroup, unit, source, &ready, &report, &done, &fault);
	cgroup_close(&cgroup);
	publish_discard(&ready);
	if (err || !publish_may_wait(&host))
		publish_tidy(&host);
	host_close(&host);
	say_now();
	if (!err)
		show(cli, &report, image, done);
	report_free(&report);
	return err ? fail("%s", fault.text) : EXIT_OK;
}

int attach_to(struct cli *cli, const char *text, const char *unit, const char *policy)
{
	struct image *image = policy_compile(policy, false, stderr);
	char *source;
	int status;

	if (!image)
		return EXIT_FAILED;
	source = policy_source(policy);
	status = attach_under(cli, text, unit, source, image);
	free(source);
	image_free(image);
	return status;
}

int cmd_attach(struct cli *cli)
{
	const char *policy = cli->value[OPTION_POLICY] ? cli->value[OPTION_POLICY] : DEFAULT_POLICY;

	return cli_has(cli, OPTION_UNIT) ? attach_unit(cli, cli->args[0]) : attach_to(cli, cli->args[0], NULL, policy);
}
