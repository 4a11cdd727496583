// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "cgroup.h"
#include "health.h"
#include "state.h"

#define NAMES_SHOWN 3

/* ---- places that can be left --------------------------------------------------------------------------------- */

static void check_place(struct health *health, const struct sw_record *record)
{
	struct cgroup cgroup;
	struct fault why;

	if (cgroup_open(&cgroup, record->path, &why))
		return; /* it is gone, and that is said elsewhere */
	if (cgroup.id == record->cgroup && cgroup_keeps(&cgroup, &why))
		health_add(health, "cgroups", HEALTH_WRONG, "tenant %s: %s", record->name, why.text);
	cgroup_close(&cgroup);
}

static void check_places(struct health *health, const struct host *host)
{
	size_t wrong = health->wrong;

	for_each_slot_of(slot, host, SLOTS(ATTACHED))
		check_place(health, &host->records[slot]);
	if (wrong == health->wrong)
		health_add(health, "cgroups", HEALTH_OK,
			   "no tenant's processes can be taken out of its cgroup but by root");
}

/* ---- processes without the filter ------------------------------------------------------------------------------ */

/* Tenants whose policies ask for one. */
struct filtered {
	LIST(struct filtered_tenant {
		const char *name;
		const char *path;  /* below the root */
		size_t unfiltered; /* of its processes */
	})
	of;
};

static struct filtered list_filtered(const struct host *host)
{
	struct filtered filtered = { 0 };
	char root[SW_PATH_MAX];
	struct fault ignored;

	if (cgroup_root(root, &ignored))
		return filtered;
	for_each_slot_of(slot, host, SLOTS(ATTACHED)) {
		const struct sw_record *record = &host->records[slot];
		struct sw_tenant tenant;

		if (cgroup_is_below(record->path, root) &&
		    !tenancy_storage(host, tenancy_in(host, slot), &tenant, &ignored) &&
		    calls_filtered(&host->settings[tenant.image]))
			*list_add(&filtered.of) = (struct filtered_tenant){
				.name = record->name,
				.path = record->path + strlen(root),
			};
	}
	return filtered;
}

/* Whether it makes system calls that no filter sees. What a filter says cannot be seen. */
static bool is_unfiltered(int pid)
{
	char file[32], line[128], state = 'Z';
	int filters = 0;
	FILE *in;

	snprintf(file, sizeof(file), "/proc/%d/status", pid);
	in = fopen(file, "re");
	while (in && fgets(line, sizeof(line), in)) {
		sscanf(line, "State: %c", &state);
		sscanf(line, "Seccomp: %d", &filters);
	}
	if (in)
		fclose(in);
	return state != 'Z' && state != 'X' && !filters;
}

static void count_process(struct filtered *filtered, int pid)
{
	char *path = is_unfiltered(pid) ? cgroup_of(pid) : NULL;

	for (size_t i = 0; path && i < filtered->of.n; i++)
		filtered->of.v[i].unfiltered += cgroup_is_below(path, filtered->of.v[i].path);
	free(path);
}

/* Of the host, not of a tenant's cgroups, of which it may make as many as it likes. */
static void count_processes(struct filtered *filtered)
{
	DIR *processes = filtered->of.n ? opendir("/proc") : NULL;
	struct dirent *entry;

	while (processes && (entry = readdir(processes)))
		if (isdigit((unsigned char)*entry->d_name))
			count_process(filtered, atoi(entry->d_name));
	if (processes)
		closedir(processes);
}

/* The first few, to be freed. */
static char *name_some(const struct filtered *filtered)
{
	char *names = mem_strdup("");
	size_t n = 0;

	for (size_t i = 0; i < filtered->of.n && n <= NAMES_SHOWN; i++) {
		char *longer;

		if (!filtered->of.v[i].unfiltered)
			continue;
		longer = mem_printf("%s%s%s", names, n ? ", " : "", n == NAMES_SHOWN ? "..." : filtered->of.v[i].name);
		n++;
		free(names);
		names = longer;
	}
	return names;
}

static void check_calls(struct health *health, const struct host *host)
{
	struct filtered filtered = list_filtered(host);
	size_t n = 0;
	char *names;

	count_processes(&filtered);
	for (size_t i = 0; i < filtered.of.n; i++)
		n += filtered.of.v[i].unfiltered;
	names = name_some(&filtered);
	if (n)
		health_add(health, "calls", HEALTH_LOOK,
			   "%zu process%s without the filter of system calls that the policy asks for, of %s: add to "
			   "the tenant's units what 'sockwarden policy unit POLICY' prints",
			   n, n == 1 ? "" : "es", names);
	else
		health_add(health, "calls", HEALTH_OK,
			   "all processes of tenants have the filter of system calls that their policies ask for");
	free(names);
	free(filtered.of.v);
}

/* A policy that allows but some is not attached there. */
static void check_unix(struct health *health, const struct host *host)
{
	__u32 image = 1;

	while (image < SW_IMAGES_MAX && !(*host->settings[image].policy && host->settings[image].unix_says))
		image++;
	if (image == SW_IMAGES_MAX)
		return;
	if (host_sees_unix(host))
		health_add(health, "unix", HEALTH_OK, "unix sockets that policies do not allow are refused");
	else
		health_add(health, "unix", HEALTH_LOOK,
			   "the kernel does not show who connects to a unix socket (Linux before 6.7): those that the "
			   "policy %s denies are not refused",
			   host->settings[image].policy);
}

void health_outside(const struct host *host, struct health *health)
{
	check_places(health, host);
	check_calls(health, host);
	check_unix(health, host);
}
