// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "target.h"

void target_read(const char *text, struct target *target)
{
	char *path = strchr(text, '/') ? cgroup_real_path(text) : NULL;

	*target = (struct target){ .text = text, .cgroup = path ? cgroup_id(path) : 0 };
	snprintf(target->path, sizeof(target->path), "%s", path ? path : "");
	free(path);
}

bool target_is(const struct target *target, const struct sw_record *record)
{
	if (!*target->path)
		return !strcmp(record->name, target->text);
	return target->cgroup ? record->cgroup == target->cgroup : !strcmp(record->path, target->path);
}

int target_missing(const char *text, struct fault *fault)
{
	return fault_set(fault, ENOENT, "no tenant is %s %.300s: 'sockwarden status' lists them",
			 strchr(text, '/') ? "at" : "named", text);
}

struct tenancy target_find(const struct host *host, const char *text, struct fault *fault)
{
	struct target target;

	target_read(text, &target);
	for_each_slot_of(slot, host, SLOTS(ATTACHED))
		if (target_is(&target, &host->records[slot]))
			return tenancy_in(host, slot);
	target_missing(text, fault);
	return (struct tenancy){ 0 };
}
