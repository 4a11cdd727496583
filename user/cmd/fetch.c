// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "beside.h"
#include "fd.h"
#include "fetch.h"
#include "load.h"
#include "say.h"

#define PROGRAM "sockwarden-fetch"

/* The process, or below 0; what it writes is to be read from `out`. */
static pid_t start(const char *url, int *out)
{
	char *args[] = { PROGRAM, (char *)url, NULL };
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	signal(SIGCHLD, SIG_DFL); /* ignored, it would take the exit status away */
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		_exit(become_beside(PROGRAM, args));
	}
	close(ends[1]);
	*out = ends[0];
	if (pid < 0)
		close(ends[0]);
	return pid;
}

/* What went wrong in the process, it has said itself. */
static bool has_ended_well(pid_t pid, const char *url)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFSIGNALED(status))
		warn("cannot fetch %s: the process that does was ended by signal %d", url, WTERMSIG(status));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

char *fetch(const char *url, size_t *len)
{
	int out;
	pid_t pid = start(url, &out);
	char *text;

	if (pid < 0) {
		warn("cannot start a process to fetch %s: %s", url, strerror(errno));
		return NULL;
	}
	text = fd_read(out, SW_FILE_MAX, len);
	if (!text) {
		warn("cannot fetch %s: %s; a list has at most %lu MiB", url, strerror(errno), SW_FILE_MAX >> 20);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	} else if (!has_ended_well(pid, url)) {
		free(text);
		text = NULL;
	}
	close(out);
	return text;
}
