// SPDX-License-Identifier: GPL-2.0-only
/* Processes that are measured from outside, and the daemon as one. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "tenants.h"

struct process process_fork(void)
{
	struct process process = { .pid = fork() };

	if (process.pid < 0)
		die("fork: %s", strerror(errno));
	if (!process.pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else if (clock_getcpuclockid(process.pid, &process.clock))
		die("a process has no clock");
	return process;
}

struct process process_start(const char *const args[])
{
	struct process process = process_fork();

	if (process.pid)
		return process;
	execv(args[0], (char *const *)args);
	die("%s: %s", args[0], strerror(errno));
}

void process_end(const struct process *process)
{
	int status;

	kill(process->pid, SIGTERM);
	if (waitpid(process->pid, &status, 0) != process->pid || status)
		die("a process failed at its end");
}

void process_kill(const struct process *process)
{
	kill(process->pid, SIGKILL);
	waitpid(process->pid, NULL, 0);
}

double process_cpu(const struct process *process)
{
	struct timespec t;

	if (clock_gettime(process->clock, &t))
		die("a process is gone");
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

double process_peak(const struct process *process)
{
	char path[64], line[256];
	long kb = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", process->pid);
	in = fopen(path, "r");
	while (in && !kb && fgets(line, sizeof(line), in))
		sscanf(line, "VmHWM: %ld", &kb);
	if (!kb)
		die("%s does not tell the peak", path);
	fclose(in);
	return kb / 1024.0;
}

int connect_to(const void *to, socklen_t len)
{
	int fd = socket(((const struct sockaddr *)to)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	for (int tries = 0; connect(fd, to, len); tries++) {
		if (tries == 1000)
			die("a server did not come up: %s", strerror(errno));
		usleep(10000);
	}
	return fd;
}

/* Returns when the daemon has done what it was told before: it hangs up on who asks for what it does not have. */
static void daemon_wait(void)
{
	struct sockaddr_un to = { AF_UNIX, SOCKET };
	int fd = connect_to(&to, sizeof(to));
	char end;

	if (write(fd, "?\n", 2) != 2 || read(fd, &end, 1))
		die("the daemon does not hang up");
	close(fd);
}

struct process daemon_start(void)
{
	struct process process;
	char ledger[SW_PATH_MAX];

	snprintf(ledger, sizeof(ledger), "%s/ledger.db", ledger_folder());
	process = process_start((const char *[]){ program(), "daemon", "--ledger", ledger, "--socket", SOCKET,
						  "--interval", "3600", "--quiet", NULL });
	daemon_wait();
	return process;
}

struct daemon_state daemon_figures(void)
{
	struct daemon_state state;
	struct snapshot snapshot;
	struct fault fault;

	must(snapshot_ask(SOCKET, &snapshot, &fault), &fault);
	state = snapshot.daemon;
	if (!state.booking)
		die("the daemon does not book");
	snapshot_free(&snapshot);
	return state;
}

struct tick tick(const struct process *daemon)
{
	struct daemon_state before = daemon_figures(), after;

	kill(daemon->pid, SIGUSR1);
	daemon_wait();
	after = daemon_figures();
	return (struct tick){
		.ms = (after.tick_cpu_ns - before.tick_cpu_ns) / 1e6,
		.ticks = after.ticks - before.ticks,
		.rows = after.rows - before.rows,
		.bytes = after.ledger_size - before.ledger_size,
	};
}
