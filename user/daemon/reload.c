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
#include "named.h"
#include "reload.h"
#include "say.h"
#include "tenant_set.h"

struct reload_job {
	struct source source; /* a timer: when there is more to do */
	struct reloading *reloading;
	char *text; /* what there is to say */
	size_t len;
	FILE *said;
	__u64 resolvers; /* which they were when it began */
	bool again;      /* somebody has asked meanwhile */
	struct daemon *daemon;
	struct tenant_set folders; /* of tenants' files; the keeper reads those */
	bool asked;                /* it to apply them */
};

static void tell_kept(const char *tenant, const struct fault *why, void *data)
{
	warn_to(((struct reload_job *)data)->said, "tenant %s keeps the policy it has: %s", tenant, why->text);
}

#define ASK_AGAIN 25 /* ms */

static int change_tenants(bool mistaken, void *data, struct fault *fault)
{
	struct reload_job *job = data;
	bool failed = false;
	int err;

	if (!job->asked)
		tenants_ask(job->daemon, mistaken);
	job->asked = true;
	err = tenants_hear(job->daemon, job->said, &failed);
	if (err > 0)
		return ASK_AGAIN;
	return err || failed ? fault_set(fault, EINVAL, "all tenants keep the policies they have") : 0;
}

static bool is_tenants(const char *policy, void *data)
{
	return tenant_set_folder(&((struct reload_job *)data)->folders, policy) != NULL;
}

static void job_free(struct reload_job *job)
{
	reload_end(job->reloading);
	tenant_set_free(&job->folders);
	close(job->source.fd);
	fclose(job->said);
	free(job->text);
	free(job);
}

/* What became of it: for the log, behind what there was to say, and for who has asked. */
static void tell_outcome(struct reload_job *job, int err, const struct fault *fault)
{
	struct about about = { .message = JOURNAL_RELOADED, .priority = err ? JOURNAL_WARNING : JOURNAL_NOTICE };
	size_t policies = reload_policies(job->reloading);
	char *line = err ? mem_printf("reload: %s", fault->text)
			 : mem_printf("reload: %zu polic%s read", policies, policies == 1 ? "y" : "ies");

	fflush(job->said);
	fwrite(job->text, 1, job->len, stderr);
	warn_about(&about, "%s", line);
	warn_to(job->said, "%s", line);
	fflush(job->said);
	free(line);
}

/* The keeper reads the policies for itself, each when it is needed. */
static void finish(struct daemon *daemon, struct reload_job *job, int err, const struct fault *fault)
{
	tell_outcome(job, err, fault);
	daemon->state.reloads++;
	daemon->state.reload_errors += err != 0;
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
	struct reload how = {
		.ledger = daemon->ledger,
		.kept = tell_kept,
		.others = change_tenants,
		.is_others = is_tenants,
	};
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
	how.mistakes = job->said;
	how.data = job;
	job->daemon = daemon;
	tenant_set_folders(policy_path(), &job->folders);
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
