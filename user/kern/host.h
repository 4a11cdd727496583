/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sockwarden's state on this host: programs and maps, loaded once and pinned, so that they outlive the
 * process that loaded them.
 *
 *   /sys/fs/bpf/sockwarden/            locked with flock() by whoever changes anything below
 *   /sys/fs/bpf/sockwarden/loading/    being filled; renamed to host/ when it is whole
 *   /sys/fs/bpf/sockwarden/host/       maps and programs
 *   /sys/fs/bpf/sockwarden/tenants/T/  the links that hold the programs on tenant T's cgroup
 */
#ifndef SW_HOST_H
#define SW_HOST_H

#include <stdbool.h>

#include "abi.h"
#include "fault.h"

#define SW_BPFFS "/sys/fs/bpf"
#define SW_PINS  SW_BPFFS "/sockwarden"

#define SW_MAPS(X)                                                                                                     \
	X(tenants)                                                                                                     \
	X(tries) X(spans) X(texts) X(settings) X(options) X(meters) X(counts) X(hits) X(events) X(records) X(host)

enum sw_map {
#define X(name) MAP_##name,
	SW_MAPS(X)
#undef X
		MAP_COUNT,
};

struct host {
	int lock;                           /* of SW_PINS; -1 when only reading */
	int map[MAP_COUNT];                 /* file descriptors, owned; -1 when not open */
	int prog[SW_HOOK_COUNT];            /* likewise */
	int cgroups;                        /* a directory of the cgroup v2 hierarchy; -1: none is mounted here */
	const struct sw_settings *settings; /* SW_IMAGES_MAX, as the kernel has them now */
	const struct sw_record *records;    /* SW_TENANTS_MAX */
	const struct sw_counts *counts;     /* SW_TENANTS_MAX */
};

enum host_for {
	HOST_READING,  /* fails with -ENOENT when nothing was ever loaded */
	HOST_CHANGING, /* takes the lock; otherwise the same */
	HOST_LOADING,  /* takes the lock, and loads the programs if they are not there */
};

/* 0, or -errno with the reason in `fault`. */
int host_open(struct host *host, enum host_for purpose, struct fault *fault);
void host_close(struct host *host);

/* What the programs know of a cgroup; 0 or -errno (-ENOENT: nothing was ever attached to it). */
int host_storage(const struct host *host, __u64 cgroup, struct sw_tenant *out);

/* The last serial given out, counted up. */
int host_next_serial(struct host *host, __u64 *serial, struct fault *fault);

#endif
