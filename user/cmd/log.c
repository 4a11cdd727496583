// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events come from the kernel's ring, or from the daemon if it is the one who reads that. Those that are there already
 * are read first, and the last of them shown; then, with --follow, the others as they come.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "amount.h"
#include "calendar.h"
#include "cli.h"
#include "client.h"
#include "events.h"
#include "mem.h"

struct logger {
	struct cli *cli;
	size_t lines; /* of those before */
	__s64 since;  /* likewise, milliseconds since 1970 */
	bool before;  /* they are still read */
	LIST(struct event) kept;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void show(const struct logger *log, const struct event *event)
{
	if (cli_has(log->cli, OPTION_JSON))
		event_json(event, &log->cli->json);
	else
		event_print(event, stdout);
}

static void each(const struct event *event, void *data)
{
	struct logger *log = data;
	const char *wanted = log->cli->value[OPTION_TENANT];

	if (wanted && strcmp(wanted, event->of.tenant))
		return;
	if (!log->before)
		show(log, event);
	else if (event->time >= log->since)
		*list_add(&log->kept) = *event;
}

/* How many there were that are not shown. */
static size_t end_before(struct logger *log)
{
	size_t left_out = log->kept.n > log->lines ? log->kept.n - log->lines : 0;

	for (size_t i = left_out; i < log->kept.n; i++)
		show(log, &log->kept.v[i]);
	free(log->kept.v);
	log->kept.v = NULL;
	log->before = false;
	return left_out;
}

static bool go_on(const struct logger *log, int err)
{
	fflush(stdout);
	return cli_has(log->cli, OPTION_FOLLOW) && !stopped && !ferror(stdout) && (!err || err == -EINTR);
}

/* What was read from the ring is gone, shown or not. */
static int read_ring(struct logger *log, struct events *events)
{
	int err = events_read(events, 0);
	size_t left_out = end_before(log);

	if (left_out)
		warn("%zu older ones were read, and are kept nowhere: a daemon keeps them", left_out);
	while (go_on(log, err))
		err = events_read(events, -1);
	return err && err != -EINTR ? fail("cannot read the ring of denials: %s", strerror(-err)) : EXIT_OK;
}

/* 1, or 0 when the daemon has ended or we shall. */
static int receive(int fd, void *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static int read_kept(struct logger *log, int fd, struct fault *fault)
{
	struct event_head head;
	struct event event;
	int err;

	if (!receive(fd, &head, sizeof(head)))
		return fault_set(fault, EBUSY,
				 "the daemon has no answer now: it has too many to answer, or another "
				 "'sockwarden log' reads the denials");
	err = event_head_check(&head, fault);
	if (err)
		return err;
	for (__u32 i = 0; i < head.kept; i++) {
		if (!receive(fd, &event, sizeof(event)))
			return fault_set(fault, EBADMSG, "the daemon's answer is cut short: see the daemon's log");
		each(&event, log);
	}
	return 0;
}

static int read_daemon(struct logger *log, int fd)
{
	const struct timeval for_ever = { 0 };
	struct event event;
	struct fault fault;

	if (read_kept(log, fd, &fault))
		return fail("%s", fault.text);
	end_before(log);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
	while (go_on(log, 0) && receive(fd, &event, sizeof(event)))
		each(&event, log);
	if (!cli_has(log->cli, OPTION_FOLLOW) || stopped || ferror(stdout))
		return EXIT_OK;
	return fail("the daemon has ended: run this again to read the kernel's own buffer");
}

/* `otherwise` says why there is no other way. */
static int ask_daemon(struct logger *log, const char *otherwise)
{
	const char *path = log->cli->value[OPTION_SOCKET] ? log->cli->value[OPTION_SOCKET] : SW_SOCKET;
	struct fault fault;
	int fd = daemon_ask(path, cli_has(log->cli, OPTION_FOLLOW) ? FOLLOW_ASK : LOG_ASK, &fault), status;

	if (fd < 0)
		return fail("%s: %s", otherwise, fault.text);
	status = read_daemon(log, fd);
	close(fd);
	return status;
}

/* Whoever holds the ring, if it is the daemon, is asked. */
static int read_kernel(struct logger *log)
{
	struct events *events;
	struct fault fault;
	struct host host;
	int status;

	if (host_open(&host, HOST_USING, &fault))
		return fail("%s", fault.text);
	events = events_open(&host, each, log, &fault);
	status = events ? read_ring(log, events) : ask_daemon(log, fault.text);
	if (events)
		events_close(events);
	host_close(&host);
	return status;
}

static int read_lines(const char *text, size_t *lines)
{
	char *end;
	unsigned long number;

	if (!text)
		return EXIT_OK;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return usage("'%s' is no number of lines: write --lines 20", text);
	*lines = number;
	return EXIT_OK;
}

static int read_since(const char *text, __s64 *since)
{
	__u32 ago;
	__s64 at;

	if (!text)
		return EXIT_OK;
	if (timeout_parse(text, &ago))
		at = time(NULL) - ago;
	else if (!calendar_parse(text, &at))
		return usage("'%s' is no time: write 90s, 10m or 2h, or a date such as 2026-11-22 or "
			     "2026-11-22T10:00:00Z",
			     text);
	*since = at * 1000;
	return EXIT_OK;
}

int cmd_log(struct cli *cli)
{
	struct logger log = { .cli = cli, .lines = SIZE_MAX, .before = true };
	int status = read_lines(cli->value[OPTION_LINES], &log.lines);

	if (!status)
		status = read_since(cli->value[OPTION_SINCE], &log.since);
	if (status)
		return status;
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = stop }, NULL);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = stop }, NULL);
	return geteuid() ? ask_daemon(&log, "this needs root, or a running daemon that may be asked")
			 : read_kernel(&log);
}
