/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Closing sockets: those that are idle, whose peer a new policy refuses, that are held outside their tenant, or that
 * listen although they may not.
 *
 * A pass takes a census of processes and network namespaces (census.h), looks at every descriptor of each process, at
 * every socket that something is kept on, and at the tables of each network namespace, and decides in the kernel
 * (bpf/pass.bpf.c). What it closes is refused to its tenant from then on. Then it is taken out of the kernel's tables
 * (take.h).
 *
 * Whoever is ended in the middle of a pass leaves nothing half done that the next pass does not finish.
 */
#ifndef SW_REAP_H
#define SW_REAP_H

#include "census.h"
#include "host.h"
#include "worker.h"

struct reap_options {
	bool dry;                       /* close nothing */
	__u64 idle;                     /* seconds, in place of what each policy says; SW_NO_LIMIT: as it says */
	__u64 tenancy;                  /* only its sockets; 0: everyone's */
	const struct sw_tenant *leaves; /* all of `tenancy` are closed: who it is when its storage says so no more */
};

/* What one pass leaves to the next. */
struct reaper {
	struct host *host; /* not owned */
	struct shares shares;
	struct losses losses;
};

/* `once`: for passes by hand. Stays where it is until it is closed. */
void reaper_open(struct reaper *reaper, struct host *host, bool once);
void reaper_close(struct reaper *reaper); /* does not wait for workers that were given up */

/* Of one pass; times in nanoseconds. */
struct reap_result {
	__u64 seen;   /* tenants' sockets that were looked at */
	__u64 found;  /* of these, closed by this pass or since the last one; or to be closed, if it was dry */
	__u64 taken;  /* taken out of the kernel's tables */
	__u64 stuck;  /* closed for their tenants, but not taken out: they are held, or no namespace was found, or they
			 went by themselves */
	__u64 spaces; /* network namespaces that had such sockets */
	__u64 missed; /* times that one was passed over */
	struct fault why; /* of the first of them */
	__u32 timeout;    /* the shortest idle-timeout of any tenant, seconds; 0: none has one */
	__u64 lasted;
	__u64 cpu;
	__u64 charged; /* of that, tenants who rest for it by themselves */
	__u64 longest; /* the processor was held in one go */
};

/*
 * One pass. `each` is called for every socket that it closes, or would close if it was not dry, and for those that were
 * closed since the last one by a hook; NULL: nobody wants to know. 0, or -errno; -ENOENT: the tenancy has ended. Waits
 * for no tenant. Needs CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN and CAP_SYS_PTRACE, and CAP_NET_ADMIN for netlink.
 */
int reap_pass(struct reaper *reaper, const struct reap_options *options,
	      void (*each)(const struct sw_found *found, void *data), void *data, struct reap_result *result,
	      struct fault *fault);

/* Whether a pass sees every socket that one before has seen; else it sees those that a process has a descriptor of, or
 * that are in the tables of a network namespace that a thread lives in, or that is mounted. */
bool reap_sees_all(const struct host *host);

#endif
