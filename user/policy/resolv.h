/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's own name servers, as glibc reads them from resolv.conf(5). */
#ifndef SW_RESOLV_H
#define SW_RESOLV_H

#include "prefix.h"

#define SET_RESOLVERS "resolvers" /* the set of them */
/* Whose answers are believed where a policy does not say it: the host's name servers', and Google's. */
#define RESOLVERS_USUAL SET_RESOLVERS, "8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"

#define RESOLV_CONF "/etc/resolv.conf"

/* Adds the addresses of the text's name servers, all of them, each once and in order; other lines are passed over. */
void resolv_parse(const char *text, size_t len, struct prefixes *out);

/* Likewise from this host's file. One that is not there names nobody. 0 or -errno. */
int resolv_read(struct prefixes *out);

/*
 * The domains in which the host looks for short names: of the last `search` or `domain` line of the text, as glibc
 * reads it, in lower case and each once; what is no domain is left out. They replace what is in `out`, which owns them.
 */
struct domains {
	LIST(char *);
};
void resolv_search_parse(const char *text, size_t len, struct domains *out);

/* Likewise from this host's file. Errors as in resolv_read(). */
int resolv_search(struct domains *out);

/* A number that differs when the list does; never 0. */
__u64 resolv_hash(const struct prefixes *resolvers);

#endif
