/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking systemd, which may be executing itself anew: it is tried for ten seconds. */
#ifndef SW_CMD_SYSTEMCTL_H
#define SW_CMD_SYSTEMCTL_H

#include "fault.h"

/* What `systemctl` prints, given with that name as the first argument: to be freed. 0, or -errno and it is NULL. */
int systemctl_ask(const char *const *args, char **answer, struct fault *fault);

/* systemd is to read its files anew. 0, also where no systemd runs, or -errno. */
int systemctl_reload(struct fault *fault);

#endif
