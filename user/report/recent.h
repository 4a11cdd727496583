/* SPDX-License-Identifier: GPL-2.0-only */
/* The last events, for whoever asks what was denied a while ago. The oldest go first. */
#ifndef SW_RECENT_H
#define SW_RECENT_H

#include "event.h"

#define RECENT_MAX 4096

/* Empty when it is all zeroes. */
struct recent {
	struct event *of; /* owned; RECENT_MAX, a ring; NULL before the first */
	size_t n, next;
};

void recent_add(struct recent *recent, const struct event *event);

/* All of them behind a head, in the form that LOG_ASK gets, with room for `more` bytes behind: free() it. */
char *recent_copy(const struct recent *recent, size_t more, size_t *len);
void recent_free(struct recent *recent);

#endif
