// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cgroup of its own, a policy on it, one command inside. The command starts in the cgroup, so that no
 * instruction of it runs outside; it runs as the user who called sudo. When it ends, what it left behind is
 * ended too and the cgroup removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "budget.h"
#include "cli.h"
#include "tenant.h"

#define RUN_PREFIX "run-"

/* Signals that are passed on. Those of the terminal reach the command by themselves. */
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH };

static sigset_t forwarded_and(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		sigaddset(&set, forwarded[i]);
	return set;
}

/* While a run lives it holds a lock on its cgroup's directory. */
static bool has_owner(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool owned = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);

	if (fd >= 0)
		close(fd);
	return owned;
}

/* A run that was cut short by SIGKILL: its cgroup is gone, or is there and nobody owns it or lives in it. */
static bool is_stale(const struct host *host, __u32 slot, const char *root)
{
	const struct sw_record *record = &host->records[slot];
	char path[2 * SW_PATH_MAX];

	snprintf(path, sizeof(path), "%s/sockwarden/%s", root, record->name);
	if (!record->cgroup || record->lingers || strncmp(record->name, RUN_PREFIX, strlen(RUN_PREFIX)) ||
	    strcmp(path, record->path))
		return false;
	if (tenant_state(host, slot) == TENANT_GONE)
		return true;
	return cgroup_id(path) == record->cgroup && !has_owner(path) && !cgroup_populated(path);
}

#define DRAIN_TRIES 100 /* of 10 ms: most sockets have sent all they had by then */

/* The cgroup was removed: gives its sockets a moment to end. */
static void drain(const struct host *host, __u32 slot)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int i = 0; i < DRAIN_TRIES && tenant_lingers(host, slot); i++)
		nanosleep(&pause, NULL);
}

/* What stale runs left is still enforced; it goes with the next run. */
static void sweep(struct host *host, const char *root)
{
	struct fault ignored;

	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++) {
		const struct sw_record record = host->records[slot];

		if (!is_stale(host, slot, root))
			continue;
		cgroup_remove(record.path);
		drain(host, slot);
		tenant_detach(host, record.name, &ignored);
	}
}

/* A number as sudo writes it; false for anything else. */
static bool read_id(const char *text, unsigned *id)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	*id = value;
	return *text >= '0' && *text <= '9' && !*end && !errno && value < (unsigned)-1;
}

/* Who called sudo; without sudo, who we are. */
static int become_caller(void)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	struct passwd *user;
	unsigned uid, gid;

	if (!uid_text && !gid_text)
		return 0;
	if (!uid_text || !gid_text || !read_id(uid_text, &uid) || !read_id(gid_text, &gid))
		return -EINVAL;
	user = getpwuid(uid);
	if ((user ? initgroups(user->pw_name, gid) : setgroups(0, NULL)) || setgid(gid) || setuid(uid))
		return -errno;
	if (user) {
		setenv("HOME", user->pw_dir, 1);
		setenv("USER", user->pw_name, 1);
		setenv("LOGNAME", user->pw_name, 1);
	}
	return 0;
}

static void child(char **args, const sigset_t *mask)
{
	int err = become_caller();

	sigprocmask(SIG_SETMASK, mask, NULL);
	if (err) {
		warn("cannot become the user of SUDO_UID and SUDO_GID: %s", strerror(-err));
		_exit(EXIT_RUN_FAILED);
	}
	execvp(args[0], args);
	err = errno;
	warn("%s: %s", args[0], strerror(err));
	_exit(err == ENOENT ? EXIT_RUN_NONE : EXIT_RUN_CANNOT);
}

static pid_t spawn(const struct cgroup *cgroup, char **args, const sigset_t *mask)
{
	struct clone_args how = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup->fd,
	};
	pid_t pid = syscall(SYS_clone3, &how, sizeof(how));

	if (!pid)
		child(args, mask);
	return pid;
}

/* Passes signals on until the command has ended; its exit status as a shell has it. */
static int supervise(pid_t pid)
{
	const sigset_t set = forwarded_and(SIGCHLD);
	siginfo_t info;
	int status;

	for (;;) {
		int signal = sigwaitinfo(&set, &info);

		if (signal == SIGCHLD) {
			if (waitpid(pid, &status, WNOHANG) != pid)
				continue;
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		}
		if (signal > 0 && info.si_code <= 0) /* sent by a process; the terminal's go to us both */
			kill(pid, signal);
	}
}

/* The cgroup goes first: what its sockets have yet to send goes out under the policy, and is metered. */
static int end_tenancy(struct host *host, const char *name, const struct cgroup *cgroup, struct report *report,
		       struct fault *fault)
{
	cgroup_remove(cgroup->path);
	drain(host, tenant_find(host, name));
	return tenant_close(host, name, report, fault);
}

/* Reports what the tenant did, and ends it. */
static int close_account(struct cli *cli, const char *name, const struct cgroup *cgroup, struct fault *fault)
{
	struct report report = { 0 };
	struct host host;
	__u32 slot;
	int err = host_open(&host, HOST_CHANGING, fault);

	if (err)
		return err;
	slot = tenant_find(&host, name);
	if (!slot || host.records[slot].cgroup != cgroup->id) { /* none, or the name is another's by now */
		host_close(&host);
		warn("someone detached %s meanwhile: its command went on without a policy", name);
		return 0;
	}
	err = tenant_report(&host, slot, &report, fault);
	if (!err)
		err = end_tenancy(&host, name, cgroup, &report, fault);
	if (!err)
		cli_report(cli, &report, NULL, stderr);
	report_free(&report);
	if (!err)
		err = publish_collect(&host, fault);
	host_close(&host);
	return err;
}

static int finish(struct cli *cli, const char *name, const struct cgroup *cgroup, struct fault *fault)
{
	int ended = cgroup_end(cgroup->path), err;

	if (ended < 0)
		return fault_set(fault, -ended, "cannot end what the command left in %s: %s; tenant %s stays attached",
				 cgroup->path, strerror(-ended), name);
	if (ended > 0)
		warn("ended %d process%s that the command left behind", ended, ended > 1 ? "es" : "");
	err = close_account(cli, name, cgroup, fault);
	cgroup_remove(cgroup->path); /* if it is there still */
	return err;
}

static int prepare(struct attachment *as, const struct cgroup *cgroup, const struct image *image, struct fault *fault)
{
	struct fault ignored;
	struct host host;
	int err = host_open(&host, HOST_LOADING, fault);

	if (err)
		return err;
	sweep(&host, cgroup->root);
	err = budget_limit(&host, as->name, 0, &image->settings, &as->limit, fault);
	if (!err)
		err = publish(&host, image, &as->image, fault);
	if (!err)
		err = tenant_attach(&host, cgroup, as, fault);
	if (err)
		publish_collect(&host, &ignored);
	host_close(&host);
	return err;
}

static int make_cgroup(const char *name, struct cgroup *cgroup, struct fault *fault)
{
	char root[SW_PATH_MAX], path[2 * SW_PATH_MAX];
	int err = cgroup_root(root, fault);

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/sockwarden/%s", root, name);
	if (strlen(path) >= SW_PATH_MAX)
		return fault_set(fault, ENAMETOOLONG, "the path %s is too long", path);
	err = cgroup_make(path, fault);
	if (!err)
		err = cgroup_open(cgroup, path, fault);
	if (!err && flock(cgroup->fd, LOCK_SH))
		err = fault_set(fault, errno, "cannot lock %s: %s", path, strerror(errno));
	return err;
}

#define NAME_TRIES 100 /* process numbers are not unique where there are several namespaces of them */

static int make_named_cgroup(const char *tenant, char name[SW_NAME_MAX], struct cgroup *cgroup, struct fault *fault)
{
	int err = -EEXIST;

	if (tenant) {
		snprintf(name, SW_NAME_MAX, "%s", tenant);
		return make_cgroup(name, cgroup, fault);
	}
	for (int i = 0; i < NAME_TRIES && err == -EEXIST; i++) {
		snprintf(name, SW_NAME_MAX, i ? RUN_PREFIX "%d-%d" : RUN_PREFIX "%d", getpid(), i);
		err = make_cgroup(name, cgroup, fault);
	}
	return err;
}

/* A signal that came before there was a command to pass it to: 128 more than it, or 0. */
static int interrupted(void)
{
	const struct timespec at_once = { 0 };
	sigset_t set;
	int signal;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		if (forwarded[i] != SIGWINCH)
			sigaddset(&set, forwarded[i]);
	signal = sigtimedwait(&set, NULL, &at_once);
	return signal > 0 ? 128 + signal : 0;
}

static int start(const struct cgroup *cgroup, char **args, const sigset_t *mask, struct fault *fault)
{
	int status = interrupted();
	pid_t pid;

	if (status)
		return status;
	pid = spawn(cgroup, args, mask);
	if (pid < 0)
		return fault_set(fault, errno, "cannot start the command in its cgroup: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN); /* a report that nobody reads must not keep the tenant */
	return supervise(pid);
}

static int run_in(struct cli *cli, struct attachment *as, struct cgroup *cgroup, const struct image *image,
		  struct fault *fault)
{
	const sigset_t set = forwarded_and(SIGCHLD);
	struct fault second = { 0 };
	sigset_t before;
	int status, err;

	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would lose the command's status */
	err = prepare(as, cgroup, image, fault);
	if (err) {
		cgroup_remove(cgroup->path);
		return err;
	}
	status = start(cgroup, cli->args, &before, fault);
	err = finish(cli, as->name, cgroup, &second);
	if (err)
		*fault = second;
	return err ? err : status;
}

int cmd_run(struct cli *cli)
{
	const char *policy = cli->value[OPTION_POLICY] ? cli->value[OPTION_POLICY] : DEFAULT_POLICY;
	const char *tenant = cli->value[OPTION_TENANT], *wrong = tenant ? tenant_name_check(tenant) : NULL;
	struct cgroup cgroup = { .fd = -1 };
	struct image *image;
	struct fault fault;
	char name[SW_NAME_MAX], *source;
	int status;

	if (wrong) {
		warn("'%s' cannot name a tenant: %s", tenant, wrong);
		return EXIT_RUN_FAILED;
	}
	image = cli_compile(policy, false);
	if (!image)
		return EXIT_RUN_FAILED;
	source = cli_policy_source(policy);
	status = make_named_cgroup(tenant, name, &cgroup, &fault);
	if (!status)
		status = run_in(cli, &(struct attachment){ .name = name, .policy = source }, &cgroup, image, &fault);
	if (status < 0) {
		warn("%s", fault.text);
		status = EXIT_RUN_FAILED;
	}
	cgroup_close(&cgroup);
	image_free(image);
	free(source);
	return status;
}
