/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that may be lost. A tenant can hold up for ever whoever goes where its sockets are: it calls send() from
 * memory that a file system of its own does not deliver, and the socket stays locked in the kernel. So that is done in
 * a process beside us that holds nothing which anyone waits for. When it does not get on it is given up: it ends when
 * the tenant lets go, or ends itself.
 */
#ifndef SW_WORKER_H
#define SW_WORKER_H

#include <stdbool.h>

#include "abi.h"
#include "fault.h"
#include "mem.h"
#include "share.h"

/* What a worker says. */
struct saying {
	enum {
		SAID_FOUND, /* `found` */
		SAID_TAKEN, /* `n` sockets were taken out of the kernel's tables, all before the one numbered `at` are done */
		SAID_GOES,   /* to the namespace numbered `at` */
		SAID_WALKED, /* that one was gone through, which took it `cpu`, and `held` in one go */
		SAID_LEFT,   /* there is no time for the namespace numbered `at`, nor for others of that tenant */
		SAID_MISSED, /* a namespace was passed over: `why` */
	} what;
	__u32 at;
	__u32 n;
	__u64 cpu;  /* processor time, ns */
	__u64 held; /* the processor in one go, at most: ns */
	union {
		struct sw_found found;
		char why[sizeof(struct sw_found)];
	};
};

struct worker {
	int pid;        /* 0: none */
	int says;       /* a pipe; owned */
	__s64 heard;    /* when it last said something, ms of the monotonic clock */
	__s64 seen;     /* when it was last looked at without a word, likewise */
	__s64 stood;    /* ms that it was not ready to run at such looks, in all */
	__u32 said;     /* times that it said something */
	__s64 patience; /* ms that it may stand, and 1 more for each word */
	__u64 charged;  /* ns of its processor time that tenants have been charged with */
};

/*
 * One that was given up. Who held it is left alone while it has not ended, and for a time after that: a wait that a
 * signal ends would otherwise begin anew in each pass, and others would wait as long. It is remembered for longer.
 */
struct lost {
	int pid;       /* 0: it has ended */
	__u32 slot;    /* the tenant that is to blame, or 0: it is not known */
	__u64 socket;  /* cookie of the one it is held at, or 0: it was merely slow to end */
	__u32 netns;   /* likewise inode of a network namespace that it went through */
	__s64 since;   /* ms since 1970 */
	__s64 until;   /* ms of the monotonic clock: the end of that time */
	__u64 charged; /* as of the worker; the rest is charged to `slot` when it has ended */
	bool told;     /* for who gave it up */
};

struct losses {
	LIST(struct lost) of;
	__u64 cpu; /* processor time of workers, ns: what tenants were charged with, and all when a worker has ended */
	struct shares *shares; /* of whom they were for; not owned; NULL: nobody is charged */
};

/* Milliseconds that a worker may stand: the first time, and where one was given up lately. */
#define WORKER_PATIENCE       500
#define WORKER_PATIENCE_AGAIN 100

/*
 * Runs `job` in a process of its own, which has a copy of all that we have but the standard streams and the descriptor
 * `not` (-1: none), and which ends with us. 0 or -errno.
 */
int worker_start(struct worker *worker, void (*job)(int out, void *data), void *data, int not, struct fault *fault);

/* For the job. */
void worker_say(int out, const struct saying *saying);
void worker_say_missed(int out, const struct fault *why);

/* What it says next; false when that is nothing more, ever. Waits for it. */
bool worker_hear(struct worker *worker, struct saying *saying);

/*
 * For who has nothing to hear from it just now. Whether it is to be given up: it has waited too long for things that
 * are not a processor, in all, for a tenant may let it go on a step at a time; or has said nothing for very long.
 */
bool worker_is_held(struct worker *worker);

/* `ns` of its processor time were for the tenant. */
void worker_charge(struct worker *worker, struct losses *losses, __u32 slot, enum share_of of, __u64 ns);

/* It has said all, or is given up: `at` what. Its slot is that of who is charged, then and else. */
void worker_leave(struct worker *worker, struct losses *losses, bool given_up, const struct lost *at);

/* Sees which have ended meanwhile, and forgets what is long ago. */
void losses_check(struct losses *losses);
/* Whoever held it is left alone. */
bool lost_is_held(const struct lost *lost);
bool losses_has_socket(const struct losses *losses, __u64 cookie);
bool losses_has_netns(const struct losses *losses, __u32 inode);
/* The tenant holds as many as it may: it has no more of them, which would only be held as well, until one comes back. */
bool losses_are_full(const struct losses *losses, __u32 slot);
/* For a worker that goes where this tenant (0: it is not known which) or namespace (0: of any) may hold it. */
__s64 losses_patience(const struct losses *losses, __u32 slot, __u32 netns);

#endif
