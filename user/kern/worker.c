// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "worker.h"

/* Whoever reads what we print must not wait for one that is lost. */
static void leave_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		dup2(null, fd);
}

static _Noreturn void work(void (*job)(int out, void *data), void *data, int out, int not, pid_t parent)
{
	prctl(PR_SET_NAME, "sockwarden-work");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	if (not >= 0)
		close(not );
	leave_streams();
	signal(SIGPIPE, SIG_DFL);
	job(out, data);
	_exit(0);
}

int worker_start(struct worker *worker, void (*job)(int out, void *data), void *data, int not, struct fault *fault)
{
	pid_t self = getpid(), pid;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return fault_set(fault, errno, "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		close(ends[0]);
		work(job, data, ends[1], not, self);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fault_set(fault, errno, "cannot start a process: %s", strerror(errno));
	}
	*worker = (struct worker){ .pid = pid, .says = ends[0], .heard = clock_ms(CLOCK_MONOTONIC) };
	return 0;
}

void worker_say(int out, const struct saying *saying)
{
	(void)!write(out, saying, sizeof(*saying)); /* all or nothing: it is less than PIPE_BUF */
}

void worker_say_missed(int out, const struct fault *why)
{
	struct saying saying = { .what = SAID_MISSED };

	memccpy(saying.why, why->text, '\0', sizeof(saying.why) - 1);
	worker_say(out, &saying);
}

_Static_assert(sizeof(struct saying) <= 512, "what is written at once comes at once"); /* the least PIPE_BUF there is */

bool worker_hear(struct worker *worker, struct saying *saying)
{
	ssize_t got;

	do
		got = read(worker->says, saying, sizeof(*saying));
	while (got < 0 && errno == EINTR);
	worker->heard = clock_ms(CLOCK_MONOTONIC);
	worker->said++;
	return got == sizeof(*saying);
}

/* On a machine that has much to do it may be long until it has its turn. */
static bool wants_processor(int pid)
{
	char path[32], text[64] = "", *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	state = strrchr(text, ')'); /* after its name, which is ours */
	return state && !strncmp(state, ") R", 3);
}

#define LONGEST (20 * WORKER_PATIENCE)

bool worker_is_held(struct worker *worker)
{
	__s64 now = clock_ms(CLOCK_MONOTONIC), since = worker->seen > worker->heard ? worker->seen : worker->heard;

	worker->seen = now;
	if (!wants_processor(worker->pid))
		worker->stood += now - since;
	return worker->stood > WORKER_PATIENCE + worker->said || now - worker->heard > LONGEST;
}

/* Its processor time is ours. */
static bool has_ended(int pid, struct losses *losses)
{
	struct rusage used;

	if (wait4(pid, NULL, WNOHANG, &used) != pid)
		return false;
	losses->cpu += (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000ULL +
		       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000ULL;
	return true;
}

/* What is closed at its end may linger. */
void worker_leave(struct worker *worker, struct losses *losses, const struct lost *as)
{
	struct lost lost = as ? *as : (struct lost){ 0 };

	if (as)
		kill(worker->pid, SIGKILL);
	close(worker->says);
	lost.pid = worker->pid;
	lost.since = clock_ms(CLOCK_REALTIME);
	if (as || !has_ended(worker->pid, losses))
		*list_add(&losses->of) = lost;
	worker->pid = 0;
}

void losses_check(struct losses *losses)
{
	size_t n = 0;

	for (size_t i = 0; i < losses->of.n; i++)
		if (!has_ended(losses->of.v[i].pid, losses))
			losses->of.v[n++] = losses->of.v[i];
	losses->of.n = n;
}

bool losses_has_socket(const struct losses *losses, __u64 cookie)
{
	for (size_t i = 0; i < losses->of.n; i++)
		if (losses->of.v[i].socket == cookie)
			return true;
	return false;
}

bool losses_has_netns(const struct losses *losses, __u32 inode)
{
	for (size_t i = 0; i < losses->of.n; i++)
		if (losses->of.v[i].netns == inode)
			return true;
	return false;
}

#define LOST_MAX 4

bool losses_are_full(const struct losses *losses, __u32 slot)
{
	unsigned n = 0;

	for (size_t i = 0; i < losses->of.n; i++)
		n += (losses->of.v[i].socket || losses->of.v[i].netns) && losses->of.v[i].slot == slot;
	return n >= LOST_MAX;
}
