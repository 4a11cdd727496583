/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs of others on cgroups above a tenant's, which run after ours and could undo a refusal. */
#ifndef SW_FOREIGN_H
#define SW_FOREIGN_H

#include "cgroup.h"
#include "host.h"

struct foreign {
	char cgroup[SW_PATH_MAX];
	char program[16]; /* BPF_OBJ_NAME_LEN */
	__u32 id;
	enum sw_hook hook;
};

/* Calls `each` for every one of them. 0 or -errno. */
int foreign_find(const struct host *host, const struct cgroup *cgroup,
		 void (*each)(const struct foreign *foreign, void *data), void *data, struct fault *fault);

#endif
