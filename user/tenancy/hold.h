/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holding a cgroup to a policy that is in the kernel already.
 *
 * All links are made first; until one is pinned they end with the process, and the cgroup is as it was. Egress is
 * pinned first: from then on a cgroup whose storage is not filled sends nothing. Filling the storage is the last step,
 * a single store, and the tenant is fully under its policy. Detaching goes the same way back: the storage is cleared,
 * egress is unpinned last. So whoever is killed on the way leaves a cgroup untouched, refused everything, or fully
 * under policy; attach or detach of the same name tidies up.
 *
 * All of it with the host's lock held.
 */
#ifndef SW_HOLD_H
#define SW_HOLD_H

#include "cgroup.h"
#include "publish.h"
#include "slots.h"

/* NULL, or what is wrong with the name. */
const char *tenant_name_check(const char *name);

/* What the tenant of a directory is named, if nobody says otherwise: as the directory, or the unit of systemd whose
 * that is. To be freed; it may be no name for a tenant. */
char *tenant_name_of(const char *path);

/* What a new tenancy is to be; all of it is borrowed. */
struct attachment {
	const char *name;
	const char *policy;        /* where it came from, for who compiles it again: a name, or an absolute path */
	const struct image *image; /* that policy, compiled */
	struct publishing *ready;  /* the same, if it was prepared before the lock was taken; or NULL */
	bool wanted;               /* it is to be attached again when its cgroup is made anew, until it is detached */
	__u64 number;              /* of host_next_serial(), for who must know the tenancy's before; 0: one is drawn */
};

/* What a tenant is held to. */
struct terms {
	struct published image;
	__u64 limit; /* of sw_counts.spent; SW_NO_LIMIT: no budget */
};

/*
 * A step of tenancy_attach(), for who has the terms already: puts the cgroup under them, and leaves `as->image` alone.
 * Fails if the cgroup is, or is inside, or is around, a tenant's. 0 or -errno, and nothing is left behind.
 */
int tenancy_hold(struct host *host, const struct cgroup *cgroup, const struct attachment *as, const struct terms *terms,
		 struct tenancy *out, struct fault *fault);

/* A step of tenancy_replace(), likewise: other terms, in one store. 0 or -errno. */
int tenancy_move(struct host *host, struct tenancy of, const struct terms *terms, const char *policy,
		 struct fault *fault);

/* What is in force for it is that image already. */
bool tenancy_has_image(const struct host *host, struct tenancy of, const struct image *image);

#endif
