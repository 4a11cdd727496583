// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "cgroup.h"
#include "health.h"
#include "state.h"
#include "unit_cgroups.h"

struct look {
	const struct host *host;
	struct health *health;
	size_t right;
};

static void look_at(const char *path, void *data)
{
	struct look *look = data;
	struct tenancy of = tenancy_of_cgroup(look->host, cgroup_id(path));

	if (of.number && tenancy_is_whole(look->host, of))
		look->right++;
	else
		health_add(look->health, "units", HEALTH_WRONG,
			   "%s is enabled, and is there without its policy: 'sockwarden attach --unit %s' attaches it",
			   path, unit_of_cgroup(path));
}

void health_units(const struct host *host, struct health *health)
{
	struct look look = { host, health, 0 };
	size_t before = health->wrong;
	struct fault ignored;

	unit_cgroups_each(look_at, &look, &ignored);
	if (look.right && health->wrong == before)
		health_add(health, "units", HEALTH_OK, "%zu that 'enable' was told of, all under their policies",
			   look.right);
}
