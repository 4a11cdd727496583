/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sockwarden's state on this host: programs and maps, loaded once and pinned, so that they outlive the
 * process that loaded them (pins.h). This is the handle on it, and what is done with it as a whole. The files beside
 * it:
 *
 *   pins.h     where things are pinned
 *   lock.c     who may change what is there, who books, who is told
 *   host_state.h  what the host knows beside its tenants
 *   loader.h   the BPF object, as the kernel takes it
 *   layout.h   whether the maps of another build can be used
 *   upgrade.h  how this build takes over from another
 */
#ifndef SW_HOST_H
#define SW_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "abi.h"
#include "fault.h"

#define SW_BPFFS "/sys/fs/bpf"
#define SW_PINS  SW_BPFFS "/sockwarden"

#define NEEDS_ROOT "this needs root, for it works on BPF programs: run it with sudo"

/* Name, and what becomes of it when another build takes over: enum map_kind of layout.h. */
#define SW_MAPS(X)                                                                                                     \
	X(tenants, CARRIED)                                                                                            \
	X(tries, IMAGE)                                                                                                \
	X(tables, IMAGE)                                                                                               \
	X(settings, IMAGE)                                                                                             \
	X(blocks, IMAGE)                                                                                               \
	X(hits, IMAGE)                                                                                                 \
	X(socks, OTHER)                                                                                                \
	X(contacts, OTHER)                                                                                             \
	X(meters, CARRIED)                                                                                             \
	X(counts, COPIED)                                                                                              \
	X(refused, OTHER)                                                                                              \
	X(events, OTHER)                                                                                               \
	X(records, CARRIED)                                                                                            \
	X(wanted, CARRIED)                                                                                             \
	X(owners, OTHER)                                                                                               \
	X(pass, OTHER)                                                                                                 \
	X(calls, OTHER)                                                                                                \
	X(host, CARRIED)                                                                                               \
	X(names, IMAGE)                                                                                                \
	X(patterns, OTHER)                                                                                             \
	X(grants, OTHER)                                                                                               \
	X(turns, OTHER)                                                                                                \
	X(heard, OTHER)                                                                                                \
	X(namings, OTHER)                                                                                              \
	X(questions, OTHER)                                                                                            \
	X(streams, OTHER)

enum sw_map {
#define X(name, kind) MAP_##name,
	SW_MAPS(X)
#undef X
		MAP_COUNT,
};

/* The iterators of bpf/pass.bpf.c and bpf/walk.bpf.c, and what each goes over. */
#define SW_WALKS(X)                                                                                                    \
	X(CENSUS, census, task)                                                                                        \
	X(STRAYS, strays, task_file)                                                                                   \
	X(SURVEY, survey, bpf_sk_storage_map)                                                                          \
	X(SURVEY_TCP, survey_tcp, tcp)                                                                                 \
	X(SURVEY_UDP, survey_udp, udp)                                                                                 \
	X(CALLED, called, task_file)                                                                                   \
	X(TAKE_TCP, take_tcp, tcp)                                                                                     \
	X(TAKE_UDP, take_udp, udp)

enum walk {
#define X(id, name, over) WALK_##id,
	SW_WALKS(X)
#undef X
		WALK_COUNT,
};

struct theirs;

struct host {
	int lock;                           /* of SW_PINS; -1 when it is not held */
	int booking;                        /* likewise of the right to book */
	int map[MAP_COUNT];                 /* file descriptors, owned; -1 when not open */
	int prog[SW_HOOK_COUNT];            /* likewise; -1 where the kernel has no such hook */
	int walk[WALK_COUNT];               /* likewise; -1 where the kernel does not allow it */
	int cgroups;                        /* a directory of the cgroup v2 hierarchy; -1: none is mounted here */
	const struct sw_settings *settings; /* SW_IMAGES_MAX, as the kernel has them now */
	const struct sw_record *records;    /* SW_TENANTS_MAX */
	const struct sw_counts *counts;     /* SW_TENANTS_MAX */
	const struct sw_block *blocks;      /* SW_TENANTS_MAX; NULL where they are of another layout, as are */
	const __u64 *hits;                  /* SW_HITS_MAX */
	const char *pins;                   /* the folder that all of it is pinned in; NULL: in none */
	struct theirs *theirs[MAP_COUNT];   /* what is of another layout, and still needed: values.h; owned */
	__u64 epoch;                        /* of the maps */
	bool settled;                       /* no program runs any more that has read a storage that is another now */
	__u32 program;                      /* id of the egress program: another one, another build */
	bool foreign; /* of another build: what is laid out otherwise is not open, or records and counts are copies as
		       * of when the lock was last taken */
};

enum host_for {
	HOST_READING,  /* fails with -ENOENT when nothing was ever loaded; what another build left is shown as far as it
			* can be read */
	HOST_USING,    /* the same, but for who needs all of it: takes over if another build's is of another layout */
	HOST_CHANGING, /* takes the lock; otherwise as reading */
	HOST_EXAMINING, /* takes the lock, and loads the programs if none are there */
	HOST_LOADING,   /* the same, and takes over from another build */
};

/*
 * 0, or -errno with the reason in `fault`. An upgrade that another process did not finish is finished first, whatever
 * the purpose.
 */
int host_open(struct host *host, enum host_for purpose, struct fault *fault);
void host_close(struct host *host);

/* The lock and nothing else, with no upgrade pending: for upgrade.h. host_close() it. */
int host_hold(struct host *host, struct fault *fault);

/* What the programs know of a cgroup; 0 or -errno (-ENOENT: nothing was ever attached to it). */
int host_storage(const struct host *host, __u64 cgroup, struct sw_tenant *out);

/* The last number given out; and that, counted up. */
int host_last_serial(const struct host *host, __u64 *serial, struct fault *fault);
int host_next_serial(struct host *host, __u64 *serial, struct fault *fault);

/*
 * The lock, for who opened without it and must change something, or see nothing change. Waits up to `ms`, then -EBUSY:
 * someone else holds it.
 */
#define HOST_PATIENCE 10000
int host_lock(struct host *host, unsigned ms, struct fault *fault);
void host_unlock(struct host *host);

/* 0 while the host's state is still the one that was opened; -ESTALE when another, or another build, took its place. */
int host_current(const struct host *host, struct fault *fault);

/*
 * For who sleeps until tenants or their policies change: a descriptor that is readable then, until it is read; or
 * -errno. host_announce() is what wakes it.
 */
int host_changes(struct fault *fault);
void host_announce(void);

/* Takes the right to book what is metered here, which one process at a time has. -EBUSY: another has it. */
int host_claim(struct host *host, struct fault *fault);
void host_disclaim(struct host *host);

/* True while a process has that right: then a daemon runs, and does what commands need not wait for. */
bool host_booked(void);

/*
 * Says for good which ledger books here. With the lock held. -EINVAL: another did before, and what that one has would
 * be booked again; unless `adopt` says that it may.
 */
int host_book(struct host *host, __u64 ledger, const char *path, bool adopt, struct fault *fault);

/* What has ended and is not booked has a place of its own among the tenants. 0 or -errno. */
int host_keep(const char *folder, __u64 tenancy, struct fault *fault); /* with the pins that are in it */
int host_let_go(__u64 tenancy, struct fault *fault);
const char *host_kept(char path[256], __u64 tenancy);

/* The path of the ledger that books here; empty when none does. Where one does, a slot that has ended is kept for it.
 */
int host_ledger(const struct host *host, char path[SW_PATH_MAX], struct fault *fault);
int host_ledger_id(const struct host *host, __u64 *id, struct fault *fault); /* 0 when none does */

/* Which of the host's name servers the policies in force have: sw_host.resolvers. Written with the lock held. */
int host_resolvers(const struct host *host, __u64 *hash, struct fault *fault);
int host_set_resolvers(struct host *host, __u64 hash, struct fault *fault);

/* The kernel shows who reaches for a unix socket (Linux 6.7). */
bool host_sees_unix(const struct host *host);

/* All closed: what host_close() leaves, and may be given. */
extern const struct host host_closed;

/* Returns when no program is running any more that was when it was called. With the lock held. */
int host_synchronize(struct host *host, struct fault *fault);

#endif
