// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies are read anew in pieces, and timers, clients and the ring are served in between. Who asks while it is under
 * way is answered by the next one: files may have changed since this one read them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "daemon.h"
#include "reload.h"
#include "say.h"

struct reload_job {
	struct source source; /* a timer: when there is more to do */
	struct reloading *reloading;
	char *text; /* what there is to say */
	size_t len;
	FILE *said;
	__u64 resolvers; /* which they were when it began */
	bool again;      /* somebody has asked meanwhile */
};

static void tell_kept(const char *tenant, const struct fault *why, void *said)
{
	warn_to(said, "tenant %s keeps the policy it has: %s", tenant, why->text);
}

static void job_free(struct reload_job *job)
{
	reload_end(job->reloading);
	close(job->source.fd);
	fclose(job->said);
	free(job->text);
	free(job);
}

/* The keeper reads the policies for itself, each when it is needed. */
static void finish(struct daemon *daemon, struct reload_job *job, int err, const struct fault *fault)
{
	size_t policies = reload_policies(job->reloading);

	if (err)
		warn_to(job->said, "reload: %s", fault->text);
	else
		warn_to(job->said, "reload: %zu polic%s read", policies, policies == 1 ? "y" : "ies");
	fflush(job->said);
	daemon->state.reloads++;
	daemon->state.reload_errors += err != 0;
	fwrite(job->text, 1, job->len, stderr);
	resolvers_reloaded(daemon, job->resolvers, err);
	server_reloaded(daemon, job->text, err != 0);
	keeper_go(daemon);
	notify("READY=1");
}

/* Setting it anew takes back that it was ready. */
static void step_after(struct reload_job *job, int ms)
{
	timerfd_settime(job->source.fd, 0, &(struct itimerspec){ .it_value.tv_nsec = ms * 1000000L }, NULL);
}

static int on_step(struct daemon *daemon, struct source *source, struct fault *fault)
{
	struct reload_job *job = (struct reload_job *)source;
	struct fault why;
	int more = reload_step(job->reloading, &why);

	(void)fault;
	if (more > 0) {
		step_after(job, more);
		return 0;
	}
	finish(daemon, job, more, &why);
	daemon->reload = NULL;
	if (job->again && !daemon->stop)
		daemon_reload(daemon);
	else if (!daemon->stop && resolvers_hash() != job->resolvers)
		resolvers_check(daemon); /* they have changed since it began, and were left to this moment */
	job_free(job);
	return 0;
}

void daemon_reload(struct daemon *daemon)
{
	struct reload_job *job = daemon->reload;
	struct reload how = { .ledger = daemon->ledger, .kept = tell_kept };
	struct fault fault;

	if (job) {
		job->again = true;
		return;
	}
	server_reloads(daemon);
	job = mem_alloc(1, sizeof(*job));
	job->resolvers = resolvers_hash();
	job->said = open_memstream(&job->text, &job->len);
	if (!job->said)
		abort();
	how.mistakes = how.data = job->said;
	job->reloading = reload_begin(&daemon->host, &how);
	job->source = (struct source){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), on_step };
	notify_reloading();
	step_after(job, 1);
	if (!daemon_watch(daemon, &job->source, EPOLLIN, &fault)) {
		daemon->reload = job;
		return;
	}
	finish(daemon, job, -EIO, &fault);
	job_free(job);
}

void reload_stop(struct daemon *daemon)
{
	if (daemon->reload)
		job_free(daemon->reload);
	daemon->reload = NULL;
}
