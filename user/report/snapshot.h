/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the daemon answers on its socket: how it is, and a report of every tenant. The exporter and an unprivileged
 * `status` read it. Host byte order; both ends are of one build, which the head proves.
 */
#ifndef SW_SNAPSHOT_H
#define SW_SNAPSHOT_H

#include <stdio.h>

#include "report.h"

#define SW_SOCKET "/run/sockwarden/daemon.sock"

/* As in report.h: these are sent as they are. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* A tenant that holds sockets of its own locked in the kernel, so that they cannot be taken out. */
struct held_note {
	__s64 since; /* the first of them, milliseconds since 1970 */
	__u64 sockets;
	char tenant[SW_NAME_MAX]; /* "": it is not known which, of those that a network namespace is closed for so */
};

#define SW_HELD_NOTES 16

/* The process that closes sockets. Of the last pass that did not fail, if nothing else is said. */
struct reaper_state {
	__s64 began;      /* when the one under way began, milliseconds of the boot clock; 0: none is */
	__s64 passed;     /* when it ended, milliseconds since 1970; 0: none yet */
	__u64 passes;     /* since the daemon started; so are the next three */
	__u64 errors;     /* passes that failed */
	__u64 missed;     /* times that a pass could not go to a network namespace */
	__u64 cpu_ns;     /* processor time */
	__u64 longest_ns; /* in one go, before the processor was given back; the worst of all passes */
	__u64 seen;       /* sockets it looked at */
	__u64 stuck; /* sockets that are closed for their tenants, and could not be taken out of the kernel's tables */
	__u64 n_held;
	struct held_note held[SW_HELD_NOTES]; /* the first so many tenants */
};

/* Times are milliseconds since 1970. Counters are since the daemon started. */
struct daemon_state {
	__s64 started;
	__s64 ticked;    /* end of the last interval that was booked; 0: none yet */
	__u64 ticks;     /* intervals booked */
	__u64 rows;      /* rows booked */
	__u64 postponed; /* ticks that could not be booked, and were made up for by a later one */
	__u64 reloads;   /* of policies */
	__u64 reload_errors;
	__u64 events;      /* denials read from the kernel's ring */
	__u64 tick_cpu_ns; /* processor time of all ticks */
	__u64 ledger_size; /* bytes of the ledger's file */
	__u64 waiting;     /* slots that have ended and are not booked yet */
	__u64 pid;         /* its process */
	__s64 published;   /* when the list was that the set google is made of; 0: not known */
	__u32 interval;    /* seconds between ticks */
	__u32 booking;     /* 1: the last tick was booked */
	struct reaper_state reaper;
};

#pragma GCC diagnostic pop

struct snapshot {
	struct daemon_state daemon;
	struct reports reports;
};

/*
 * A head, the structs themselves, byte for byte, and of each list first how many it has. Words that are zero are left out, so that
 * thousands of tenants are few MB. `out` keeps an error in writing.
 */
void snapshot_write(const struct snapshot *snapshot, FILE *out);

/* 0, or -EBADMSG and nothing to free: of another build, cut short, or garbled. Takes some 150 bytes of memory at most
 * for each that came, whatever they say. */
int snapshot_read(const void *data, size_t len, struct snapshot *out, struct fault *fault);
void snapshot_free(struct snapshot *snapshot);

#define SNAPSHOT_HEAD 72 /* bytes of the head: of all that is before the daemon's state */

#endif
