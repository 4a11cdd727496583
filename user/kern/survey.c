// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "survey.h"
#include "walk.h"

/* In the worker. */
struct job {
	const struct survey *survey;
	size_t from; /* of the namespaces */
	int out;
};

static int open_space(const struct census_item *space)
{
	char path[64];
	struct stat stat;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", space->thread);
	fd = open(space->mount ? space->mount : path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &stat) || stat.st_ino != space->number)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void say_found(void *data, const void *record)
{
	const struct job *job = data;

	worker_say(job->out, &(struct saying){ .what = SAID_FOUND, .found = *(const struct sw_found *)record });
}

static void go_through(const struct job *job, const struct census_item *space, __u64 *held)
{
	struct walking walking = {
		.walk = WALK_SURVEY_TCP,
		.size = sizeof(struct sw_found),
		.each = say_found,
		.data = (void *)job,
		.held = held,
	};
	const struct host *host = job->survey->host;
	struct fault why;
	int fd = open_space(space), err;

	if (fd < 0) /* it has gone, as namespaces do */
		return;
	err = setns(fd, CLONE_NEWNET)
		      ? fault_set(&why, errno, "cannot enter network namespace %u: %s", space->number, strerror(errno))
		      : walk(host, &walking, &why);
	walking.walk = WALK_SURVEY_UDP;
	if (!err)
		err = walk(host, &walking, &why);
	if (err)
		worker_say_missed(job->out, &why);
	close(fd);
}

/* A socket is held there; or the tenant holds enough already, each of which has cost others time. */
static bool is_held(const struct losses *losses, const struct census_item *space)
{
	return losses_has_netns(losses, space->number) || (space->slot && losses_are_full(losses, space->slot));
}

/* The first behind `i` that is not of the same tenant. */
static size_t end_of_tenant(const struct census_list *spaces, size_t i)
{
	__u32 slot = spaces->of.v[i].slot;

	while (i < spaces->of.n && spaces->of.v[i].slot == slot)
		i++;
	return i;
}

/* Our shares are a copy, as all that we have. */
static void go_to(const struct job *job, size_t i)
{
	const struct census_item *space = &job->survey->spaces->of.v[i];
	struct saying saying = { .what = SAID_GOES, .at = i };
	__u64 before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	worker_say(job->out, &saying);
	go_through(job, space, &saying.held);
	saying.what = SAID_WALKED;
	saying.cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	share_charge(job->survey->losses->shares, space->slot, SHARE_SPACES, saying.cpu);
	worker_say(job->out, &saying);
}

static void do_job(int out, void *data)
{
	struct job *job = data;
	const struct survey *survey = job->survey;
	const struct census_list *spaces = survey->spaces;

	job->out = out;
	for (size_t i = job->from; i < spaces->of.n; i++) {
		if (is_held(survey->losses, &spaces->of.v[i]))
			continue;
		if (share_lasts(survey->losses->shares, spaces->of.v[i].slot, SHARE_SPACES)) {
			go_to(job, i);
			continue;
		}
		worker_say(out, &(struct saying){ .what = SAID_LEFT, .at = i });
		i = end_of_tenant(spaces, i) - 1;
	}
	worker_say(out, &(struct saying){ .what = SAID_GOES, .at = spaces->of.n });
}

static void note_missed(struct survey *survey, const char *why)
{
	if (!survey->missed++)
		fault_set(&survey->why, 0, "%s", why);
}

/* `at`: where the worker is. */
static void note(struct survey *survey, struct worker *worker, const struct saying *saying, size_t *at)
{
	const struct census_item *space = &survey->spaces->of.v[saying->at];

	switch (saying->what) {
	case SAID_FOUND:
		survey->found(survey->data, &saying->found);
		break;
	case SAID_MISSED:
		note_missed(survey, saying->why);
		break;
	case SAID_WALKED:
		worker_charge(worker, survey->losses, space->slot, SHARE_SPACES, saying->cpu);
		if (saying->held > survey->held)
			survey->held = saying->held;
		break;
	case SAID_LEFT:
		share_put_off(survey->losses->shares, space->slot, SHARE_SPACES, space->number);
		break;
	default:
		*at = saying->at;
	}
}

/* With whoever is next. */
static void be_patient(const struct survey *survey, struct worker *worker, size_t at)
{
	const struct census_item *space = at < survey->spaces->of.n ? &survey->spaces->of.v[at] : NULL;

	worker->patience = space ? losses_patience(survey->losses, space->slot, space->number) : WORKER_PATIENCE;
}

/* Until it has said all: true; or does not get on. */
static bool hear(struct survey *survey, struct worker *worker, size_t *at)
{
	struct pollfd fd = { .fd = worker->says, .events = POLLIN };
	struct saying saying;

	be_patient(survey, worker, *at);
	while (poll(&fd, 1, worker->patience / 4) > 0 || !worker_is_held(worker)) {
		if (!fd.revents)
			continue;
		if (!worker_hear(worker, &saying))
			return true;
		note(survey, worker, &saying, at);
		be_patient(survey, worker, *at);
	}
	return false;
}

int survey_spaces(struct survey *survey, struct fault *fault)
{
	const struct census_list *spaces = survey->spaces;
	size_t at = 0;

	losses_check(survey->losses);
	while (at < spaces->of.n) {
		struct job job = { .survey = survey, .from = at };
		struct worker worker;
		int err = worker_start(&worker, do_job, &job, survey->not, fault);

		if (err)
			return err;
		if (hear(survey, &worker, &at) || at == spaces->of.n) {
			worker_leave(&worker, survey->losses, false, &(struct lost){ 0 });
			break;
		}
		worker_leave(&worker, survey->losses, true,
			     &(struct lost){ .slot = spaces->of.v[at].slot, .netns = spaces->of.v[at].number });
		note_missed(survey, "a process there holds a socket locked");
		at++;
	}
	return 0;
}
