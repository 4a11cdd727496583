// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"

char *fd_read(int fd, size_t max, size_t *len)
{
	size_t room = 65536;
	char *text = mem_alloc(room, 1);
	ssize_t got;

	*len = 0;
	while ((got = read(fd, text + *len, room - *len - 1)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || *len + got > max) {
			if (got > 0)
				errno = EFBIG;
			free(text);
			return NULL;
		}
		*len += got;
		if (*len + 1 == room)
			text = mem_resize(text, room *= 2, 1);
	}
	text[*len] = '\0';
	return text;
}
