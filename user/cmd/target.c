// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "target.h"

void target_read(const char *text, struct target *target)
{
	char *real = strchr(text, '/') ? realpath(text, NULL) : NULL;

	*target = (struct target){ .text = text, .cgroup = real ? cgroup_id(real) : 0 };
	if (strchr(text, '/'))
		snprintf(target->path, sizeof(target->path), "%s", real ? real : text);
	free(real);
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

__u32 target_find(const struct host *host, const char *text, struct fault *fault)
{
	struct target target;

	target_read(text, &target);
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++) {
		const struct sw_record *record = &host->records[slot];

		if (record->cgroup && !record->lingers && target_is(&target, record))
			return slot;
	}
	target_missing(text, fault);
	return 0;
}
