/* SPDX-License-Identifier: GPL-2.0-only */
/* What the measurements of 10,000 tenants share. */
#ifndef BENCH_TENANTS_H
#define BENCH_TENANTS_H

#include <sys/types.h>

#include "bench.h"
#include "slots.h"
#include "snapshot.h"

#define TENANTS  10000
#define ENDING   1000 /* of them, at once */
#define SENDERS  4    /* of them: each hundredth, up to 400 */
#define TIMES    11   /* ticks of a kind, and scrapes */
#define INTERVAL 10   /* seconds from tick to tick and from scrape to scrape */

void must(int err, const struct fault *fault);

/* ---- processes ---- */

struct process {
	int pid;
	clockid_t clock; /* of its processor time */
};

struct process process_fork(void); /* `pid` is 0 in the child */
struct process process_start(const char *const args[]);
void process_end(const struct process *process); /* by SIGTERM; it must succeed */
void process_kill(const struct process *process);
double process_cpu(const struct process *process);  /* ms so far */
double process_peak(const struct process *process); /* MB it had in memory at most */

/* Waits until somebody listens there. */
int connect_to(const void *address, socklen_t len);

/* ---- the daemon ---- */

#define SOCKET "/run/bench-tenants/daemon.sock"

struct process daemon_start(void);
struct daemon_state daemon_figures(void);

struct tick {
	double ms; /* of processor time, as the daemon says */
	__u64 ticks, rows, bytes;
};

/* The daemon books at once. */
struct tick tick(const struct process *daemon);

/* ---- tables ---- */

/* One tenant in `every` has traffic; none if that is 0. */
void move_meters(const struct host *host, struct client *senders, unsigned every);

void print_ticks(const struct process *daemon, const struct host *host, struct client *senders);

/* The exporter's peak in MB. */
double print_scrapes(const struct process *daemon);

#endif
