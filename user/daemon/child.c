// SPDX-License-Identifier: GPL-2.0-only
/* A process beside the daemon, with rights of its own. It talks to nobody; it ends with the daemon, and the daemon with
 * it: better to start anew, all of it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon.h"
#include "say.h"

static int on_end(struct daemon *daemon, struct source *source, struct fault *fault)
{
	(void)daemon;
	return fault_set(fault, ECHILD, "the process %s has ended", ((struct child *)source)->name);
}

/* The daemon has blocked its signals, and they stay so here: it is the daemon that they are for. */
static int become(const struct child *child, pid_t daemon, struct fault *fault)
{
	prctl(PR_SET_NAME, child->name);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != daemon)
		return fault_set(fault, ECHILD, "the daemon has ended");
	return child->keep_rights(fault);
}

static int run(struct daemon *daemon, const struct child *child, pid_t parent)
{
	struct fault fault;
	int err = become(child, parent, &fault);

	close(daemon->host.booking); /* else the right to book would outlive the daemon */
	daemon->host.booking = -1;
	if (!err)
		child->run(daemon, &fault);
	warn("%s", fault.text);
	return EX_OSERR;
}

int child_start(struct daemon *daemon, struct child *child, struct fault *fault)
{
	pid_t self = getpid(), pid = fork();

	if (pid < 0)
		return fault_set(fault, errno, "cannot start a process: %s", strerror(errno));
	if (!pid)
		_exit(run(daemon, child, self));
	child->pid = pid;
	child->source = (struct source){ syscall(SYS_pidfd_open, pid, 0), on_end };
	if (child->source.fd < 0)
		return fault_set(fault, errno, "cannot watch a process: %s", strerror(errno));
	return daemon_watch(daemon, &child->source, EPOLLIN, fault);
}

#define LAST_WAIT 1000 /* ms */

/* What it was in the middle of, the next one finishes. It may be held in the kernel, and end later. */
void child_stop(struct child *child)
{
	struct pollfd ended = { .fd = child->source.fd, .events = POLLIN };

	if (child->pid) {
		kill(child->pid, SIGKILL);
		if (poll(&ended, 1, LAST_WAIT) > 0)
			waitpid(child->pid, NULL, 0);
	}
	if (child->source.fd >= 0)
		close(child->source.fd);
}
