/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes sockets that are closed out of the kernel's tables, in workers (worker.h): one for each tenant, some at the
 * same time. One that its tenant holds is given up, with what else there is of that tenant; the next time it is left
 * out until the tenant lets go.
 */
#ifndef SW_TAKE_H
#define SW_TAKE_H

#include "census.h"
#include "host.h"
#include "report.h"
#include "worker.h"

struct found_list {
	LIST(struct sw_found) of;
};

/* Of one tenant: sockets that were found, or processes that have some. */
struct take_group {
	__u32 slot;
	const struct sw_found *found;
	size_t n;
	const __u32 *processes; /* ids: sw_call.process */
	size_t n_processes;
};

struct take {
	const struct host *host;
	const struct census *census; /* where namespaces may be; NULL: nobody has looked */
	struct losses *losses;
	__u64 share; /* ns of the processor that a worker may take for each of what it does; the rest is left */
	int not ;    /* a descriptor that no worker must have; -1: there is none */
	__u64 turn;  /* take()'s own: where each tenant's sockets are begun with */
	/* what came of it */
	__u64 found; /* sockets that groups of processes had */
	__u64 taken;
	__u64 missed;     /* times that a network namespace which was found was passed over */
	struct fault why; /* of the first of them */
};

void take(struct take *take, const struct take_group *groups, size_t n);

/* What sockets are taken out by here. */
enum closing_by take_by(const struct host *host);

#endif
