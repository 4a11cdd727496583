/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes over the sockets in the tables of network namespaces, one after the other. The kernel locks each socket there, so
 * it is done in a worker (worker.h). A namespace where a socket is held is passed over, and left out until that is let
 * go.
 */
#ifndef SW_SURVEY_H
#define SW_SURVEY_H

#include "census.h"
#include "host.h"
#include "worker.h"

struct survey {
	const struct host *host;
	const struct census_list *spaces;
	struct losses *losses; /* and whose shares */
	int not ;              /* a descriptor that no worker must have */
	void (*found)(void *data,
		      const void *found); /* called for each socket that is to be told of: struct sw_found */
	void *data;
	/* what came of it */
	__u64 missed;     /* namespaces that were passed over */
	struct fault why; /* of the first of them */
	__u64 held;       /* the processor in one go, at most: ns */
};

/* 0 or -errno. Needs CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN and CAP_SYS_PTRACE. */
int survey_spaces(struct survey *survey, struct fault *fault);

#endif
