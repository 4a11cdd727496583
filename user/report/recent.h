/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last events, for whoever asks what was denied a while ago. When there is no room the oldest goes of the tenant
 * that has the most: who is denied all the time pushes out its own.
 */
#ifndef SW_RECENT_H
#define SW_RECENT_H

#include "event.h"

#define RECENT_MAX 4096

struct recent_event;
struct recent_queue;

/* Empty when it is all zeroes. */
struct recent {
	struct recent_event *of;       /* owned; RECENT_MAX; NULL before the first */
	struct recent_queue *of_slots; /* owned; SW_TENANTS_MAX */
	size_t n;
	__u16 oldest, newest; /* of no meaning while there is none */
};

void recent_add(struct recent *recent, const struct event *event);

/* All of them behind a head, in the form that LOG_ASK gets, with room for `more` bytes behind: free() it. */
char *recent_copy(const struct recent *recent, size_t more, size_t *len);
void recent_free(struct recent *recent);

#endif
