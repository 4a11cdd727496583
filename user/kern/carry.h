/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs keep on sockets (the map `socks`) is carried from a map of another layout to this build's, so that what
 * was closed stays closed, and peers that were approved need not be asked again. What is noted there between this and
 * the moment in which the tenant has the new programs is not.
 */
#ifndef SW_CARRY_H
#define SW_CARRY_H

#include "fault.h"

struct sockwarden;

/* Before it is loaded: from the map `socks`. Where the kernel refuses such an iterator nothing is carried. */
int carry_prepare(struct sockwarden *skel, int socks, struct fault *fault);

/* After that. 0 or -errno. */
int carry_sockets(const struct sockwarden *skel, int socks, struct fault *fault);

#endif
