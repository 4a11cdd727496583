/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where things are pinned, for the files of this folder. A pin keeps what it names in the kernel, whatever becomes of
 * processes.
 *
 *   /sys/fs/bpf/sockwarden/            locked with flock() by whoever changes anything below
 *   /sys/fs/bpf/sockwarden/loading/    being filled, or being removed
 *   /sys/fs/bpf/sockwarden/next/       whole, and about to take the place of host/ (upgrade.h)
 *   /sys/fs/bpf/sockwarden/host/       maps, programs, and which build they are of
 *   /sys/fs/bpf/sockwarden/tenants/T/  the links that hold the programs on tenant T's cgroup
 *   /sys/fs/bpf/sockwarden/watches/    while there are tenants, the links of what sees their other operations
 *   /sys/fs/bpf/sockwarden/pass/       locked by whoever makes a pass over the sockets
 */
#ifndef SW_PINS_H
#define SW_PINS_H

#include "host.h"

#define PINS_LOADING SW_PINS "/loading"
#define PINS_NEXT    SW_PINS "/next"
#define PINS_HOST    SW_PINS "/host"
#define PINS_TENANTS SW_PINS "/tenants"

/* What maps and programs are called, in the object and as pins. */
extern const char *const pins_map[MAP_COUNT];
extern const char *const pins_program[SW_HOOK_COUNT];
extern const char *const pins_walk[WALK_COUNT];

const char *pins_path(char path[256], const char *folder, const char *name);

/* Mounts bpffs if nobody has, and makes the folders that are always there. */
int pins_prepare(struct fault *fault);

bool pins_has(const char *folder);

/* The folder with what is in it, whatever build put it there. */
void pins_remove(const char *folder);

/* A descriptor of what is pinned there, or -1 with errno. */
int pins_open(const char *folder, const char *name);

int pins_add(int fd, const char *folder, const char *name, struct fault *fault);
int pins_rename(const char *from, const char *to, struct fault *fault);

/* The copies of host.h, when the lock has been taken. */
void host_refresh(struct host *host);

#endif
