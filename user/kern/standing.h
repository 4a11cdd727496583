/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether tenants' cgroups exist and their links are whole, for who asks this of all of them again and again. The kernel
 * is asked once of each, and again only when inotify has said that something was removed there.
 */
#ifndef SW_STANDING_H
#define SW_STANDING_H

#include "slots.h"

struct standings;

/* To be freed with standings_free(). Where the kernel gives no inotify, or no more watches, it is asked each time. */
struct standings *standings_new(void);
void standings_free(struct standings *standings);

/* What was said since the last time: before a round of questions. */
void standings_hear(struct standings *standings);

/* Its cgroup exists, or that cannot be told. `standings` NULL, here and below: the kernel is asked. */
bool standing_lives(struct standings *standings, const struct host *host, struct tenancy of);

/* Its links are all there: links_whole(). */
bool standing_whole(struct standings *standings, const struct host *host, struct tenancy of);

#endif
