/* SPDX-License-Identifier: GPL-2.0-only */
/* Socket options by the names programmers know. Others are written LEVEL:NUMBER. */
#ifndef SW_SOCKOPT_H
#define SW_SOCKOPT_H

#include <stdbool.h>

#include "names.h"

#define SOCKOPT_TEXT 32

/* False when the name is unknown. */
bool sockopt_parse(const char *text, int *level, int *name);

/* The name, or LEVEL:NUMBER written to `buf`. */
const char *sockopt_format(int level, int name, char buf[SOCKOPT_TEXT]);

/* "socket", or the level's protocol, as protocol_name() has it. */
const char *sockopt_level(int level, char buf[NUMBER_TEXT]);

#endif
