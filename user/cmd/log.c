// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli.h"
#include "events.h"
#include "snapshot.h"

struct logger {
	struct cli *cli;
	const struct host *host;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void each(const struct sw_event *event, void *data)
{
	struct logger *log = data;
	const char *wanted = log->cli->value[OPTION_TENANT];

	if (event->image >= SW_IMAGES_MAX || (wanted && strcmp(wanted, event->tenant)))
		return;
	if (cli_has(log->cli, OPTION_JSON))
		event_json(log->host, event, &log->cli->json);
	else
		event_print(log->host, event, stdout);
}

static bool go_on(const struct logger *log, int err)
{
	fflush(stdout);
	return cli_has(log->cli, OPTION_FOLLOW) && !stopped && !ferror(stdout) && (!err || err == -EINTR);
}

static int read_ring(struct logger *log, struct events *events)
{
	int err;

	do
		err = events_read(events, cli_has(log->cli, OPTION_FOLLOW) ? -1 : 0);
	while (go_on(log, err));
	return err && err != -EINTR ? fail("cannot read the ring of denials: %s", strerror(-err)) : EXIT_OK;
}

/* The daemon reads the ring: it passes on what it reads. */
static int read_daemon(struct logger *log, int fd)
{
	const struct timeval for_ever = { 0 };
	struct sw_event event;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
	do {
		n = recv(fd, &event, sizeof(event), MSG_WAITALL);
		if (n == sizeof(event))
			each(&event, log);
	} while (n > 0 && go_on(log, 0));
	return n || stopped ? EXIT_OK : fail("the daemon has ended: run this again to read the kernel's own buffer");
}

/* Whoever holds the ring, if it is the daemon, is asked. */
static int follow(struct logger *log, const struct fault *busy)
{
	struct fault fault;
	int fd, status;

	if (!cli_has(log->cli, OPTION_FOLLOW))
		return fail("%s", busy->text);
	fd = daemon_ask(SW_SOCKET, LOG_ASK, &fault);
	if (fd < 0)
		return fail("%s", busy->text);
	status = read_daemon(log, fd);
	close(fd);
	return status;
}

int cmd_log(struct cli *cli)
{
	struct logger log;
	struct events *events;
	struct fault fault;
	struct host host;
	int status, err = host_open(&host, HOST_READING, &fault);

	if (err)
		return fail("%s", fault.text);
	log = (struct logger){ .cli = cli, .host = &host };
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = stop }, NULL);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = stop }, NULL);
	events = events_open(&host, each, &log, &fault);
	status = events ? read_ring(&log, events) : follow(&log, &fault);
	if (events)
		events_close(events);
	host_close(&host);
	return status;
}
