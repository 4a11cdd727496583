/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and prefixes as text, and lists of prefixes as sets of addresses. */
#ifndef SW_PREFIX_H
#define SW_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "addr.h"
#include "diag.h"
#include "mem.h"

#define SW_ADDR_TEXT   46 /* INET6_ADDRSTRLEN */
#define SW_PREFIX_TEXT 50

struct prefixes {
	LIST(struct sw_prefix);
};

/* NULL, or why `text` is no address: a phrase for a message. */
const char *addr_parse(const char *text, struct sw_addr *addr);

/* An address or ADDRESS/LENGTH. NULL, or why not; bits beyond the length are a mistake. */
const char *prefix_parse(const char *text, struct sw_prefix *prefix);

/* In the family's own form: 10.0.0.0/8, 2001:db8::/32; host prefixes without their length. Returns `buf`. */
const char *addr_format(const struct sw_addr *addr, char buf[SW_ADDR_TEXT]);

#define SW_FLOW_TEXT 64
/* "tcp 203.0.113.5:443", "udp [2001:db8::1]:53", "tcp 198.51.100.7%lo:80" for one of the host's own */
const char *flow_format(const struct sw_flow *flow, char buf[SW_FLOW_TEXT]);
const char *prefix_format(const struct sw_prefix *prefix, char buf[SW_PREFIX_TEXT]);

bool prefix_is_v4(const struct sw_prefix *prefix);
bool prefix_covers(const struct sw_prefix *outer, const struct sw_addr *addr);
struct sw_addr prefix_last(const struct sw_prefix *prefix);

/* By address, then shorter first. */
int prefix_order(const void *a, const void *b);

/*
 * One prefix a line; '#' and ';' begin a comment. Mistakes go to `diags` with their line, and a list without
 * any prefix is one. The text need not end in a NUL.
 */
void prefixes_parse(const char *file, const char *text, size_t len, struct prefixes *out, struct diags *diags);

/* Sorted, IPv4 first, with what is covered left out and siblings joined: the shortest list for the same addresses. */
void prefixes_aggregate(struct prefixes *set);

/* The addresses of `set` that are not in `minus`, aggregated. Both are aggregated on the way. */
void prefixes_subtract(struct prefixes *set, struct prefixes *minus);

void prefixes_free(struct prefixes *set);

#endif
