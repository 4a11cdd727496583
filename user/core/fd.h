/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_FD_H
#define SW_FD_H

#include <stddef.h>

/* All there is to read up to the end, with a NUL behind it, to be freed; or NULL and errno. */
char *fd_read(int fd, size_t *len);

#endif
