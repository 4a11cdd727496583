// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"

#define KERNFS_HANDLE 0xfe /* FILEID_KERNFS of linux/exportfs.h: the handle is the id */
#define ROOT_ID       1 /* of the hierarchy's true root; a namespace has another, and depths in it are not the kernel's */

int cgroup_root(char root[SW_PATH_MAX], struct fault *fault)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *mount;
	bool found = false;

	while (mounts && !found && (mount = getmntent(mounts))) {
		found = !strcmp(mount->mnt_type, "cgroup2") && strlen(mount->mnt_dir) < SW_PATH_MAX;
		if (found)
			strcpy(root, mount->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	if (found)
		return 0;
	return fault_set(fault, ENOENT, "no cgroup v2 hierarchy is mounted: mount -t cgroup2 none /sys/fs/cgroup");
}

__u64 cgroup_id(const char *path)
{
	struct stat stat_of;

	return stat(path, &stat_of) ? 0 : stat_of.st_ino;
}

int cgroup_alive(int root, __u64 id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} at = { .handle = { .handle_bytes = sizeof(id), .handle_type = KERNFS_HANDLE } };
	int fd;

	memcpy(at.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &at.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ESTALE ? 0 : -errno;
	close(fd);
	return 1;
}

static __u32 depth_below(const char *root, const char *path)
{
	__u32 level = 0;

	for (const char *c = path + strlen(root); *c; c++)
		level += *c == '/';
	return level;
}

static int check_type(int fd, const char *path, const char *root, struct fault *fault)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return fault_set(fault, errno, "%s: %s", path, strerror(errno));
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	if (fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC)
		return fault_set(fault, EINVAL, "%s is not in the cgroup v2 hierarchy: give a directory below %s", path,
				 root);
	return fault_set(fault, EINVAL, "%s is not a cgroup: give a directory below %s", path, root);
}

int cgroup_open(struct cgroup *cgroup, const char *path, struct fault *fault)
{
	char *real;
	int err;

	cgroup->fd = -1;
	err = cgroup_root(cgroup->root, fault);
	if (err)
		return err;
	real = realpath(path, NULL);
	if (!real)
		return fault_set(fault, errno, "cgroup %s: %s; make it first, or check the path", path,
				 strerror(errno));
	cgroup->fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->fd < 0)
		err = fault_set(fault, errno, "cgroup %s: %s", path, strerror(errno));
	else if (strlen(real) >= sizeof(cgroup->path))
		err = fault_set(fault, ENAMETOOLONG, "the path of the cgroup has more than %d bytes", SW_PATH_MAX - 1);
	else
		err = check_type(cgroup->fd, real, cgroup->root, fault);
	if (!err && cgroup_id(cgroup->root) != ROOT_ID)
		err = fault_set(fault, EINVAL, "%s is a cgroup namespace of its own: run this in the host's",
				cgroup->root);
	if (!err && strcmp(real, cgroup->root) &&
	    (strncmp(real, cgroup->root, strlen(cgroup->root)) || real[strlen(cgroup->root)] != '/'))
		err = fault_set(fault, EINVAL, "%s is in another mount of the hierarchy: give its path below %s", real,
				cgroup->root);
	if (!err && !strcmp(real, cgroup->root))
		err = fault_set(fault, EINVAL,
				"%s is the root of all cgroups, hence the whole host: give a directory "
				"below it",
				real);
	if (!err && depth_below(cgroup->root, real) >= SW_LEVELS)
		err = fault_set(fault, EINVAL, "%s is more than %d levels deep: give one above it", real,
				SW_LEVELS - 1);
	if (!err) {
		strcpy(cgroup->path, real);
		cgroup->id = cgroup_id(real);
		cgroup->level = depth_below(cgroup->root, real);
	} else {
		cgroup_close(cgroup);
	}
	free(real);
	return err;
}

void cgroup_close(struct cgroup *cgroup)
{
	if (cgroup->fd >= 0)
		close(cgroup->fd);
	cgroup->fd = -1;
}

/* The folder of our own tenants, around `path`. */
static void folder_of(const char *path, char above[SW_PATH_MAX])
{
	snprintf(above, SW_PATH_MAX, "%s", path);
	*strrchr(above, '/') = '\0';
}

#define MAKE_TRIES 10 /* another run that ends may remove the folder in between */

int cgroup_make(const char *path, struct fault *fault)
{
	char above[SW_PATH_MAX];

	folder_of(path, above);
	for (int i = 0; i < MAKE_TRIES; i++) {
		if (mkdir(above, 0755) && errno != EEXIST)
			break;
		if (!mkdir(path, 0755))
			return 0;
		if (errno != ENOENT)
			break;
	}
	return fault_set(fault, errno, "cannot make the cgroup %s: %s", path, strerror(errno));
}

static int count_processes(const char *path)
{
	char file[SW_PATH_MAX + 16], line[32];
	int n = 0;
	FILE *in;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	in = fopen(file, "re");
	while (in && fgets(line, sizeof(line), in))
		n++;
	if (in)
		fclose(in);
	return n;
}

static int write_file(const char *path, const char *name, const char *text)
{
	char file[SW_PATH_MAX + 16];
	int fd, err = 0;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

bool cgroup_populated(const char *path)
{
	char file[SW_PATH_MAX + 16], line[64];
	bool populated = false;
	FILE *in;

	snprintf(file, sizeof(file), "%s/cgroup.events", path);
	in = fopen(file, "re");
	if (!in)
		return errno != ENOENT; /* when it cannot be told, it is */
	while (fgets(line, sizeof(line), in))
		populated |= !strcmp(line, "populated 1\n");
	fclose(in);
	return populated;
}

#define END_TRIES 400 /* of 5 ms: processes that were killed take a moment to leave */

int cgroup_end(const char *path)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	int ended = count_processes(path), err = 0;

	if (cgroup_populated(path))
		err = write_file(path, "cgroup.kill", "1");
	for (int i = 0; i < END_TRIES && cgroup_populated(path); i++)
		nanosleep(&pause, NULL);
	if (err || !cgroup_populated(path))
		return err ? err : ended;
	return -EBUSY;
}

int cgroup_remove(const char *path)
{
	char above[SW_PATH_MAX];

	if (rmdir(path) && errno != ENOENT)
		return -errno;
	folder_of(path, above);
	rmdir(above); /* unless others are in it */
	return 0;
}
