// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "systemctl.h"

#define ANSWER_MAX 4096
#define TRIES      50  /* it may be executing itself anew */
#define PAUSE      200 /* ms */

/* What it prints, to be freed; NULL: it failed. */
static char *run_systemctl(const char *const *args)
{
	int ends[2], status;
	size_t len;
	char *answer;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		execvp("systemctl", (char *const *)args);
		_exit(127);
	}
	close(ends[1]);
	answer = fd_read(ends[0], ANSWER_MAX, &len);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status) {
		free(answer);
		answer = NULL;
	}
	return answer;
}

int systemctl_ask(const char *const *args, char **answer, struct fault *fault)
{
	signal(SIGCHLD, SIG_DFL); /* ignored, it would take the exit status away */
	for (int i = 0; i < TRIES; i++) {
		*answer = run_systemctl(args);
		if (*answer)
			return 0;
		usleep(PAUSE * 1000);
	}
	return fault_set(fault, EIO, "systemd does not answer: 'systemctl %s' fails", args[1]);
}

int systemctl_reload(struct fault *fault)
{
	const char *const args[] = { "systemctl", "daemon-reload", NULL };
	char *ignored = NULL;
	int err = access("/run/systemd/system", F_OK) ? 0 : systemctl_ask(args, &ignored, fault);

	free(ignored);
	return err;
}
