// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cgroup of its own, a policy on it, one command inside. The command starts in the cgroup, so that no
 * instruction of it runs outside; it runs as the user who called sudo. When it ends, what it left behind is
 * ended too and the cgroup removed.
 */
#include <errno.h>
#include <grp.h>
#include <linux/sched.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "allow.h"
#include "attach.h"
#include "cli.h"
#include "detach.h"
#include "load.h"
#include "mem.h"
#include "named.h"
#include "publish.h"
#include "run_cgroup.h"
#include "run_fds.h"
#include "run_filter.h"
#include "run_outside.h"

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

/* 1: sudo was called by this user; 0: there was no sudo; or -EINVAL. */
static int find_caller(unsigned *uid, unsigned *gid)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");

	if (!uid_text && !gid_text)
		return 0;
	return uid_text && gid_text && read_id(uid_text, uid) && read_id(gid_text, gid) ? 1 : -EINVAL;
}

/* `user` NULL: it has no name, and no groups. 0, or -1 and errno. */
static int take_groups(const struct passwd *user, gid_t gid)
{
	return user ? initgroups(user->pw_name, gid) : setgroups(0, NULL);
}

/* Who called sudo; without sudo, who we are. */
static int become_caller(void)
{
	struct passwd *user;
	unsigned uid, gid;
	int found = find_caller(&uid, &gid);

	if (found != 1)
		return found;
	user = getpwuid(uid);
	if (take_groups(user, gid) || setgid(gid) || setuid(uid))
		return -errno;
	if (user) {
		setenv("HOME", user->pw_dir, 1);
		setenv("USER", user->pw_name, 1);
		setenv("LOGNAME", user->pw_name, 1);
	}
	return 0;
}

/* What the process is that becomes the command. */
struct setup {
	sigset_t mask; /* the caller's */
	struct run_fds fds;
	struct run_filter filter;
};

static void stop_if(int err, const char *what)
{
	if (!err)
		return;
	warn("cannot %s: %s", what, strerror(-err));
	_exit(EXIT_RUN_FAILED);
}

static void child(char **args, const struct setup *setup)
{
	int err;

	stop_if(run_fds_close(&setup->fds), "close the caller's descriptors");
	stop_if(run_filter_install(&setup->filter), "install the filter of system calls that the policy asks for");
	stop_if(become_caller(), "become the user of SUDO_UID and SUDO_GID");
	sigprocmask(SIG_SETMASK, &setup->mask, NULL);
	execvp(args[0], args);
	err = errno;
	warn("%s: %s", args[0], strerror(err));
	_exit(err == ENOENT ? EXIT_RUN_NONE : EXIT_RUN_CANNOT);
}

static pid_t spawn(const struct cgroup *cgroup, char **args, const struct setup *setup)
{
	struct clone_args how = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup->fd,
	};
	pid_t pid = syscall(SYS_clone3, &how, sizeof(how));

	if (!pid)
		child(args, setup);
	return pid;
}

/* Those who end are looked at before they are forgotten. True when the command is among them. */
static bool wait_for_ended(pid_t pid, struct outside *outside, int *status)
{
	siginfo_t ended = { 0 };
	bool over = false;

	while (!over && !waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) && ended.si_pid) {
		outside_look_at(outside, ended.si_pid);
		over = waitpid(ended.si_pid, status, WNOHANG) == pid;
		ended.si_pid = 0;
	}
	return over;
}

#define LOOK_FIRST  10000000   /* ns; each look waits twice as long as the one before, */
#define LOOK_LATEST 1000000000 /* but no longer than this */

/* Passes signals on until the command has ended; its exit status as a shell has it. */
static int supervise(pid_t pid, struct outside *outside)
{
	const sigset_t set = forwarded_and(SIGCHLD);
	long long wait = LOOK_FIRST;
	siginfo_t info;
	int status;

	for (;;) {
		struct timespec until = { wait / LOOK_LATEST, wait % LOOK_LATEST };
		int signal = sigtimedwait(&set, &info, &until);

		if (signal == SIGCHLD && wait_for_ended(pid, outside, &status))
			break;
		if (signal < 0 && errno == EAGAIN) {
			outside_look(outside);
			wait = wait < LOOK_LATEST / 2 ? 2 * wait : LOOK_LATEST;
		}
		if (signal > 0 && signal != SIGCHLD &&
		    info.si_code <= 0) /* sent by a process; the terminal's go to us both */
			kill(pid, signal);
	}
	outside_look(outside);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Ends the tenancy; `report`: what it did. The name may be another's by now: the tenancy is ours. */
static int end_tenancy(const struct attachment *as, const struct cgroup *cgroup, struct report *report, bool *ours,
		       struct fault *fault)
{
	struct ending ending = { .remove = cgroup };
	struct host host;
	struct tenancy of;
	int err = host_open(&host, HOST_CHANGING, fault);

	if (err)
		return err;
	of = tenancy_numbered(&host, as->number);
	*ours = of.number;
	if (*ours)
		err = tenancy_close(&host, of, &ending, report, fault);
	cgroup_remove(cgroup); /* if it is there still */
	publish_tidy(&host);
	host_close(&host);
	return err;
}

/* It is told when the lock is given back: the command may have stopped the terminal, or left a pipe that nobody reads. */
static int close_account(struct cli *cli, const struct attachment *as, const struct cgroup *cgroup, struct fault *fault)
{
	struct report report = { 0 };
	bool ours = false;
	int err = end_tenancy(as, cgroup, &report, &ours, fault);

	if (!err && !ours)
		warn("someone detached %s meanwhile: its command went on without a policy, or under another", as->name);
	if (!err && ours && !cli_has(cli, OPTION_QUIET))
		cli_report(cli, &report, NULL, stderr);
	report_free(&report);
	return err;
}

static int finish(struct cli *cli, const struct attachment *as, const struct cgroup *cgroup, struct fault *fault)
{
	int ended = cgroup_end(cgroup);

	if (ended < 0)
		return fault_set(fault, -ended, "cannot end what the command left in %s: %s; tenant %s stays attached",
				 cgroup->path, strerror(-ended), as->name);
	if (ended > 0)
		warn("ended %d process%s that the command left behind", ended, ended > 1 ? "es" : "");
	return close_account(cli, as, cgroup, fault);
}

/* The cgroup says whose it is before it is. */
static int attach(struct host *host, struct attachment *as, const struct cgroup *cgroup, struct fault *fault)
{
	struct tenancy ours;
	int err = host_next_serial(host, &as->number, fault);

	if (!err)
		err = run_cgroup_mark(cgroup, as->number, fault);
	return err ? err : tenancy_attach(host, cgroup, as, &ours, fault);
}

#define NAME_TRIES 100 /* process numbers are not unique where there are several namespaces of them */

static int make_cgroup(const struct host *host, const char *tenant, char name[SW_NAME_MAX], struct cgroup *cgroup,
		       struct fault *fault)
{
	int err = -EEXIST;

	if (tenant) {
		snprintf(name, SW_NAME_MAX, "%s", tenant);
		return run_cgroup_make(host, name, cgroup, fault);
	}
	for (int i = 0; i < NAME_TRIES && err == -EEXIST; i++) {
		snprintf(name, SW_NAME_MAX, i ? RUN_PREFIX "%d-%d" : RUN_PREFIX "%d", getpid(), i);
		err = run_cgroup_make(host, name, cgroup, fault);
	}
	return err;
}

/* All of it under one lock, so that of two runs with one name the second finds what the first has made. */
static int prepare(struct attachment *as, const char *tenant, char name[SW_NAME_MAX], struct cgroup *cgroup,
		   struct fault *fault)
{
	struct host host;
	int err = host_open(&host, HOST_LOADING, fault);

	if (err)
		return err;
	run_cgroup_sweep(&host);
	err = make_cgroup(&host, tenant, name, cgroup, fault);
	if (!err) {
		err = attach(&host, as, cgroup, fault);
		if (err)
			cgroup_remove(cgroup);
	}
	if (err)
		publish_tidy(&host);
	host_close(&host);
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

static int start(const struct cgroup *cgroup, char **args, const struct setup *setup, struct fault *fault)
{
	struct outside outside;
	int status = interrupted();
	pid_t pid;

	if (status)
		return status;
	outside_begin(&outside, cgroup);
	pid = spawn(cgroup, args, setup);
	if (pid < 0)
		return fault_set(fault, errno, "cannot start the command in its cgroup: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN); /* a report that nobody reads must not keep the tenant */
	status = supervise(pid, &outside);
	outside_tell(&outside);
	outside_end(&outside);
	return status;
}

static int run(struct cli *cli, const struct image *image, const char *source, struct setup *setup, struct fault *fault)
{
	const sigset_t set = forwarded_and(SIGCHLD);
	char name[SW_NAME_MAX];
	struct attachment as = { .name = name, .policy = source, .image = image };
	struct cgroup cgroup = { .fd = -1 };
	struct fault second = { 0 };
	int status, err;

	sigprocmask(SIG_BLOCK, &set, &setup->mask);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would lose the command's status */
	status = prepare(&as, cli->value[OPTION_TENANT], name, &cgroup, fault);
	if (!status) {
		status = start(&cgroup, cli->args, setup, fault);
		err = finish(cli, &as, &cgroup, &second);
		if (err) {
			*fault = second;
			status = err;
		}
	}
	cgroup_close(&cgroup);
	return status;
}

/* What --policy says, or what --allow comes to; to be freed. */
static char *chosen_policy(const struct cli *cli)
{
	const char *policy = cli->value[OPTION_POLICY], *allow = cli->value[OPTION_ALLOW];

	return allow ? mem_printf(ALLOW_MARK "%s", allow) : mem_strdup(policy ? policy : DEFAULT_POLICY);
}

/* As policy_compile(), with the user's rights to files. */
static struct image *compile_as(const char *policy, unsigned uid, unsigned gid)
{
	struct passwd *user = getpwuid(uid);
	int n = getgroups(0, NULL);
	gid_t *groups = mem_alloc(n + 1, sizeof(*groups));
	struct image *image = NULL;

	n = getgroups(n, groups);
	if (take_groups(user, gid)) {
		warn("cannot take the groups of the user of SUDO_UID: %s", strerror(errno));
	} else {
		setfsgid(gid);
		setfsuid(uid);
		image = policy_compile(policy, false, stderr);
		setfsuid(geteuid());
		setfsgid(getegid());
	}
	if (n < 0 || setgroups(n, groups)) {
		warn("cannot take our groups back: %s", strerror(errno));
		image_free(image);
		image = NULL;
	}
	free(groups);
	return image;
}

/* A file that who called sudo names is read with that user's rights: mistakes in it are shown. */
static struct image *compile_chosen(const char *policy)
{
	unsigned uid, gid;

	if (policy_is_path(policy) && find_caller(&uid, &gid) == 1)
		return compile_as(policy, uid, gid);
	return policy_compile(policy, false, stderr);
}

/* Reads the policy, which is what the command is run under. */
static int run_under_policy(struct cli *cli, struct setup *setup, struct fault *fault)
{
	char *policy = chosen_policy(cli);
	struct image *image = compile_chosen(policy);
	char *source = image ? policy_source(policy) : NULL;
	int status = EXIT_RUN_FAILED; /* its mistakes have been told */

	if (image)
		status = run_fds_check(&setup->fds, image->settings.transfer, fault);
	if (image && !status)
		status = run_filter_make(&setup->filter, &image->settings, fault);
	if (image && !status)
		status = run(cli, image, source, setup, fault);
	run_filter_free(&setup->filter);
	image_free(image);
	free(source);
	free(policy);
	return status;
}

/* What is wrong with the command line. */
static int check_options(const struct cli *cli, struct fault *fault)
{
	const char *tenant = cli->value[OPTION_TENANT], *wrong = tenant ? tenant_name_check(tenant) : NULL;

	if (cli_has(cli, OPTION_POLICY) && cli_has(cli, OPTION_ALLOW))
		return fault_set(fault, EINVAL, "--allow is a policy: leave --policy out, or write the names into it");
	return wrong ? fault_set(fault, EINVAL, "'%s' cannot name a tenant: %s", tenant, wrong) : 0;
}

int cmd_run(struct cli *cli)
{
	struct setup setup = { 0 };
	struct fault fault;
	int status = check_options(cli, &fault);

	if (!status)
		status = run_fds_read(cli->value[OPTION_PRESERVE_FD], &setup.fds, &fault);
	if (!status)
		status = run_under_policy(cli, &setup, &fault);
	run_fds_free(&setup.fds);
	if (status >= 0)
		return status;
	warn("%s", fault.text);
	return EXIT_RUN_FAILED;
}
