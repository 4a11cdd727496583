/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's own name servers, as glibc reads them from resolv.conf(5). */
#ifndef SW_RESOLV_H
#define SW_RESOLV_H

#include "prefix.h"

#define SET_RESOLVERS "resolvers" /* the set of them */
#define RESOLV_CONF   "/etc/resolv.conf"

/* Adds the addresses of the text's name servers, all of them, each once and in order; other lines are passed over. */
void resolv_parse(const char *text, size_t len, struct prefixes *out);

/* Likewise from this host's file. One that is not there names nobody. 0 or -errno. */
int resolv_read(struct prefixes *out);

/* A number that differs when the list does; never 0. */
__u64 resolv_hash(const struct prefixes *resolvers);

#endif
