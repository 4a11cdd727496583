/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tables of descriptors there are, by a thread that has one, and which network namespaces: each once, with the
 * tenant whose it is; of each tenant in the order in which they have their turn (share.h).
 */
#ifndef SW_CENSUS_H
#define SW_CENSUS_H

#include "host.h"
#include "mem.h"
#include "share.h"

struct census_item {
	__u64 id;     /* a namespace's cookie, 0: not known; a table's address in the kernel, which is but compared */
	__u32 slot;   /* of the tenant, or 0: the host's, as is a namespace that any process of the host lives in */
	__u32 number; /* a namespace's inode in nsfs; of a table the id of a thread that has it */
	__u32 thread; /* of a namespace: one that lives in it, or 0 */
	char *mount;  /* of a namespace that no thread lives in: where it is mounted; owned, or NULL */
};

struct census_list {
	LIST(struct census_item) of;
};

struct census {
	struct census_list tables, spaces;
	bool partial; /* tables are left out of who may have sockets from outside, by its policy */
};

/*
 * Takes it, of the host and of all tenants that do not rest. 0, or -errno and nothing to free. Needs CAP_BPF and
 * CAP_PERFMON.
 */
int census_take(const struct host *host, struct shares *shares, struct census *census, struct fault *fault);
/* The tables of a tenant are left out, some or all. */
void census_leave_out(struct census *census, const struct host *host, __u32 slot);
void census_free(struct census *census);

/* A thread that lives in the namespace, or 0. */
__u32 census_thread(const struct census *census, __u64 cookie);

#endif
