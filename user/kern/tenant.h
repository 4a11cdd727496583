/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tenants: cgroups that are held to a policy.
 *
 * Attaching makes all links first; until one is pinned they end with the process, and the cgroup is as it
 * was. Egress is pinned first: from then on a cgroup whose storage is not filled sends nothing. Filling the
 * storage is the last step, a single store, and the tenant is fully under its policy. Detaching goes the
 * same way back: the storage is cleared, egress is unpinned last. So whoever is killed on the way leaves a
 * cgroup untouched, refused everything, or fully under policy; attach or detach of the same name tidies up.
 */
#ifndef SW_TENANT_H
#define SW_TENANT_H

#include "cgroup.h"
#include "host.h"
#include "publish.h"

enum tenant_state {
	TENANT_ENFORCED,
	TENANT_AUDITED,
	TENANT_INCOMPLETE, /* attach or detach was cut short: everything is refused */
	TENANT_GONE,       /* its cgroup was removed, and the programs with it; the counters are still here */
};

const char *tenant_state_name(enum tenant_state state);

/* NULL, or what is wrong with the name. */
const char *tenant_name_check(const char *name);

/* The slot, or 0 when there is no tenant of that name. */
__u32 tenant_find(const struct host *host, const char *name);

enum tenant_state tenant_state(const struct host *host, __u32 slot);

/* Puts the cgroup under the image. Fails if it is, or is inside, or is around, a tenant. 0 or -errno. */
int tenant_attach(struct host *host, const char *name, const struct cgroup *cgroup, const struct published *image,
		  struct fault *fault);

/* Another policy for a tenant that is attached: one store. */
int tenant_replace(struct host *host, __u32 slot, const struct published *image, struct fault *fault);

/* Takes the policy off, whatever state the tenant is in, and forgets its counters. */
int tenant_detach(struct host *host, const char *name, struct fault *fault);

/* Sums of all CPUs. A read that fails is an error, never a zero. */
int tenant_meter(const struct host *host, __u32 slot, struct sw_meter *out, struct fault *fault);

/* How often rule `rule` of image `serial` decided for the tenant. */
__u64 tenant_hits(const struct host *host, __u32 slot, __u32 rule, __u64 serial);

/* Programs of others on cgroups above, which run after ours and could undo a refusal. */
struct foreign {
	char cgroup[SW_PATH_MAX];
	char program[16]; /* BPF_OBJ_NAME_LEN */
	__u32 id;
	enum sw_hook hook;
};

/* Calls `report` for each. 0 or -errno. */
int tenant_foreign(const struct host *host, const struct cgroup *cgroup,
		   void (*report)(const struct foreign *foreign, void *data), void *data, struct fault *fault);

#endif
