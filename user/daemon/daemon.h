/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon: one thread around epoll, and three processes beside it: two close sockets, in passes and when they are
 * called for, and one attaches again what was attached. It books what the kernel has
 * metered, renews budgets, reads policies anew when it is told to, prints denials and answers on a socket. What is
 * enforced needs none of it: while it is down the kernel goes on enforcing and counting, and the next tick books what
 * was counted.
 *
 *   SIGHUP    read the policies anew          SIGUSR1   book now
 *   SIGTERM, SIGINT    book once more, and end
 */
#ifndef SW_DAEMON_H
#define SW_DAEMON_H

#include <stdbool.h>
#include <stdio.h>

#include "clock.h"
#include "events.h"
#include "host.h"
#include "ledger.h"
#include "recent.h"
#include "snapshot.h"
#include "standing.h"

struct daemon_options {
	const char *ledger; /* file */
	const char *socket;
	const char *group; /* who may ask on the socket, beside root; NULL: nobody */
	unsigned interval; /* seconds between ticks */
	bool quiet;        /* do not print denials */
	bool adopt;        /* book in this ledger though another was booked in before */
};

/* What was last done for the budget of a slot, and how long that holds: seconds since 1970. */
struct budget_note {
	__u64 tenancy, serial;
	__s64 from, until; /* the period; always, where there is no budget */
};

struct daemon;

/* A descriptor in the epoll set, and what to do when it is ready. */
struct source {
	int fd;
	int (*ready)(struct daemon *daemon, struct source *source, struct fault *fault);
};

/* A process beside the daemon. */
struct child {
	struct source source; /* its end; fd -1: none was started */
	int pid;              /* 0: likewise */
	const char *name;
	int (*keep_rights)(struct fault *fault);
	int (*run)(struct daemon *daemon,
		   struct fault *fault); /* for as long as it can; the reason why it no longer does */
};

#define CLIENTS_MAX 32

struct client {
	struct source source; /* fd -1: this place is free */
	char request[16];
	size_t asked; /* bytes of `request` */
	char *answer; /* owned */
	size_t len, sent;
	size_t room;                                                 /* bytes of `answer`, for one that follows */
	__s64 since;                                                 /* milliseconds of the boot clock */
	bool follows;                                                /* events, as they come */
	enum { RELOAD_NONE, RELOAD_ASKED, RELOAD_UNDER_WAY } reload; /* what it waits for the end of */
};

struct daemon {
	struct daemon_options options;
	struct host host;
	struct ledger *ledger;
	struct ledger_source source;
	struct events *events; /* NULL while someone else reads them */
	struct recent recent;  /* for `sockwarden log` */
	struct daemon_state state;
	__s64 last;    /* end of the row that was booked last, milliseconds since 1970; 0: there is none */
	bool is_early; /* the clock stood before that at the last tick */
	struct budget_note *budgets; /* SW_TENANTS_MAX */
	struct standings *standings; /* what is known of the tenants' cgroups and links */
	__u32 turn;                  /* of tick.c */
	struct source signals, timer, watchdog, ring, listener, resolvers;
	struct child reaper, answerer, keeper;
	struct reaper_state *reaping; /* shared with the reaper, which writes it */
	int go;                       /* eventfd of keeper_go() */
	int tenants[2];               /* of tenants.c: the daemon's end, and the keeper's */
	struct client clients[CLIENTS_MAX];
	struct reload_job *reload; /* under way; NULL: none is */
	int epoll;
	bool stop;
};

/* Runs until a signal ends it. The exit status, of sysexits.h. */
int daemon_run(const struct daemon_options *options);

/* 0, or -errno when the daemon cannot go on. */
int daemon_watch(struct daemon *daemon, struct source *source, unsigned events, struct fault *fault);

/*
 * tick.c: books, releases and renews. 0, also when the tick had to be postponed; -ESTALE: another build's state has
 * taken the place of ours, of which this tick was the last.
 */
int daemon_tick(struct daemon *daemon, struct fault *fault);

/* The same when no tick will follow: waits for the lock, and a tick that cannot be booked is an error. */
int daemon_last_tick(struct daemon *daemon, struct fault *fault);

/*
 * reload.c: begins to compile every policy in use anew and to put it in force, all of them or none; or does so once
 * more, if that is under way. What there is to say goes to stderr, and to the clients that have asked for it.
 */
void daemon_reload(struct daemon *daemon);
void reload_stop(struct daemon *daemon);

/* resolvers.c: follows the host's name servers */
int resolvers_open(struct daemon *daemon, struct fault *fault);
void resolvers_check(struct daemon *daemon); /* and has the policies read anew if they have changed */
__u64 resolvers_hash(void);                  /* as they are now; 0: they cannot be read */
void resolvers_reloaded(struct daemon *daemon, __u64 hash, int err); /* which they were when that began */
void resolvers_close(struct daemon *daemon);

/* server.c */
int server_open(struct daemon *daemon, struct fault *fault);
void server_close(struct daemon *daemon);
void server_event(struct daemon *daemon, const struct event *event); /* to the clients that follow */
void server_expire(struct daemon *daemon);                           /* clients that do not read */
void server_reloads(struct daemon *daemon); /* one begins, for those who have asked for it; and has ended: */
void server_reloaded(struct daemon *daemon, const char *text, bool failed);
int server_listen(struct daemon *daemon, struct fault *fault); /* again, if it had no means to */

/* child.c */
int child_start(struct daemon *daemon, struct child *child, struct fault *fault);
void child_stop(struct child *child);

/* keeper.c: the process that attaches again what was attached, when its cgroup is made anew and after a boot. */
int keeper_start(struct daemon *daemon, struct fault *fault);
void keeper_go(const struct daemon *daemon); /* at first, when the ledger is known; then, to try all at once */

/* tenants.c: the files of tenants, which the keeper applies, or only checks. 0 or -errno; what there is to say goes to
 * `said`. */
int tenants_apply(struct host *host, bool check, FILE *said);
void tenants_answer(struct host *host, int fd); /* if the daemon has asked it to */
int tenants_open(struct daemon *daemon, struct fault *fault);
void tenants_ask(const struct daemon *daemon, bool check);               /* and then, until it is not positive: */
int tenants_hear(const struct daemon *daemon, FILE *said, bool *failed); /* 0: it has answered; or -errno */

/* reaper.c: the processes that close sockets. */
int reaper_start(struct daemon *daemon, struct fault *fault);
void reaper_stop(struct daemon *daemon);
int reaper_check(const struct daemon *daemon, struct fault *fault); /* 0, or -errno when it does not get on */

/* rights.c: keeps the capabilities that are needed from here on, for good. */
int rights_keep_daemon(struct fault *fault);
int rights_keep_reaper(struct fault *fault);
int rights_keep_keeper(struct fault *fault);

/* notify.c: tells the service manager, if there is one; "READY=1" and the like. */
void notify(const char *state);
void notify_reloading(void);
unsigned long notify_watchdog(void); /* microseconds between signs of life; 0: none are wanted */

#endif
