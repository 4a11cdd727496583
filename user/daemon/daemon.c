// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "calendar.h"
#include "daemon.h"
#include "say.h"
#include "slots.h"

int daemon_watch(struct daemon *daemon, struct source *source, unsigned events, struct fault *fault)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (!epoll_ctl(daemon->epoll, EPOLL_CTL_ADD, source->fd, &event) ||
	    (errno == EEXIST && !epoll_ctl(daemon->epoll, EPOLL_CTL_MOD, source->fd, &event)))
		return 0;
	return fault_set(fault, errno, "cannot watch a descriptor: %s", strerror(errno));
}

/*
 * Ticks are due at multiples of the interval on the wall clock, so that a day and a month end with one. When the clock
 * is set the timer says so, and is armed again.
 */
static int arm(struct daemon *daemon, struct fault *fault)
{
	__s64 interval = daemon->options.interval, now = time(NULL);
	struct itimerspec when = {
		.it_value.tv_sec = (now / interval + 1) * interval,
		.it_interval.tv_sec = interval,
	};

	if (!timerfd_settime(daemon->timer.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL))
		return 0;
	return fault_set(fault, errno, "cannot set a timer: %s", strerror(errno));
}

/* Denials are another's to read, until that one ends. */
static void read_denials(struct daemon *daemon);

static int on_timer(struct daemon *daemon, struct source *source, struct fault *fault)
{
	__u64 times;
	int err = 0;

	if (read(source->fd, &times, sizeof(times)) < 0)
		err = errno == ECANCELED ? arm(daemon, fault) : 0;
	if (!daemon->events)
		read_denials(daemon);
	server_expire(daemon);
	resolvers_check(daemon);
	if (!err)
		err = server_listen(daemon, fault);
	if (!err)
		err = reaper_check(daemon, fault);
	return err ? err : daemon_tick(daemon, fault);
}

static int on_signal(struct daemon *daemon, struct source *source, struct fault *fault)
{
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGUSR1)
		return daemon_tick(daemon, fault);
	if (info.ssi_signo == SIGHUP)
		daemon_reload(daemon);
	else
		daemon->stop = true;
	return 0;
}

static int on_watchdog(struct daemon *daemon, struct source *source, struct fault *fault)
{
	__u64 times;

	(void)daemon;
	(void)fault;
	if (read(source->fd, &times, sizeof(times)) > 0)
		notify("WATCHDOG=1");
	return 0;
}

static void on_event(const struct event *event, void *data)
{
	struct daemon *daemon = data;

	daemon->state.events++;
	if (!daemon->options.quiet && !(journal_is(STDOUT_FILENO) && event_journal(event, say_program)))
		event_print(event, stdout);
	recent_add(&daemon->recent, event);
	server_event(daemon, event);
}

static int on_ring(struct daemon *daemon, struct source *source, struct fault *fault)
{
	int err = events_read(daemon->events, 0);

	(void)source;
	if (fflush(stdout)) {
		__fpurge(stdout); /* what nobody reads is not printed; booking goes on */
		clearerr(stdout);
	}
	return err == -EINTR ? 0
	       : err         ? fault_set(fault, -err, "cannot read the ring of denials: %s", strerror(-err))
			     : 0;
}

static void read_denials(struct daemon *daemon)
{
	struct fault fault;

	daemon->events = events_open(&daemon->host, on_event, daemon, &fault);
	if (!daemon->events)
		return;
	daemon->ring = (struct source){ events_fd(daemon->events), on_ring };
	if (daemon_watch(daemon, &daemon->ring, EPOLLIN, &fault))
		warn("%s", fault.text);
}

/* Those that are for the daemon wait, from the first moment on, until it is ready for them. */
static sigset_t block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return set;
}

static int open_signals(struct daemon *daemon, const sigset_t *set, struct fault *fault)
{
	daemon->signals = (struct source){ signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal };
	if (daemon->signals.fd < 0)
		return fault_set(fault, errno, "cannot wait for signals: %s", strerror(errno));
	return daemon_watch(daemon, &daemon->signals, EPOLLIN, fault);
}

static int open_timers(struct daemon *daemon, struct fault *fault)
{
	unsigned long usec = notify_watchdog();
	struct itimerspec beat = { .it_interval = { usec / 1000000, usec % 1000000 * 1000 } };
	int err;

	beat.it_value = beat.it_interval;
	daemon->timer = (struct source){ timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), on_timer };
	daemon->watchdog = (struct source){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), on_watchdog };
	if (daemon->timer.fd < 0 || daemon->watchdog.fd < 0 || timerfd_settime(daemon->watchdog.fd, 0, &beat, NULL))
		return fault_set(fault, errno, "cannot make a timer: %s", strerror(errno));
	err = daemon_watch(daemon, &daemon->timer, EPOLLIN, fault);
	if (!err)
		err = daemon_watch(daemon, &daemon->watchdog, EPOLLIN, fault);
	return err ? err : arm(daemon, fault);
}

/* What another build left is booked, though this one cannot take over. */
static int open_host(struct daemon *daemon, struct fault *fault)
{
	int err = host_open(&daemon->host, HOST_LOADING, fault);

	if (err == -ESTALE) {
		warn("%s; until then it is booked, and nothing else is done for it", fault->text);
		err = host_open(&daemon->host, HOST_CHANGING, fault);
	}
	host_unlock(&daemon->host);
	return err;
}

/* From here on slots that have ended wait for this ledger. */
static int begin_booking(struct daemon *daemon, struct fault *fault)
{
	char *path = realpath(daemon->options.ledger, NULL);
	int err = host_lock(&daemon->host, HOST_PATIENCE, fault);

	if (!err)
		err = host_book(&daemon->host, ledger_id(daemon->ledger), path ? path : daemon->options.ledger,
				daemon->options.adopt, fault);
	host_unlock(&daemon->host);
	free(path);
	return err;
}

static void tell_loss(struct daemon *daemon)
{
	__s64 since = ledger_lost_since(daemon->ledger, daemon->source.host, daemon->source.boot);
	char text[CALENDAR_TEXT];

	if (since > 0)
		warn("the host was rebooted since the ledger was last written: what was sent between %s and the reboot "
		     "is in no ledger",
		     calendar_format(since / 1000, text));
}

/*
 * The ledger that is booked in is not where it should be: the ticks say so, and wait for it. Unless it is where it was,
 * and another place was given.
 */
static int await_ledger(struct daemon *daemon, int err, struct fault *fault)
{
	const char *given = daemon->options.ledger;
	char *path = realpath(given, NULL), booked[SW_PATH_MAX];
	struct fault why = *fault;
	int unknown = host_ledger(&daemon->host, booked, fault);

	if (!unknown && strcmp(path ? path : given, booked) && !access(booked, F_OK))
		unknown = fault_set(
			fault, EINVAL,
			"since the programs were loaded, %.150s was booked in: give that one, or --adopt, with which "
			"all that it has is booked again (%.200s)",
			booked, err == -ENOENT ? "the one that was given is not there" : why.text);
	free(path);
	return unknown;
}

/* What the kernel's meters were booked in, and no other; it is begun if they were booked in none. */
static int open_ledger(struct daemon *daemon, struct fault *fault)
{
	const char *path = daemon->options.ledger;
	__u64 id = 0;
	int err = ledger_source_here(daemon->host.epoch, &daemon->source, fault);

	if (!err && !daemon->options.adopt)
		err = host_ledger_id(&daemon->host, &id, fault);
	if (err)
		return err;
	err = id ? ledger_resume(&daemon->ledger, path, id, fault)
		 : ledger_open(&daemon->ledger, path, LEDGER_BOOKING, fault);
	if (!err)
		tell_loss(daemon);
	if (!err)
		err = ledger_last(daemon->ledger, &daemon->last, fault);
	return id && (err == -ENOENT || err == -EINVAL) ? await_ledger(daemon, err, fault) : err;
}

/* Denials are many, and a tenant's to cause: a reader who has stopped must not stop the daemon. A terminal is shared.
 */
static void unblock_output(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && !isatty(STDOUT_FILENO))
		fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
}

static int start(struct daemon *daemon, const sigset_t *signals, struct fault *fault)
{
	int err = 0;

	unblock_output();
	daemon->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (daemon->epoll < 0)
		return fault_set(fault, errno, "cannot make an epoll set: %s", strerror(errno));
	err = open_signals(daemon, signals, fault);
	if (!err)
		err = open_host(daemon, fault);
	if (!err)
		err = host_claim(&daemon->host, fault);
	if (!err)
		err = reaper_start(daemon, fault); /* while there are rights that only it keeps */
	if (!err)
		err = keeper_start(daemon, fault);
	if (!err)
		err = server_open(daemon, fault);
	if (!err)
		err = rights_keep_daemon(fault);
	if (!err)
		err = open_ledger(daemon, fault); /* with no more rights than it will be written with */
	if (!err)
		err = begin_booking(daemon, fault);
	if (!err)
		err = open_timers(daemon, fault);
	if (!err)
		err = resolvers_open(daemon, fault);
	if (!err) {
		keeper_go(daemon);
		read_denials(daemon);
	}
	return err;
}

static void tell_start(const struct daemon *daemon)
{
	__u32 tenants = slots_count(&daemon->host, SLOTS_HELD);

	warn("daemon " SW_VERSION " books in %s every %u s and answers at %s; %u tenant%s attached",
	     daemon->options.ledger, daemon->options.interval, daemon->options.socket, tenants,
	     tenants == 1 ? " is" : "s are");
}

static int serve(struct daemon *daemon, struct fault *fault)
{
	struct epoll_event ready[16];
	int err;

	tell_start(daemon);
	err = daemon_tick(daemon, fault); /* what the last daemon left */
	notify("READY=1");
	while (!err && (!daemon->stop || daemon->reload)) { /* one that is under way is finished */
		int n = epoll_wait(daemon->epoll, ready, 16, -1);

		if (n < 0 && errno != EINTR)
			return fault_set(fault, errno, "cannot wait: %s", strerror(errno));
		for (int i = 0; i < n && !err; i++) {
			struct source *source = ready[i].data.ptr;

			if (source->fd >= 0) /* a client may have been closed by what came before it */
				err = source->ready(daemon, source, fault);
		}
	}
	notify("STOPPING=1");
	return err ? err : daemon_last_tick(daemon, fault);
}

static void end(struct daemon *daemon)
{
	const int fds[] = { daemon->signals.fd, daemon->timer.fd,   daemon->watchdog.fd, daemon->epoll,
			    daemon->go,         daemon->tenants[0], daemon->tenants[1] };

	reload_stop(daemon);
	resolvers_close(daemon);
	child_stop(&daemon->keeper);
	reaper_stop(daemon);
	server_close(daemon);
	if (daemon->events)
		events_close(daemon->events);
	ledger_close(daemon->ledger);
	host_close(&daemon->host);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(daemon->budgets);
	standings_free(daemon->standings);
	recent_free(&daemon->recent);
}

/* For the service manager: is it worth trying again? */
static int exit_status(int err)
{
	switch (err) {
	case 0:
		return EX_OK;
	case -EPERM:
	case -EACCES:
	case -EROFS:
		return EX_NOPERM;
	case -EINVAL:
	case -EREMOTE:
		return EX_CONFIG;
	case -EBUSY:
	case -ESTALE:
		return EX_TEMPFAIL;
	case -EIO:
	case -ENOSPC:
		return EX_IOERR;
	default:
		return EX_UNAVAILABLE;
	}
}

int daemon_run(const struct daemon_options *options)
{
	const sigset_t signals = block_signals(); /* first: none may end us half way */
	struct daemon *daemon = mem_alloc(1, sizeof(*daemon));
	struct fault fault;
	int err;

	daemon->options = *options;
	daemon->host = host_closed;
	daemon->signals.fd = daemon->timer.fd = daemon->watchdog.fd = daemon->listener.fd = -1;
	daemon->resolvers.fd = -1;
	daemon->reaper.source.fd = daemon->answerer.source.fd = daemon->keeper.source.fd = daemon->go = -1;
	daemon->tenants[0] = daemon->tenants[1] = -1;
	for (int i = 0; i < CLIENTS_MAX; i++)
		daemon->clients[i].source.fd = -1;
	daemon->budgets = mem_alloc(SW_TENANTS_MAX, sizeof(*daemon->budgets));
	daemon->standings = standings_new();
	daemon->state = (struct daemon_state){
		.started = clock_ms(CLOCK_REALTIME),
		.pid = getpid(),
		.interval = options->interval,
		.booking = 1,
	};
	err = start(daemon, &signals, &fault);
	if (!err)
		err = serve(daemon, &fault);
	if (err)
		warn("%s", fault.text);
	end(daemon);
	free(daemon);
	return exit_status(err);
}
