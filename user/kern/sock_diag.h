/* SPDX-License-Identifier: GPL-2.0-only */
/* SOCK_DESTROY of sock_diag(7): closes one socket, found by its addresses and told from others by its cookie. */
#ifndef SW_SOCK_DIAG_H
#define SW_SOCK_DIAG_H

#include <stdbool.h>

#include "abi.h"
#include "fault.h"

/*
 * A netlink socket in the network namespace the thread is in now, and for that one for good. A descriptor; -ENOTSUP:
 * the kernel cannot look up sockets of TCP or UDP; or another -errno.
 */
int sock_diag_open(struct fault *fault);

/*
 * Closes the socket `found` describes, which must be `bound` and in the namespace of `fd`. 0, also when no more than
 * TIME_WAIT is left of it; -ENOENT: it is gone, or has moved to other addresses; -ESTALE: another at the same addresses
 * is always found in its place, as with SO_REUSEADDR on UDP, so that it cannot be reached; -EOPNOTSUPP: the kernel
 * lacks INET_DIAG_DESTROY; or another -errno. Needs CAP_NET_ADMIN. Before Linux 6.11 a TCP socket that no process has
 * any more may be left as it is.
 */
int sock_diag_destroy(int fd, const struct sw_found *found, struct fault *fault);

/* Whether the kernel can do that at all. */
bool sock_diag_destroys(void);

#endif
