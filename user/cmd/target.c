// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "mem.h"
#include "target.h"

/* Without links, as far as it is there: what is gone had its last names below that. To be freed. */
static char *real_path(const char *text)
{
	size_t len = strlen(text);
	char *path, *real, *above, *slash;

	while (len > 1 && text[len - 1] == '/')
		len--;
	path = mem_strndup(text, len);
	real = realpath(path, NULL);
	slash = strrchr(path, '/');
	if (!real && (slash == path || !strcmp(path, ".")))
		return path;
	if (!real) {
		if (slash)
			*slash = '\0';
		above = real_path(slash ? path : ".");
		real = mem_printf("%s/%s", above, slash ? slash + 1 : path);
		free(above);
	}
	free(path);
	return real;
}

void target_read(const char *text, struct target *target)
{
	char *path = strchr(text, '/') ? real_path(text) : NULL;

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
