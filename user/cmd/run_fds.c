// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run_fds.h"

#define FIRST 3 /* behind standard input, output and error; where LISTEN_FDS begin, too */

static bool is_kept(const struct run_fds *fds, int fd)
{
	for (size_t i = 0; i < fds->kept.n; i++)
		if (fds->kept.v[i] == fd)
			return true;
	return false;
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The next number of a list, and what is behind it and a comma; NULL if it is none. */
static const char *next_number(const char *text, int *number)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || value > INT_MAX || (*end && (*end != ',' || !end[1])))
		return NULL;
	*number = value;
	return end + (*end == ',');
}

static int read_list(const char *text, struct run_fds *fds, struct fault *fault)
{
	int fd;

	for (const char *at = text; at && *at;) {
		at = next_number(at, &fd);
		if (!at)
			return fault_set(fault, EINVAL,
					 "--preserve-fd %.40s: numbers of descriptors are wanted, with "
					 "commas between",
					 text);
		if (fcntl(fd, F_GETFD) < 0)
			return fault_set(fault, EINVAL, "--preserve-fd %d: no such descriptor is open", fd);
		if (!is_kept(fds, fd))
			*list_add(&fds->kept) = fd;
	}
	if (fds->kept.n)
		qsort(fds->kept.v, fds->kept.n, sizeof(*fds->kept.v), ascending);
	return 0;
}

/* Of any family but unix. */
static bool is_network(int fd)
{
	int domain;
	socklen_t len = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain != AF_UNIX;
}

int run_fds_read(const char *text, struct run_fds *fds, struct fault *fault)
{
	int err;

	*fds = (struct run_fds){ 0 };
	err = read_list(text, fds, fault);
	for (int fd = 0; fd < FIRST && !err; fd++)
		if (is_network(fd) && !is_kept(fds, fd))
			err = fault_set(fault, EINVAL,
					"descriptor %d is a socket that was made outside the policy: close it, or say "
					"--preserve-fd %d, under a policy with 'transfer: allow'",
					fd, fd);
	return err;
}

int run_fds_check(const struct run_fds *fds, bool transfer, struct fault *fault)
{
	for (size_t i = 0; i < fds->kept.n && !transfer; i++)
		if (is_network(fds->kept.v[i]))
			return fault_set(
				fault, EINVAL,
				"--preserve-fd %d: it is a socket that was made outside, and the policy has whoever "
				"uses one ended: say 'transfer: allow' there",
				fds->kept.v[i]);
	return 0;
}

void run_fds_free(struct run_fds *fds)
{
	free(fds->kept.v);
}

/* How many sd_listen_fds(3) would find here. */
static int count_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

	return pid && n && atoi(pid) == getppid() ? atoi(n) : 0;
}

/* The service manager meant us; what was kept is the command's, if it is all of it. */
static void pass_listen_fds(const struct run_fds *fds)
{
	int n = count_listen_fds();
	bool all = n > 0;
	char pid[16];

	for (int fd = FIRST; all && fd - FIRST < n; fd++)
		all = is_kept(fds, fd);
	if (all) {
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		return;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

int run_fds_close(const struct run_fds *fds)
{
	unsigned next = FIRST;

	pass_listen_fds(fds);
	for (size_t i = 0; i < fds->kept.n; i++) {
		unsigned fd = fds->kept.v[i];

		if (fd > next && close_range(next, fd - 1, 0))
			return -errno;
		if (fd >= next)
			next = fd + 1;
	}
	return close_range(next, ~0U, 0) ? -errno : 0;
}
