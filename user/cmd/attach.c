// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "cli.h"
#include "names.h"
#include "tenant.h"

static void report_foreign(const struct foreign *foreign, void *data)
{
	(void)data;
	warn("warning: %s has a %s program of someone else, '%s' (id %u), that runs after ours and may undo a refusal",
	     foreign->cgroup, hook_name(foreign->hook), foreign->program, foreign->id);
}

static int attach_new(struct host *host, const struct cgroup *cgroup, const struct attachment *as, struct fault *fault)
{
	int err = tenant_foreign(host, cgroup, report_foreign, NULL, fault);

	return err ? err : tenant_attach(host, cgroup, as, fault);
}

static int replace(struct host *host, const struct cgroup *cgroup, __u32 slot, const struct attachment *as,
		   struct fault *fault)
{
	if (!slot)
		return fault_set(fault, ENOENT, "no tenant is named %s, so there is nothing to replace", as->name);
	if (strcmp(host->records[slot].path, cgroup->path))
		return fault_set(fault, EINVAL, "tenant %s is %s, not %s", as->name, host->records[slot].path,
				 cgroup->path);
	return tenant_replace(host, slot, as, fault);
}

static int attach(struct host *host, struct cli *cli, struct attachment *as, const struct cgroup *cgroup,
		  const struct image *compiled, struct fault *fault)
{
	__u32 slot = cli_has(cli, OPTION_REPLACE) ? tenant_find(host, as->name) : 0;
	struct fault ignored;
	int err = budget_limit(host, as->name, slot, &compiled->settings, &as->limit, fault);

	if (!err)
		err = publish(host, compiled, &as->image, fault);
	if (err)
		return err;
	if (cli_has(cli, OPTION_REPLACE))
		err = replace(host, cgroup, slot, as, fault);
	else
		err = attach_new(host, cgroup, as, fault);
	publish_collect(host, err ? &ignored : fault);
	return err;
}

/* People see that nothing went wrong; programs get the tenant as `status` shows it. */
static int show(const struct host *host, struct cli *cli, const char *name, struct fault *fault)
{
	struct report report;
	int err;

	if (!cli_has(cli, OPTION_JSON))
		return 0;
	err = tenant_report(host, tenant_find(host, name), &report, fault);
	if (!err)
		cli_report(cli, &report, NULL, stdout);
	report_free(&report);
	return err;
}

/* NULL after saying what is wrong. */
static const char *name_for(struct cli *cli, const struct cgroup *cgroup)
{
	const char *name = cli->value[OPTION_TENANT] ? cli->value[OPTION_TENANT] : strrchr(cgroup->path, '/') + 1;
	const char *wrong = tenant_name_check(name);

	if (!wrong)
		return name;
	warn("'%s' cannot name a tenant: %s; choose another with --tenant", name, wrong);
	return NULL;
}

static int attach_and_show(struct cli *cli, struct attachment *as, const struct cgroup *cgroup,
			   const struct image *image)
{
	struct fault fault;
	struct host host;
	int err = host_open(&host, HOST_LOADING, &fault);

	if (err)
		return fail("%s", fault.text);
	err = attach(&host, cli, as, cgroup, image, &fault);
	if (!err)
		err = show(&host, cli, as->name, &fault);
	host_close(&host);
	return err ? fail("%s", fault.text) : EXIT_OK;
}

int cmd_attach(struct cli *cli)
{
	const char *policy = cli->value[OPTION_POLICY] ? cli->value[OPTION_POLICY] : DEFAULT_POLICY;
	struct attachment as = { .wanted = true };
	struct cgroup cgroup;
	struct image *image;
	struct fault fault;
	char *source;
	int status = EXIT_FAILED;

	if (cgroup_open(&cgroup, cli->args[0], &fault))
		return fail("%s", fault.text);
	as.name = name_for(cli, &cgroup);
	image = as.name ? cli_compile(policy, false) : NULL;
	if (image) {
		as.policy = source = cli_policy_source(policy);
		status = attach_and_show(cli, &as, &cgroup, image);
		free(source);
	}
	image_free(image);
	cgroup_close(&cgroup);
	return as.name ? status : EXIT_USAGE;
}
