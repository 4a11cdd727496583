/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of address ranges that Google publishes, goog.json and cloud.json. */
#ifndef SW_GOOGLE_H
#define SW_GOOGLE_H

#include "prefix.h"

/* Where Google publishes them. */
#define GOOGLE_GOOG  "https://www.gstatic.com/ipranges/goog.json"
#define GOOGLE_CLOUD "https://www.gstatic.com/ipranges/cloud.json"

struct google_list {
	char *created; /* as the file says; owned */
	struct prefixes prefixes;
};

/* False if there was a mistake, which is then in `diags`. */
bool google_read(const char *file, const char *text, size_t len, struct google_list *out, struct diags *diags);

/*
 * NULL, or the family of which `now` lacks more than half of the addresses that `before` has, as that is hardly what
 * Google meant to publish. Addresses, because prefixes may be joined or split; by family, because one prefix of IPv6
 * has more of them than all of IPv4. Both are aggregated on the way.
 */
const char *google_lacks(struct prefixes *before, struct prefixes *now);

void google_free(struct google_list *list);

#endif
