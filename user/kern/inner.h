/* SPDX-License-Identifier: GPL-2.0-only */
/* The inner maps of an image: a trie of its prefixes, and a table of the rest. For publish.c and collect.c. */
#ifndef SW_INNER_H
#define SW_INNER_H

#include "host.h"
#include "image.h"

/* Descriptors, to be closed; or -errno. */
int inner_trie(const struct image *image);
int inner_table(const struct sw_row *rows, __u32 n);

/* Likewise of an image in which nothing is found. These have room for one entry and one row, and all others for more:
 * INNER_PIECE entries, which cost nothing while they are not there, and INNER_ROWS rows, which fill 8 KB. */
#define INNER_ROWS 56
void inner_make_nothing(int *trie, int *table);

/* Into maps that are there, and empty. 0 or -errno: then some of it may be in. */
int inner_fill_trie(int fd, const struct image *image);
int inner_fill_table(int fd, const struct sw_row *rows, __u32 n);

/* Deletes some of a trie's entries: as many as the kernel frees in one go in 10 to 17 ms. 1; 0: none are left; or
 * -errno. */
#define INNER_PIECE 5000
int inner_empty(int trie);

/* Closes those that are open, and says that they are not. */
void inner_close(int *fds, __u32 n);

/* Pins by the image's serial in the folder, unless that is NULL. 0 or -errno. */
int inner_pin(const char *folder, int trie, int table, __u64 serial, struct fault *fault);
void inner_unpin(const struct host *host, __u64 serial);

/* Calls the pins by another serial. */
void inner_rename(const struct host *host, __u64 serial, __u64 as);

/* A descriptor, or -1: one that is being put there or taken out has none. */
int inner_open_trie(const struct host *host, __u64 serial);
int inner_open_table(const struct host *host, __u64 serial);

#endif
