/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring buffer of denials. It has one reader at a time. */
#ifndef SW_EVENTS_H
#define SW_EVENTS_H

#include "event.h"
#include "host.h"

struct events;

/* `each` is called in events_read() for every denial. NULL with the reason in `fault`. */
struct events *events_open(const struct host *host, void (*each)(const struct event *event, void *data), void *data,
			   struct fault *fault);

/*
 * Waits up to `timeout` ms (-1: for ever) for the first, and takes what there is, but no more than a full ring: who
 * floods it holds up nobody. 0, or -errno; -EINTR after a signal.
 */
int events_read(struct events *events, int timeout);
void events_close(struct events *events);

/* What poll(2) says is readable when there are denials: owned by `events`. */
int events_fd(const struct events *events);

#endif
