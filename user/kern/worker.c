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
	prctl(PR_SET_NAME, SW_WORKER);
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

#define LONGEST 10000 /* ms */

bool worker_is_held(struct worker *worker)
{
	__s64 now = clock_ms(CLOCK_MONOTONIC), since = worker->seen > worker->heard ? worker->seen : worker->heard;

	worker->seen = now;
	if (!wants_processor(worker->pid))
		worker->stood += now - since;
	return worker->stood > worker->patience + worker->said || now - worker->heard > LONGEST;
}

static __u64 ns_of(const struct timeval *time)
{
	return time->tv_sec * 1000000000ULL + time->tv_usec * 1000ULL;
}

/* Its processor time is ours, and who it was for is charged with it. */
static bool has_ended(const struct lost *lost, struct losses *losses)
{
	struct rusage used;
	__u64 cpu, rest;

	if (wait4(lost->pid, NULL, WNOHANG, &used) != lost->pid)
		return false;
	cpu = ns_of(&used.ru_utime) + ns_of(&used.ru_stime);
	rest = cpu > lost->charged ? cpu - lost->charged : 0;
	losses->cpu += rest;
	if (losses->shares)
		share_charge(losses->shares, lost->slot, SHARE_TAKING, rest);
	return true;
}

void worker_charge(struct worker *worker, struct losses *losses, __u32 slot, enum share_of of, __u64 ns)
{
	worker->charged += ns;
	losses->cpu += ns;
	share_charge(losses->shares, slot, of, ns);
}

#define REST   10000  /* ms that who held a worker is left alone, at least */
#define MEMORY 600000 /* ms that this is remembered after that */

/* In the place of what is remembered of the same, if that is there. */
static void add(struct losses *losses, const struct lost *lost)
{
	struct lost *at = NULL;

	for (size_t i = 0; i < losses->of.n && !at; i++) {
		struct lost *old = &losses->of.v[i];

		if (!old->pid && old->slot == lost->slot && old->socket == lost->socket && old->netns == lost->netns)
			at = old;
	}
	if (!at)
		at = list_add(&losses->of);
	*at = *lost;
}

/* At something; else it was merely slow to end. */
static bool was_held(const struct lost *lost)
{
	return lost->socket || lost->netns;
}

/* What is closed at its end may linger. */
void worker_leave(struct worker *worker, struct losses *losses, bool given_up, const struct lost *at)
{
	struct lost lost = *at;

	if (given_up) {
		kill(worker->pid, SIGKILL);
		lost.until = clock_ms(CLOCK_MONOTONIC) + REST;
	}
	close(worker->says);
	lost.pid = worker->pid;
	lost.charged = worker->charged;
	lost.since = clock_ms(CLOCK_REALTIME);
	if (given_up || !has_ended(&lost, losses))
		add(losses, &lost);
	worker->pid = 0;
}

static bool is_forgotten(const struct lost *lost, __s64 now)
{
	return !lost->pid && (!was_held(lost) || now >= lost->until + MEMORY);
}

void losses_check(struct losses *losses)
{
	__s64 now = clock_ms(CLOCK_MONOTONIC);
	size_t n = 0;

	for (size_t i = 0; i < losses->of.n; i++) {
		struct lost *lost = &losses->of.v[i];

		if (lost->pid && has_ended(lost, losses))
			lost->pid = 0;
		if (!is_forgotten(lost, now))
			losses->of.v[n++] = *lost;
	}
	losses->of.n = n;
}

bool lost_is_held(const struct lost *lost)
{
	return was_held(lost) && (lost->pid || clock_ms(CLOCK_MONOTONIC) < lost->until);
}

bool losses_has_socket(const struct losses *losses, __u64 cookie)
{
	for (size_t i = 0; i < losses->of.n; i++)
		if (losses->of.v[i].socket == cookie && lost_is_held(&losses->of.v[i]))
			return true;
	return false;
}

bool losses_has_netns(const struct losses *losses, __u32 inode)
{
	for (size_t i = 0; i < losses->of.n; i++)
		if (losses->of.v[i].netns == inode && lost_is_held(&losses->of.v[i]))
			return true;
	return false;
}

__s64 losses_patience(const struct losses *losses, __u32 slot, __u32 netns)
{
	for (size_t i = 0; i < losses->of.n; i++) {
		const struct lost *lost = &losses->of.v[i];

		if (was_held(lost) && ((slot && lost->slot == slot) || (netns && lost->netns == netns)))
			return WORKER_PATIENCE_AGAIN;
	}
	return WORKER_PATIENCE;
}

#define LOST_MAX 4

bool losses_are_full(const struct losses *losses, __u32 slot)
{
	unsigned n = 0;

	for (size_t i = 0; i < losses->of.n; i++)
		n += losses->of.v[i].slot == slot && lost_is_held(&losses->of.v[i]);
	return n >= LOST_MAX;
}
