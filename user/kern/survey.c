// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void do_job(int out, void *data)
{
	struct job *job = data;
	const struct census_list *spaces = job->survey->spaces;

	job->out = out;
	for (size_t i = job->from; i < spaces->of.n; i++) {
		struct saying saying = { .what = SAID_WALKED, .at = i + 1, .n = 1 };

		if (!is_held(job->survey->losses, &spaces->of.v[i]))
			go_through(job, &spaces->of.v[i], &saying.held);
		worker_say(out, &saying);
	}
}

static void note_missed(struct survey *survey, const char *why)
{
	if (!survey->missed++)
		fault_set(&survey->why, 0, "%s", why);
}

static void note(struct survey *survey, const struct saying *saying, size_t *at)
{
	switch (saying->what) {
	case SAID_FOUND:
		survey->found(survey->data, &saying->found);
		break;
	case SAID_MISSED:
		note_missed(survey, saying->why);
		break;
	default:
		*at = saying->at;
		if (saying->held > survey->held)
			survey->held = saying->held;
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
		note(survey, &saying, at);
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
			worker_leave(&worker, survey->losses, NULL);
			break;
		}
		worker_leave(&worker, survey->losses,
			     &(struct lost){ .slot = spaces->of.v[at].slot, .netns = spaces->of.v[at].number });
		note_missed(survey, "a process there holds a socket locked");
		at++;
	}
	return 0;
}
