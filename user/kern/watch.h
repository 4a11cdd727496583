/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations that no hook of a cgroup sees (bpf/watch.bpf.c): poll, ioctl, a receive that found nothing, and who sends
 * and receives. Which of them can be seen depends on the kernel; that one cannot is no error, but doctor and status say
 * so.
 *
 * The programs are on functions of the kernel, so they run for every process of the host. They are in place while there
 * is a tenant, and cost a socket that is no tenant's a look at some pointers.
 */
#ifndef SW_WATCH_H
#define SW_WATCH_H

#include "host.h"

/* Puts in place what is not, and the kernel lets us. With the lock held. */
void watch_start(const struct host *host);

/* Removes all. With the lock held. */
void watch_stop(void);

/*
 * Another build takes over: its own are started beside, on its maps, and take the place of those that are there, or are
 * given up. A link to a function of the kernel cannot be updated. With the lock held.
 */
void watch_prepare(const int map[MAP_COUNT]);
void watch_switch(void);
void watch_discard(void);

/* Which are in place: bits 1 << enum sw_watch. */
__u32 watch_in_place(void);

/* Which would be, had watch_start() been called on these maps: tries each, and leaves nothing. */
__u32 watch_probe(const int map[MAP_COUNT]);

#endif
