/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which descriptors of its caller a command gets: 0 to 2, and those that were asked for. A socket that was made outside
 * is under no policy, and nobody counts what goes over it.
 */
#ifndef SW_RUN_FDS_H
#define SW_RUN_FDS_H

#include <stdbool.h>

#include "fault.h"
#include "mem.h"

struct run_fds {
	LIST(int) kept; /* ascending */
};

/*
 * Reads the list of --preserve-fd, NULL or numbers with commas, while no descriptor is open but the caller's. 0, or
 * -EINVAL: one is none, is not open, or is a socket on 0 to 2 that was not asked for. To be freed in any case.
 */
int run_fds_read(const char *text, struct run_fds *fds, struct fault *fault);
void run_fds_free(struct run_fds *fds);

/* -EINVAL: one of them is a socket, and the policy says `transfer: deny`, under which who uses it is ended. */
int run_fds_check(const struct run_fds *fds, bool transfer, struct fault *fault);

/* In the process that is to become the command: closes the others, and has LISTEN_FDS say what is left. 0 or -errno. */
int run_fds_close(const struct run_fds *fds);

#endif
