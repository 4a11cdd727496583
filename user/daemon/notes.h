/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tenants are to be attached again after a boot: a file beside the ledger, written whenever that changes.
 *
 *     {"epoch":"81985529216486895","tenants":[{"tenant":"shop","cgroup":"/sys/fs/cgroup/shop.slice","policy":"appengine"}]}
 *
 * `epoch` is that of the kernel's state, which knows better while it lives; after a boot there is another.
 */
#ifndef SW_NOTES_H
#define SW_NOTES_H

#include "wanted.h"

struct notes {
	char *path;
	char *saved;  /* what the file has; NULL: not known */
	bool failing; /* it could not be written, and that has been said */
};

/* Where they are for who books in that ledger. */
struct notes notes_beside(const char *ledger);

/* After a boot, what the file says is noted in the kernel, but for what is there already. With the lock held. A file
 * that cannot be read is said to be so, and put aside. 0 or -errno. */
int notes_load(struct notes *notes, struct host *host, struct fault *fault);

void notes_save(struct notes *notes, __u64 epoch, const struct wanted_list *wanted);

#endif
