/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the attacks share: being a tenant as any user may be one, and a file system of its own that does not answer.
 * Whatever fails ends the process with a line that says so.
 */
#ifndef ATTACKS_TENANT_H
#define ATTACKS_TENANT_H

#include <stddef.h>
#include <stdint.h>

#define PLACE     "/mnt"             /* where the file system is, in the mount namespace of the tenant */
#define UNREAD    PLACE "/unread"    /* a program whose content is never said */
#define UNFLUSHED PLACE "/unflushed" /* all zeroes, and whoever closes it waits */
#define UNFOUND   PLACE "/unfound"   /* whoever looks for it waits */
#define PAGE      4096

_Noreturn void fail(const char *what);

/* `result`, or the end when it is negative. */
int must(int result, const char *what);

/* Gives up root for good, and is root again in a user namespace and a mount namespace of its own. */
void become_tenant(void);

/*
 * Mounts the file system there. A child answers, and writes "held" on standard output when it first leaves something
 * unanswered. All that waits is let go when the child ends; `keep`: this process has the device too, so that its own
 * waiting keeps it alive.
 */
void mount_unanswering(const char *device, int keep);

/* Memory of the file: whoever touches it waits. */
void *map_unread(size_t len);

/* A socket of that type, connected to that port of 127.0.0.1. */
int connected(int type, uint16_t port);

#endif
