// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

/* A file on its way to its place. */
struct staged {
	const struct file_text *file;
	mode_t mode;
	char *fresh, *old; /* beside it: what it will be; what it was. NULL: there is none */
	bool placed;
};

/* Hidden until it is whole, from whoever reads all files of the folder. */
static int stage(struct staged *staged)
{
	const char *path = staged->file->path;
	int folder = folder_len(path), fd, err;

	staged->fresh = mem_printf("%.*s.%s.XXXXXX", folder, path, path + folder);
	fd = mkostemp(staged->fresh, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fill(fd, staged->mode, staged->file->text, staged->file->len);
	close(fd);
	return err;
}

/* So that it can be put back. */
static int keep_old(struct staged *staged)
{
	staged->old = mem_printf("%s.old", staged->fresh);
	if (!link(staged->file->path, staged->old))
		return 0;
	free(staged->old);
	staged->old = NULL;
	return errno == ENOENT ? 0 : -errno;
}

static int place(struct staged *staged)
{
	if (rename(staged->fresh, staged->file->path))
		return -errno;
	staged->placed = true;
	return file_sync_name(staged->file->path);
}

static void put_back(const struct staged *staged)
{
	if (staged->placed && staged->old)
		rename(staged->old, staged->file->path);
	else if (staged->placed)
		unlink(staged->file->path);
}

static void staged_free(struct staged *staged)
{
	if (staged->fresh && !staged->placed)
		unlink(staged->fresh);
	if (staged->old)
		unlink(staged->old);
	free(staged->fresh);
	free(staged->old);
}

static int each(struct staged *staged, size_t n, int (*step)(struct staged *), struct fault *fault)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		err = step(&staged[i]);
		if (err)
			fault_set(fault, -err, "cannot write %s: %s", staged[i].file->path, strerror(-err));
	}
	return err;
}

int file_replace(const char *path, mode_t mode, const char *text, size_t len, struct fault *fault)
{
	struct staged staged = { &(struct file_text){ path, text, len }, mode };
	int err = each(&staged, 1, stage, fault);

	if (!err)
		err = each(&staged, 1, place, fault);
	staged_free(&staged);
	return err;
}

int file_replace_all(const struct file_text *files, size_t n, mode_t mode, struct fault *fault)
{
	struct staged *staged = mem_alloc(n, sizeof(*staged));
	int err;

	for (size_t i = 0; i < n; i++)
		staged[i] = (struct staged){ &files[i], mode };
	err = each(staged, n, stage, fault);
	if (!err)
		err = each(staged, n, keep_old, fault);
	if (!err)
		err = each(staged, n, place, fault);
	for (size_t i = 0; i < n; i++) {
		if (err)
			put_back(&staged[i]);
		staged_free(&staged[i]);
	}
	free(staged);
	return err;
}
