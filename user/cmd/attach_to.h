/* SPDX-License-Identifier: GPL-2.0-only */
/* What attaches, by whichever name. The exit status of the command is returned; what is wrong has been said. */
#ifndef SW_CMD_ATTACH_TO_H
#define SW_CMD_ATTACH_TO_H

#include "cli.h"

/* The cgroup or tenant of that name. `unit`: what a new tenant is called; NULL: after its directory. */
int attach_to(struct cli *cli, const char *text, const char *unit, const char *policy);

/* The enabled unit of systemd that this one is, or lies in: its cgroup is made. Another policy replaces the one it has. */
int attach_unit(struct cli *cli, const char *unit);

/* The same of an enabled unit's cgroup that is there. */
int attach_unit_at(struct cli *cli, const char *path);

#endif
