/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: a SQLite file of interval rows, one for each tenant and kind of billing that had traffic between two
 * ticks. Rows are only ever added, or pruned: then their sums by day stay. What a tenancy was booked for so far is kept beside them in the same transaction,
 * so that the ledger alone says what is still to be booked: whoever is killed, at whatever moment, books the rest
 * next time, and nothing twice.
 *
 *   kernel's counters - booked so far (ledger) = what this tick books
 *
 * One daemon writes, which holds a lock on PATH-lock; any number of readers. The file is a rollback journal's
 * (journal_mode=DELETE) with synchronous=EXTRA: a tick that ledger_book() reports is on disk, through a power cut.
 */
#ifndef SW_LEDGER_H
#define SW_LEDGER_H

#include "abi.h"
#include "fault.h"
#include "usage.h"

#define SW_LEDGER "/var/lib/sockwarden/ledger.db"

struct ledger;

enum ledger_for {
	LEDGER_READING, /* fails with -ENOENT when there is none, or it is empty */
	LEDGER_BOOKING, /* makes it, and its folder's last part, if there is none */
	LEDGER_PRUNING, /* fails as for reading; a daemon may book meanwhile */
};

/*
 * 0, or -errno: -EREMOTE it is on a network file system, -ESTALE another version wrote it, -EINVAL it is no ledger,
 * -EBUSY, -ENOENT, -EACCES, -EIO.
 */
int ledger_open(struct ledger **ledger, const char *path, enum ledger_for purpose, struct fault *fault);

/*
 * For booking, the ledger whose identity is `id`, and no other: nothing is made or written before it is found to be
 * there. -ENOENT: it is not; -EINVAL: something else is in its place; or as above. `*ledger` is set also then: each use
 * of it tries again.
 */
int ledger_resume(struct ledger **ledger, const char *path, __u64 id, struct fault *fault);

void ledger_close(struct ledger *ledger); /* NULL is fine */

/* Drawn when it was made: what tells it from every other, and not from a copy of itself. Never 0. */
__u64 ledger_id(const struct ledger *ledger);

/* Whose counters these are. */
struct ledger_source {
	char host[SW_NAME_MAX]; /* machine id */
	char boot[40];          /* boot id */
	__u64 epoch;            /* of the maps */
};

/* The machine id in a file. 0, or -errno when it cannot be read, or is none: -EINVAL. */
int ledger_host_read(const char *path, char host[SW_NAME_MAX], struct fault *fault);

/* This host and this boot, with the epoch of its maps. 0 or -errno. */
int ledger_source_here(__u64 epoch, struct ledger_source *out, struct fault *fault);

/* A tenancy as the kernel has it at a tick. */
struct ledger_item {
	const char *tenant;    /* its name */
	__u64 tenancy;         /* unique in the epoch; a name attached anew has another */
	__s64 since;           /* of the attach, seconds since 1970 */
	const char *policy;    /* name */
	__u8 hash[32];         /* of its image */
	struct sw_meter meter; /* since the tenancy began */
};

struct ledger_tick {
	struct ledger_source source;
	__s64 now;    /* CLOCK_REALTIME, milliseconds */
	__s64 uptime; /* CLOCK_BOOTTIME, milliseconds: how long an interval was, whatever was done to the clock */
	const struct ledger_item *items;
	size_t n;
};

struct ledger_booked {
	__u64 rows;     /* 0: nobody had traffic, and nothing was written */
	__u64 sequence; /* of the last row */
};

/*
 * Books what each tenancy's meter counted since it was booked last, in one transaction. 0: it is on disk. Otherwise
 * -EBUSY someone has the ledger locked, -ENOSPC, -EIO, -ERANGE a meter went backwards (the line names the tenant), or
 * what ledger_open() may return, for after a failure the file is opened anew. The caller tries again at the next tick,
 * with all items, and nothing is lost: what is in the file then, even if this tick could not tell, is not booked twice.
 * Nor is anything written to, or made in the place of, a ledger that was taken away, replaced or emptied meanwhile.
 */
int ledger_book(struct ledger *ledger, const struct ledger_tick *tick, struct ledger_booked *out, struct fault *fault);

/*
 * Before anything was booked in `boot`: the end of the host's last interval of an earlier one. What was sent
 * between it and the reboot is in no ledger. Milliseconds since 1970, 0 when there is none, or -errno.
 */
__s64 ledger_lost_since(struct ledger *ledger, const char *host, const char *boot);

/* The end of the row that was booked last, milliseconds since 1970, 0 when there is none. 0 or -errno. */
int ledger_last(struct ledger *ledger, __s64 *ms, struct fault *fault);

/* Which rows: those that begin in [from, to). */
struct ledger_query {
	const char *tenant; /* NULL: all */
	__s64 from, to;     /* seconds since 1970; 0 and INT64_MAX: all */
	int by;             /* enum calendar_unit, or -1: one period for all */
};

/*
 * 0 or -errno; -ENODATA: of a day that is cut, or asked for by hour, only the sum is kept. Free `out->rows.v`. With by -1 the
 * period is from the first row's start to the last one's end.
 */
int ledger_usage(struct ledger *ledger, const struct ledger_query *query, struct usages *out, struct fault *fault);

/* Each booked row, oldest first. -ENODATA: some were pruned; those that are left may have been given then. */
int ledger_intervals(struct ledger *ledger, const struct ledger_query *query,
		     void (*each)(const struct interval *interval, void *data), void *data, struct fault *fault);

/* Billable bytes out of a tenant, by name, in the day or month that `now` (seconds) is in. */
int ledger_spent(struct ledger *ledger, const char *tenant, enum sw_period period, __s64 now, __u64 *bytes,
		 struct fault *fault);

/* Billable bytes out that were booked of a tenancy; 0 when it is not in the ledger. 0 or -errno. */
int ledger_booked(struct ledger *ledger, __u64 epoch, __u64 tenancy, __u64 *bytes, struct fault *fault);

/*
 * What is asked between these two is asked of one state of the ledger, which is locked once, and the sums of all
 * tenants are read at once when many are asked for. Nobody can book meanwhile: it is for the one who does, and not for
 * long. ledger_end() after a failure is fine.
 */
int ledger_begin(struct ledger *ledger, struct fault *fault);
void ledger_end(struct ledger *ledger);

/* Whose limit is asked for. All are billable bytes out. */
struct ledger_tenancy {
	const char *tenant; /* its name */
	__u64 booked;       /* of this tenancy, in all */
	__u64 unspent;      /* of sw_record: those that sw_counts.spent lacks */
	__u64 pending;      /* of other tenancies of the name, that were not booked yet */
};

/*
 * What sw_counts.spent of a tenancy may grow to: its policy's budget, less what was booked of the tenant in the day or
 * month that `now` (seconds) is in, on the scale of that counter. `booked` is of the same state of the ledger, so that
 * it does not matter what is sent meanwhile.
 */
int ledger_limit(struct ledger *ledger, const struct ledger_tenancy *of, const struct sw_settings *settings, __s64 now,
		 __u64 *limit, struct fault *fault);

struct ledger_checked {
	__u64 rows, days;
	__u64 pruned; /* of the days: of so many only sums are there, */
	__s64 before; /* all of them before this one (since 1970) */
	size_t findings;
	bool summed; /* pages have checksums, which were compared */
};

/*
 * Reads all of it, in short turns: SQLite's own check, checksums, every row's figures within range, no row twice, the
 * sums beside the rows equal to the rows, sequence numbers without a gap, the boot clock in order. `found`, which may
 * be NULL, gets a line for each thing that is wrong, up to ten of a kind. 0; -EINVAL when there was one, with the first
 * line; or another -errno when it could not be read.
 */
int ledger_check(struct ledger *ledger, void (*found)(const char *line, void *data), void *data,
		 struct ledger_checked *out, struct fault *fault);

/* Of what is asked for, that is days before a time. */
struct ledger_pruned {
	__u64 rows, days;
	__u64 size, after; /* bytes of the file, before and now */
	__u64 free;        /* bytes in it that are used again, and could not be given back */
};

/*
 * Takes out the rows that begin before `day` (since 1970), and keeps their sums. First all of these days are read, and
 * if one's rows do not add up to its sums nothing is changed: -EINVAL, with a line that names it. Then day by day: the
 * sums are set apart in one transaction, which is made only if that gives the same sums as before; then the rows go,
 * in short turns. Who stops it at any moment leaves a ledger that is right, and the next one goes on. Only counts if
 * `dry_run`. 0 or -errno; `out` has what was done, after a failure too.
 */
int ledger_prune(struct ledger *ledger, __s64 day, bool dry_run, struct ledger_pruned *out, struct fault *fault);

#endif
