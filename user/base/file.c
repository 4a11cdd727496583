// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "mem.h"

/* Bytes of the path up to its last name. */
static int folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash - path + 1 : 0;
}

static char *folder_of(const char *path)
{
	int len = folder_len(path);

	return len ? mem_strndup(path, len) : mem_strdup(".");
}

int file_sync_name(const char *path)
{
	char *folder = folder_of(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(folder);
	return err;
}

int file_make_folder(const char *path)
{
	char *folder = folder_of(path);
	int err = mkdir(folder, 0755) && errno != EEXIST ? -errno : 0;

	free(folder);
	return err;
}

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

static int fill(int fd, mode_t mode, const char *text, size_t len)
{
	int err = write_all(fd, text, len);

	return err ? err : fchmod(fd, mode) || fsync(fd) ? -errno : 0;
}

/* Hidden until it is whole, from whoever reads all files of the folder. */
static int replace(const char *path, char *temporary, mode_t mode, const char *text, size_t len)
{
	int fd = mkostemp(temporary, O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fill(fd, mode, text, len);
	close(fd);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err ? err : file_sync_name(path);
}

int file_replace(const char *path, mode_t mode, const char *text, size_t len, struct fault *fault)
{
	int folder = folder_len(path);
	char *temporary = mem_printf("%.*s.%s.XXXXXX", folder, path, path + folder);
	int err = replace(path, temporary, mode, text, len);

	free(temporary);
	return err ? fault_set(fault, -err, "cannot write %s: %s", path, strerror(-err)) : 0;
}
