/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Closing sockets: those that are idle, whose peer a new policy refuses, that are held outside their tenant, or that
 * listen although they may not.
 *
 * A pass looks at every descriptor of every process, at every socket that something is kept on, and at the tables of
 * every network namespace, and decides in the kernel (bpf/pass.bpf.c). What it closes is refused to its tenant from then on. Then it is
 * taken out of the kernel's tables, in each namespace that has such a socket: by bpf_sock_destroy() in an iterator, or
 * before Linux 6.5 by SOCK_DESTROY over netlink, one socket at a time.
 *
 * Whoever is ended in the middle of a pass leaves nothing half done that the next pass does not finish.
 */
#ifndef SW_REAP_H
#define SW_REAP_H

#include "host.h"
#include "report.h"

struct reap_options {
	bool dry;      /* close nothing */
	__u64 idle;    /* seconds, in place of what each policy says; SW_NO_LIMIT: as it says */
	__u64 tenancy; /* only its sockets; 0: everyone's */
};

/* Of one pass; times in nanoseconds. */
struct reap_result {
	__u64 seen;   /* tenants' sockets that were looked at */
	__u64 found;  /* of these, closed by this pass or since the last one; or to be closed, if it was dry */
	__u64 taken;  /* taken out of the kernel's tables */
	__u64 stuck;  /* closed for their tenants, but not taken out: no namespace was found, or they went by themselves
		       */
	__u64 spaces; /* network namespaces that had such sockets */
	__u64 missed; /* times that a network namespace which was found was passed over */
	struct fault why; /* of the first of them */
	__u32 timeout;    /* the shortest idle-timeout of any tenant, seconds; 0: none has one */
	__u64 lasted;
	__u64 cpu;
	__u64 longest; /* the processor was held in one go */
};

/*
 * One pass. `each` is called for every socket that it closes, or would close if it was not dry, and for those that were
 * closed since the last one by a hook. 0, or -errno; -ENOENT: the tenancy has ended; -ENOTRECOVERABLE: the thread is
 * lost in another network namespace, and must not go on. Needs CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN and CAP_SYS_PTRACE,
 * and CAP_NET_ADMIN for netlink.
 */
int reap_pass(struct host *host, const struct reap_options *options,
	      void (*each)(const struct sw_found *found, void *data), void *data, struct reap_result *result,
	      struct fault *fault);

/* Whether a pass sees every socket that one before has seen; else it sees those that a process has a descriptor of, or
 * that are in the tables of a network namespace that a thread lives in, or that is mounted. */
bool reap_sees_all(const struct host *host);

/* What this host closes sockets by. */
enum closing_by reap_by(const struct host *host);

#endif
