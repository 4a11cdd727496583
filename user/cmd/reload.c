// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli.h"
#include "client.h"
#include "fd.h"

#define PATIENCE 60 /* s that the daemon may take: it waits for a lock, and compiles every policy in use */

/* The daemon's messages, and its verdict behind them. */
static int show(char *text, size_t len)
{
	static const char good[] = "0\n", bad[] = "1\n";
	size_t end = len < 2 ? 0 : len - 2;

	if (len < 2 || (strcmp(text + end, good) && strcmp(text + end, bad)))
		return fail("the daemon has ended before it was done: see its log");
	fwrite(text, 1, end, stderr);
	return strcmp(text + end, good) ? EXIT_FAILED : EXIT_OK;
}

int cmd_reload(struct cli *cli)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	const char *path = cli->value[OPTION_SOCKET] ? cli->value[OPTION_SOCKET] : SW_SOCKET;
	struct fault fault;
	int fd = daemon_ask(path, RELOAD_ASK, &fault), status;
	size_t len;
	char *text;

	if (fd < 0)
		return fail("%s", fault.text);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	text = fd_read(fd, FD_READ_MAX, &len);
	status = text ? show(text, len) : fail("the daemon has not answered for %d s: see its log", PATIENCE);
	free(text);
	close(fd);
	return status;
}
