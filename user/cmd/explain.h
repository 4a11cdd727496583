/* SPDX-License-Identifier: GPL-2.0-only */
/* What explain.c, which is asked about addresses, and explain_name.c share. */
#ifndef SW_EXPLAIN_H
#define SW_EXPLAIN_H

#include "cli.h"
#include "host.h"
#include "slots.h"

/* A name and its service; the address of `flow` is of no meaning. */
struct named_peer {
	struct sw_flow flow;
	const char *name; /* lower case */
};

/* By the policy of this name. Exit status. */
int explain_name(struct cli *cli, const char *policy, const struct named_peer *peer);

/* By what the tenant has learned. Exit status. */
int explain_name_now(struct cli *cli, const char *tenant, const struct named_peer *peer);

/* A tenant, for who asks the kernel; on an error `fault` says what. host_close() it if it is 0. 0 or -errno. */
int explain_open(struct host *host, const char *name, struct tenancy *of, struct sw_tenant *tenant,
		 struct fault *fault);

#endif
