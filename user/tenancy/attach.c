// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "attach.h"
#include "budget.h"

/* What the image means for that tenant: the image is then in the kernel, where publish_tidy() finds it if nobody takes
 * it. */
static int find_terms(struct host *host, const char *name, struct tenancy of, const struct attachment *as,
		      struct terms *terms, struct fault *fault)
{
	int err = budget_limit(host, NULL, name, of, &as->image->settings, &terms->limit, fault);

	if (err)
		return err;
	return as->ready ? publish_many(host, as->ready, 1, &terms->image, fault)
			 : publish(host, as->image, &terms->image, fault);
}

int tenancy_attach(struct host *host, const struct cgroup *cgroup, const struct attachment *as, struct tenancy *out,
		   struct fault *fault)
{
	struct terms terms;
	int err = find_terms(host, as->name, (struct tenancy){ 0 }, as, &terms, fault);

	return err ? err : tenancy_hold(host, cgroup, as, &terms, out, fault);
}

int tenancy_replace(struct host *host, struct tenancy of, const struct attachment *as, struct fault *fault)
{
	struct terms terms;
	int err = find_terms(host, tenancy_record(host, of)->name, of, as, &terms, fault);

	return err ? err : tenancy_move(host, of, &terms, as->policy, fault);
}

void tenancy_warn_of_place(const char *name, const struct cgroup *cgroup, void (*warn)(const char *format, ...))
{
	struct fault why;

	if (cgroup_keeps(cgroup, &why) == -EPERM)
		warn("tenant %s: %s", name, why.text);
}
