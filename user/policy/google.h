/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of address ranges that Google publishes, goog.json and cloud.json. */
#ifndef SW_GOOGLE_H
#define SW_GOOGLE_H

#include "prefix.h"

struct google_list {
	char *created; /* as the file says; owned */
	struct prefixes prefixes;
};

/* False if there was a mistake, which is then in `diags`. */
bool google_read(const char *file, const char *text, size_t len, struct google_list *out, struct diags *diags);
void google_free(struct google_list *list);

#endif
