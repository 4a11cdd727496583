// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach_to.h"
#include "detach.h"
#include "hold.h"
#include "named.h"
#include "tenant_file.h"
#include "unit_cgroups.h"
#include "units.h"
#include "wanted.h"

static char *policy_of(const char *unit)
{
	char *policy = units_policy(unit);

	return policy ? policy : mem_strdup(DEFAULT_POLICY);
}

/* What a file of tenants.d has said of that cgroup (docs/tenants.md): it names the tenant, and is its policy. */
static void read_file(const char *path, char **name, char **policy)
{
	struct wanted_list wanted;
	struct fault ignored;

	wanted_all(&wanted, &ignored);
	for (size_t i = 0; i < wanted.of.n; i++) {
		const struct wanted *one = &wanted.of.v[i];

		if (strcmp(one->is.path, path) || !tenant_file_is(one->is.policy))
			continue;
		free(*name);
		*name = mem_strdup(one->name.text);
		*policy = mem_strdup(one->is.policy);
		break;
	}
	wanted_free(&wanted);
}

int attach_unit_at(struct cli *cli, const char *path)
{
	char *policy = units_policy(unit_of_cgroup(path)), *name = tenant_name_of(path);
	int status;

	if (!policy)
		read_file(path, &name, &policy);
	cli->given |= TAKES(REPLACE);
	status = attach_to(cli, path, name, policy ? policy : DEFAULT_POLICY);
	free(name);
	free(policy);
	return status;
}

/* A tenant has one policy, so that of a unit below it would be of no effect. */
static int check_inner(const char *unit, const char *outer, struct fault *fault)
{
	char *own = policy_of(unit), *policy = policy_of(outer);
	int err = strcmp(own, policy)
			  ? fault_set(fault, EINVAL,
				      "%s has policy %s, but lies in %s, which has %s: a tenant has one policy, so "
				      "take out one of the two lines Policy=",
				      unit, own, outer, policy)
			  : 0;

	free(policy);
	free(own);
	return err;
}

static int make_cgroup(const char *path, bool *made, struct fault *fault)
{
	int err = cgroup_id(path) ? -EEXIST : cgroup_make(path, 0755, fault);

	*made = !err;
	return err == -EEXIST ? 0 : err; /* another may make it as well */
}

/* It ends as one that was detached does: what sockets it left are held to its policy until they have ended. */
static void forget(struct host *host, const struct wanted *one)
{
	struct tenancy of = tenancy_named(host, one->name.text);
	struct fault ignored;

	if (of.number && !strcmp(tenancy_record(host, of)->path, one->is.path))
		tenancy_detach(host, of, &ignored);
	wanted_drop(host, one->name.text, &ignored);
}

/*
 * Units that have stopped need nobody to attach them again: they do when they start. There may be any number of names.
 * What files want stays wanted.
 */
static void forget_stopped(void)
{
	struct wanted_list wanted = { 0 };
	char outermost[SW_PATH_MAX];
	struct fault ignored;
	struct host host;

	if (host_open(&host, HOST_CHANGING, &ignored))
		return;
	wanted_read(&host, &wanted, &ignored);
	for (size_t i = 0; i < wanted.of.n; i++) {
		strcpy(outermost, wanted.of.v[i].is.path);
		if (!tenant_file_is(wanted.of.v[i].is.policy) && !cgroup_id(outermost) &&
		    unit_cgroup_outermost(outermost))
			forget(&host, &wanted.of.v[i]);
	}
	wanted_free(&wanted);
	host_close(&host);
}

int attach_unit(struct cli *cli, const char *unit)
{
	char path[SW_PATH_MAX];
	struct fault fault;
	bool made = false;
	int err = unit_cgroup(unit, path, &fault), status;

	if (!err && !unit_cgroup_outermost(path))
		err = fault_set(&fault, ENOENT, "%s is not enabled: 'sockwarden enable %s' does that", unit, unit);
	if (!err)
		err = check_inner(unit, unit_of_cgroup(path), &fault);
	if (!err)
		err = make_cgroup(path, &made, &fault);
	if (err)
		return fail("%s", fault.text);
	forget_stopped();
	status = attach_unit_at(cli, path);
	if (status && made)
		rmdir(path);
	return status;
}
