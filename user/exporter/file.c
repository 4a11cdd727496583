// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporter.h"
#include "mem.h"

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t done;

	for (; len; text += done, len -= done) {
		done = write(fd, text, len);
		if (done < 0 && errno != EINTR)
			return -errno;
		done = done < 0 ? 0 : done;
	}
	return 0;
}

/* Whoever collects the file is another user. */
static int fill(int fd, const char *text, size_t len)
{
	int err = write_all(fd, text, len);

	if (!err && (fchmod(fd, 0644) || fsync(fd)))
		err = -errno;
	return err;
}

/* The rename is on disk when the folder is. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_strndup(path, slash - path + 1) : mem_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	free(folder);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int file_replace(const char *path, const char *text, size_t len, struct fault *fault)
{
	char *temporary = mem_printf("%s.XXXXXX", path); /* does not end in .prom: a collector passes it over */
	int fd = mkostemp(temporary, O_CLOEXEC), err;

	if (fd < 0) {
		err = -errno;
	} else {
		err = fill(fd, text, len);
		close(fd);
		if (!err && rename(temporary, path))
			err = -errno;
		if (err)
			unlink(temporary);
		else
			err = sync_folder(path);
	}
	free(temporary);
	return err ? fault_set(fault, -err, "cannot write %s: %s", path, strerror(-err)) : 0;
}
