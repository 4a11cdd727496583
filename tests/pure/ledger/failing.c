// SPDX-License-Identifier: GPL-2.0-only
#include <sys/vfs.h>

#include "support.h"

struct failing failing = { .after = -1 };
int journals_synced;

static sqlite3_syscall_ptr real_pwrite, real_ftruncate, real_unlink;

static bool fails(void)
{
	if (failing.after < 0 || failing.after--)
		return false;
	if (!failing.error)
		_exit(FAILING_KILLED);
	failing.happened = true;
	errno = failing.error;
	return true;
}

static ssize_t failing_pwrite(int fd, const void *data, size_t len, off_t at)
{
	return fails() ? -1 : ((ssize_t(*)(int, const void *, size_t, off_t))real_pwrite)(fd, data, len, at);
}

static int failing_ftruncate(int fd, off_t len)
{
	return fails() ? -1 : ((int (*)(int, off_t))real_ftruncate)(fd, len);
}

static int failing_unlink(const char *path)
{
	return fails() ? -1 : ((int (*)(const char *))real_unlink)(path);
}

/* The journal is gone, hence the booking in the file, but whether the folder says so after a power cut is not known. */
static int (*real_delete)(sqlite3_vfs *, const char *, int);

static int delete_unsure(sqlite3_vfs *vfs, const char *path, int sync)
{
	int err = real_delete(vfs, path, sync);

	journals_synced += sync;
	return err ? err : fails() ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

void failing_begin(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (real_delete)
		return;
	real_pwrite = vfs->xGetSystemCall(vfs, "pwrite64") ?: vfs->xGetSystemCall(vfs, "pwrite");
	real_ftruncate = vfs->xGetSystemCall(vfs, "ftruncate");
	real_unlink = vfs->xGetSystemCall(vfs, "unlink");
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)failing_pwrite);
	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)failing_pwrite);
	vfs->xSetSystemCall(vfs, "ftruncate", (sqlite3_syscall_ptr)failing_ftruncate);
	vfs->xSetSystemCall(vfs, "unlink", (sqlite3_syscall_ptr)failing_unlink);
	real_delete = vfs->xDelete;
	vfs->xDelete = delete_unsure;
	vfs = sqlite3_vfs_find(pages_vfs()); /* may be a copy from before */
	vfs->xDelete = delete_unsure;
}

/* ---- a file system of another kind ---- */

long statfs_type;

int __real_statfs(const char *path, struct statfs *fs);
int __wrap_statfs(const char *path, struct statfs *fs);

int __wrap_statfs(const char *path, struct statfs *fs)
{
	int err = __real_statfs(path, fs);

	if (!err && statfs_type)
		fs->f_type = statfs_type;
	return err;
}
