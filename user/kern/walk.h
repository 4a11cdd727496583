/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the iterators of bpf/pass.bpf.c and bpf/walk.bpf.c. */
#ifndef SW_WALK_H
#define SW_WALK_H

#include "host.h"

struct walking {
	enum walk walk;
	__u32 process; /* only what its threads have, each table of theirs once; 0: likewise */
	__u32 thread;  /* only what this one has; 0: it does not matter */
	size_t size;   /* of a record: bytes, of which `each` is handed one after the other */
	void (*each)(void *data, const void *record); /* NULL: nobody wants them */
	void *data;
	__u64 *held; /* the processor in one go, ns: raised to that; NULL: not asked for */
};

/* 0 or -errno. Needs CAP_BPF and CAP_PERFMON. */
int walk(const struct host *host, const struct walking *walking, struct fault *fault);

#endif
