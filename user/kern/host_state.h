/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host knows beside its tenants: the map `host`, with the epoch of the maps, the last serial, the ledger that
 * books here and the name servers. For the files of this folder; others ask by the functions of host.h.
 */
#ifndef SW_HOST_STATE_H
#define SW_HOST_STATE_H

#include "host.h"

/* 0 or -errno. Written with the lock held. */
int state_read(const struct host *host, struct sw_host *state, struct fault *fault);
int state_write(struct host *host, const struct sw_host *state, struct fault *fault);

#endif
