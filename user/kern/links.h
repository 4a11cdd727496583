/* SPDX-License-Identifier: GPL-2.0-only */
/* The links that hold the programs on a tenant's cgroup, and the folder of bpffs where they are pinned. */
#ifndef SW_LINKS_H
#define SW_LINKS_H

#include <linux/bpf.h>

#include "cgroup.h"
#include "host.h"

enum bpf_attach_type hook_attach_type(enum sw_hook hook);

/*
 * Makes all links, then pins them, egress first: until one is pinned they end with the process. 0 or -errno; then some
 * may be pinned, for links_unpin().
 */
int links_pin(const struct host *host, const struct cgroup *cgroup, const struct sw_record *record,
	      struct fault *fault);

/* Egress goes last, as it came first. No link that is not there is missed. 0 or -errno. */
int links_unpin(const struct host *host, const struct sw_record *record, struct fault *fault);

/* Where they are pinned. */
const char *links_folder(char path[256], const struct sw_record *record);

/* False when someone removed some by hand. */
bool links_whole(const struct host *host, const struct sw_record *record);

/* The tenant's empty folder goes, or waits under the tenancy's number until that is booked. 0 or -errno. */
int links_end(const struct sw_record *record, bool waits, struct fault *fault);

/* The folder, links and all, goes from the tenant's name to the tenancy's number. 0 or -errno. */
int links_let_linger(const struct sw_record *record, struct fault *fault);

#endif
