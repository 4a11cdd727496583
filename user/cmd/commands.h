/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands: what is parsed by, what --help prints, and what manual pages and completions are made of. */
#ifndef SW_COMMANDS_H
#define SW_COMMANDS_H

#include "cli.h"
#include "options.h"

extern const struct command commands[]; /* the last has no verb */

/* Those that the command takes. */
struct option_table command_options(const struct command *command);

#endif
