/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces to test with. Nothing in them reaches beyond their own loopback. */
#ifndef SW_KERN_SUPPORT_H
#define SW_KERN_SUPPORT_H

#include "../../pure/unit/test.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"

/* Of the namespace the calling thread is in. */
static inline struct netns current_netns(void)
{
	struct netns space = { .fd = -1 };
	socklen_t len = sizeof(space.cookie);
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stat stat_of;

	if (getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &space.cookie, &len) ||
	    stat("/proc/thread-self/ns/net", &stat_of))
		abort();
	close(sock);
	space.inode = stat_of.st_ino;
	return space;
}

/* Into a network namespace of its own, with a loopback that is up. */
static inline void new_netns(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int sock;

	if (unshare(CLONE_NEWNET))
		abort();
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(sock, SIOCSIFFLAGS, &lo))
		abort();
	close(sock);
}

/* Namespaces of every kind, with no processes of the host to be seen in them; they end when the tests do. */
static inline void own_world(void)
{
	pid_t child;
	int status;

	if (unshare(CLONE_NEWNS | CLONE_NEWPID) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		abort();
	child = fork();
	if (child > 0) {
		while (waitpid(child, &status, 0) != child)
			;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	if (child < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) || mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, NULL))
		abort();
	new_netns();
}

#endif
