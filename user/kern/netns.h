/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network namespaces by the cookie that a socket of theirs shows. A namespace has no name of its own. It is found by
 * its handle (Linux 6.18), through a thread that lives in it, where it is mounted, or through a process that has a
 * socket of it.
 */
#ifndef SW_NETNS_H
#define SW_NETNS_H

#include <stdbool.h>
#include <stddef.h>

#include "abi.h"
#include "fault.h"

struct netns {
	__u64 cookie;       /* SO_NETNS_COOKIE of its sockets; given once while the host is up */
	__u32 inode;        /* in nsfs: given again when the namespace has ended */
	const __u64 *files; /* inodes of sockets of it, of which a process may have a descriptor; not owned */
	size_t n_files;
	__u32 thread; /* id of one that lives in it, as far as is known; or 0 */
	int fd;       /* owned; -1: it could not be found */
};

/*
 * Opens each of the `n` namespaces, of which all but `fd` is given, and which all differ. How many were found;
 * or -errno, and then none is open. Those that were not found have fd -1: they have ended, or are kept by nothing but
 * sockets that no process holds (closed but not yet gone, or on their way in a message), which Linux 6.18 alone can
 * find; or by those of `files` beyond the first 262,144 that the host's processes hold. Close with netns_close_all(),
 * and soon: until then they do not end. Raises the limit of open files if it must. Needs CAP_SYS_ADMIN and
 * CAP_SYS_PTRACE.
 */
int netns_open_all(struct netns *spaces, size_t n, struct fault *fault);
void netns_close_all(struct netns *spaces, size_t n);

/*
 * Puts the calling thread into the namespace; netns_leave() brings it back to where `home` is. netns_home() opens that:
 * a descriptor, owned by the caller. 0 or -errno. When netns_leave() fails the thread is still away: do not go on.
 */
int netns_home(struct fault *fault);
int netns_enter(const struct netns *space, struct fault *fault);
int netns_leave(int home, struct fault *fault);

/* Whether namespaces have handles here. */
bool netns_has_handles(void);

#endif
