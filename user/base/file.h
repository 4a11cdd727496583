/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_FILE_H
#define SW_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "fault.h"

/* Replaces the file at once and for good: nobody sees half of it, whenever the power goes. 0 or -errno. */
int file_replace(const char *path, mode_t mode, const char *text, size_t len, struct fault *fault);

/* A file that was made, renamed or removed is so on the disk once its folder is. 0 or -errno. */
int file_sync_name(const char *path);

/* The folder the path is in, unless it is there; the one above that must be. 0 or -errno. */
int file_make_folder(const char *path);

#endif
