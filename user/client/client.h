/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon's socket, from the side of who asks: the commands and the exporter.
 */
#ifndef SW_CLIENT_H
#define SW_CLIENT_H

#include "snapshot.h"

/* What is sent to the daemon for a snapshot. For the log see event.h. */
#define SNAPSHOT_ASK "snapshot\n"
/* It reads the policies anew, for root: its messages come, and last a line with an exit status. */
#define RELOAD_ASK "reload\n"

/*
 * Asks the daemon at `path` (SW_SOCKET). A descriptor to read the answer from, on which a read waits for 8 s, or
 * -ENOENT or -ECONNREFUSED when none runs there, -EACCES, -ETIMEDOUT, or another -errno.
 */
int daemon_ask(const char *path, const char *question, struct fault *fault);

/* The same for a whole snapshot. 0, or -EBADMSG besides. */
int snapshot_ask(const char *path, struct snapshot *out, struct fault *fault);

#endif
