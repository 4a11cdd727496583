/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_FILE_H
#define SW_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "fault.h"

/* Replaces the file at once and for good: nobody sees half of it, whenever the power goes. 0 or -errno. */
int file_replace(const char *path, mode_t mode, const char *text, size_t len, struct fault *fault);

struct file_text {
	const char *path, *text;
	size_t len;
};

/*
 * Likewise several, all of them or none; but a process that is killed between two of them leaves the one replaced and
 * the other not. 0 or -errno.
 */
int file_replace_all(const struct file_text *files, size_t n, mode_t mode, struct fault *fault);

/* A file that was made, renamed or removed is so on the disk once its folder is. 0 or -errno. */
int file_sync_name(const char *path);

/* The folder the path is in, unless it is there; the one above that must be. 0 or -errno. */
int file_make_folder(const char *path);

#endif
