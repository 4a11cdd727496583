/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs keep on sockets (the map `socks`) is carried from a map of another layout to this build's, so that what
 * was closed stays closed, and peers that were approved need not be asked again. What is noted there between this and
 * the moment in which the tenant has the new programs is not.
 */
#ifndef SW_CARRY_H
#define SW_CARRY_H

#include <stdbool.h>

#include "fault.h"

struct sockwarden;

/* Before it is loaded: nothing is to be carried. */
void carry_nothing(struct sockwarden *skel);

/* Or from the map `socks`: of `all` sockets, if the kernel allows that iterator, or of those that a process holds. */
int carry_prepare(struct sockwarden *skel, int socks, bool all, struct fault *fault);

/* Does it, when it is loaded. 0 or -errno. */
int carry_sockets(const struct sockwarden *skel, int socks, struct fault *fault);

#endif
