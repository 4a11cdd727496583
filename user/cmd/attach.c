// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "names.h"
#include "report.h"

static void report_foreign(const struct foreign *foreign, void *data)
{
	(void)data;
	warn("warning: %s has a %s program of someone else, '%s' (id %u), that runs after ours and may undo a refusal",
	     foreign->cgroup, hook_name(foreign->hook), foreign->program, foreign->id);
}

static int attach_new(struct host *host, const char *name, const struct cgroup *cgroup, const struct published *image,
		      struct fault *fault)
{
	int err = tenant_foreign(host, cgroup, report_foreign, NULL, fault);

	return err ? err : tenant_attach(host, name, cgroup, image, fault);
}

static int attach(struct host *host, struct cli *cli, const char *name, const struct cgroup *cgroup,
		  const struct image *compiled, struct fault *fault)
{
	__u32 slot = tenant_find(host, name);
	struct published image;
	struct fault ignored;
	int err = publish(host, compiled, &image, fault);

	if (err)
		return err;
	if (!cli_has(cli, OPTION_REPLACE))
		err = attach_new(host, name, cgroup, &image, fault);
	else if (!slot)
		err = fault_set(fault, ENOENT, "no tenant is named %s, so there is nothing to replace", name);
	else if (strcmp(host->records[slot].path, cgroup->path))
		err = fault_set(fault, EINVAL, "tenant %s is %s, not %s", name, host->records[slot].path, cgroup->path);
	else
		err = tenant_replace(host, slot, &image, fault);
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
	err = report_read(host, tenant_find(host, name), &report, fault);
	if (!err)
		report_show(&report, cli, stdout);
	report_free(&report);
	return err;
}

int cmd_attach(struct cli *cli)
{
	const char *policy = cli->value[OPTION_POLICY] ? cli->value[OPTION_POLICY] : DEFAULT_POLICY;
	const char *name = cli->value[OPTION_TENANT], *wrong;
	struct cgroup cgroup;
	struct image *image;
	struct fault fault;
	struct host host;
	int err;

	if (cgroup_open(&cgroup, cli->args[0], &fault))
		return fail("%s", fault.text);
	if (!name)
		name = strrchr(cgroup.path, '/') + 1;
	wrong = tenant_name_check(name);
	if (wrong) {
		cgroup_close(&cgroup);
		return usage("'%s' cannot name a tenant: %s; choose another with --tenant", name, wrong);
	}
	image = cli_compile(policy, false);
	if (!image) {
		cgroup_close(&cgroup);
		return EXIT_FAILED;
	}
	err = host_open(&host, HOST_LOADING, &fault);
	if (!err) {
		err = attach(&host, cli, name, &cgroup, image, &fault);
		if (!err)
			err = show(&host, cli, name, &fault);
		host_close(&host);
	}
	image_free(image);
	cgroup_close(&cgroup);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
