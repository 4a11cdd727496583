/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_FD_H
#define SW_FD_H

#include <stddef.h>

#define FD_READ_MAX (1UL << 30) /* of an answer: more than there is to say */

/* All there is to read up to the end, with a NUL behind it, to be freed; or NULL and errno: EFBIG if it is over `max`.
 */
char *fd_read(int fd, size_t max, size_t *len);

#endif
