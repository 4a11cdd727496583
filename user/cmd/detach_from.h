/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_CMD_DETACH_FROM_H
#define SW_CMD_DETACH_FROM_H

#include "cli.h"

/* Detaches the tenant of that name or cgroup, and tells of it as `detach` does. The exit status of the command is returned. */
int detach_from(struct cli *cli, const char *text);

#endif
