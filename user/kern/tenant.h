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
#include "report.h"

/* NULL, or what is wrong with the name. */
const char *tenant_name_check(const char *name);

/* The slot, or 0 when there is no tenant of that name. */
__u32 tenant_find(const struct host *host, const char *name);

/*
 * The slot of a tenancy, or of the one a cgroup is under, or 0. Names are given to others, and so are slots: who has
 * let go of the lock goes by the tenancy.
 */
__u32 tenant_of_tenancy(const struct host *host, __u64 tenancy);
__u32 tenant_of_cgroup(const struct host *host, __u64 cgroup);

enum tenant_state tenant_state(const struct host *host, __u32 slot);

/* What a tenant is attached with. */
struct attachment {
	const char *name;
	struct published image;
	const char *policy; /* where it came from, for who compiles it again: a name, or an absolute path */
	__u64 limit;        /* of sw_counts.spent; SW_NO_LIMIT: no budget */
	bool wanted;        /* it is to be attached again when its cgroup is made anew, until someone detaches it */
	__u64 tenancy;      /* of host_next_serial(), for who must know it before; 0: tenant_attach() draws one */
};

/* Puts the cgroup under the image, in `slot`. Fails if it is, or is inside, or is around, a tenant. 0 or -errno. */
int tenant_attach(struct host *host, const struct cgroup *cgroup, const struct attachment *as, __u32 *slot,
		  struct fault *fault);

/* Another policy for a tenant that is attached: one store. */
int tenant_replace(struct host *host, __u32 slot, const struct attachment *as, struct fault *fault);

/* Another limit of sw_counts.spent, under the same policy. */
int tenant_limit(struct host *host, __u32 slot, __u64 limit, struct fault *fault);

/* Sees to it that sw_counts.spent and sw_record.unspent are together what the meter has, before a limit is set. */
int tenant_count(struct host *host, __u32 slot, struct fault *fault);

/*
 * Takes the policy off, whatever state the tenant is in. Its slot has then ended: the name is free, the meter stays
 * until tenant_release(). If the cgroup was removed, but not its last sockets, only the name is free: they are held to
 * the policy until they have ended.
 */
int tenant_detach(struct host *host, __u32 slot, struct fault *fault);

/* Ends a slot whose cgroup was removed, if its last socket is gone as well. */
int tenant_end(struct host *host, __u32 slot, struct fault *fault);

/* The same for all whose names were given away. */
void tenant_sweep(struct host *host);

/* True while the cgroup of the tenant was removed and still has sockets. */
bool tenant_lingers(const struct host *host, __u32 slot);

/* True from the end of a tenancy until its slot is released. */
static inline bool tenant_ended(const struct sw_record *record)
{
	return record->tenancy && !record->cgroup;
}

/* Gives a slot that has ended to whoever comes next. */
int tenant_release(struct host *host, __u32 slot, struct fault *fault);

/* Sums of all CPUs. A read that fails is an error, never a zero. */
int tenant_meter(const struct host *host, __u32 slot, struct sw_meter *out, struct fault *fault);

/* All of it; free with report_free(), also after an error. 0 or -errno. */
int tenant_report(const struct host *host, __u32 slot, struct report *report, struct fault *fault);

/*
 * The parts of tenant_report(), for who has read the meters and texts of all tenants: all but these, with the number of
 * the image in force, or 0; and what its rules decided, which have `n` texts.
 */
__u32 tenant_begin_report(const struct host *host, __u32 slot, struct report *report);
void tenant_rules(const struct host *host, __u32 slot, const struct sw_text *texts, size_t n, struct report *report);

/* tenant_detach(), and brings a report up to date that was read before, so that no packet is missing in it. */
int tenant_close(struct host *host, __u32 slot, struct report *report, struct fault *fault);

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
