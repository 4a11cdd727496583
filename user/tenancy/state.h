/* SPDX-License-Identifier: GPL-2.0-only */
/* How a tenancy that is attached fares, as its cgroup, its links and its storage say. */
#ifndef SW_STATE_H
#define SW_STATE_H

#include "report.h"
#include "slots.h"
#include "standing.h"

/* TENANT_ENFORCED to TENANT_GONE. What the programs know of it is in `storage`, all zeroes when that is nothing. What
 * `known` has of it is taken from there; NULL: the kernel is asked. */
enum tenant_state tenancy_read(const struct host *host, struct standings *known, struct tenancy of,
			       struct sw_tenant *storage);

enum tenant_state tenancy_state(const struct host *host, struct tenancy of);

/* What the programs know of it, for who changes that. 0, -ENOENT when it has ended, or -EINVAL when it is not whole. */
int tenancy_storage(const struct host *host, struct tenancy of, struct sw_tenant *storage, struct fault *fault);

/* Its cgroup is there, and all that holds it to its policy. False for no tenancy. */
bool tenancy_is_whole(const struct host *host, struct tenancy of);

/* True while its cgroup was removed and there still are sockets that were made in it. False for no tenancy. */
bool tenancy_outlives_cgroup(const struct host *host, struct tenancy of);

#endif
