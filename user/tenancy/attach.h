/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching a tenant, and giving it another policy: its limit is found, the image is put into the kernel, and the
 * cgroup is held to both. With the host's lock held. Images that nobody has any more are for publish_tidy().
 */
#ifndef SW_ATTACH_H
#define SW_ATTACH_H

#include "hold.h"

/* Fails if the cgroup is, or is inside, or is around, a tenant's. 0 or -errno, and nothing is left behind. */
int tenancy_attach(struct host *host, const struct cgroup *cgroup, const struct attachment *as, struct tenancy *out,
		   struct fault *fault);

/* The policy and the image of `as`, for one that is attached. 0, or -errno and it keeps the policy it has. */
int tenancy_replace(struct host *host, struct tenancy of, const struct attachment *as, struct fault *fault);

/* Another than root may take processes out of the cgroup: that is said, and the tenant attached all the same, for without
 * its policy it would be worse off. */
void tenancy_warn_of_place(const char *name, const struct cgroup *cgroup,
			   void (*warn)(const char *format, ...) __attribute__((format(printf, 1, 2))));

#endif
