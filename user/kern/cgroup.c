// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
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
#include "mem.h"

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

/* Of the descriptor, not of its path: that may be another's by now. */
static __u64 id_of(int fd)
{
	struct stat stat_of;
	struct statfs fs;

	return fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC || fstat(fd, &stat_of) ? 0 : stat_of.st_ino;
}

__u64 cgroup_id(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__u64 id = fd < 0 ? 0 : id_of(fd);

	if (fd >= 0)
		close(fd);
	return id;
}

int cgroup_open_id(int root, __u64 id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} at = { .handle = { .handle_bytes = sizeof(id), .handle_type = KERNFS_HANDLE } };
	int fd;

	memcpy(at.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &at.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cgroup_alive(int root, __u64 id)
{
	int fd = cgroup_open_id(root, id);

	if (fd < 0)
		return fd == -ESTALE ? 0 : fd;
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

/* Why it cannot be a tenant's; 0 if it can. */
static int check_place(const struct cgroup *cgroup, const char *path, struct fault *fault)
{
	const char *root = cgroup->root;
	size_t len = strlen(root);
	int err = check_type(cgroup->fd, path, root, fault);

	if (err)
		return err;
	if (cgroup_id(root) != ROOT_ID)
		return fault_set(fault, EINVAL, "%s is a cgroup namespace of its own: run this in the host's", root);
	if (strncmp(path, root, len) || (path[len] && path[len] != '/'))
		return fault_set(fault, EINVAL, "%s is in another mount of the hierarchy: give its path below %s", path,
				 root);
	if (!path[len])
		return fault_set(fault, EINVAL,
				 "%s is the root of all cgroups, hence the whole host: give a directory below it",
				 path);
	if (depth_below(root, path) >= SW_LEVELS)
		return fault_set(fault, EINVAL, "%s is more than %d levels deep: give one above it", path,
				 SW_LEVELS - 1);
	return 0;
}

static int open_real(struct cgroup *cgroup, const char *path, struct fault *fault)
{
	int err;

	if (strlen(path) >= sizeof(cgroup->path))
		return fault_set(fault, ENAMETOOLONG, "the path of the cgroup has more than %d bytes", SW_PATH_MAX - 1);
	cgroup->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->fd < 0)
		return fault_set(fault, errno, "cgroup %s: %s", path, strerror(errno));
	err = check_place(cgroup, path, fault);
	if (err) {
		cgroup_close(cgroup);
		return err;
	}
	strcpy(cgroup->path, path);
	cgroup->id = id_of(cgroup->fd);
	cgroup->level = depth_below(cgroup->root, path);
	return 0;
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
	err = open_real(cgroup, real, fault);
	free(real);
	return err;
}

char *cgroup_real_path(const char *text)
{
	size_t len = strlen(text);
	char *path, *real, *above, *slash;

	while (len > 1 && text[len - 1] == '/')
		len--;
	path = mem_strndup(text, len);
	real = realpath(path, NULL);
	slash = strrchr(path, '/');
	if (!real && (slash == path || !strcmp(path, ".")))
		return path;
	if (!real) {
		if (slash)
			*slash = '\0';
		above = cgroup_real_path(slash ? path : ".");
		real = mem_printf("%s/%s", above, slash ? slash + 1 : path);
		free(above);
	}
	free(path);
	return real;
}

void cgroup_match(const char *pattern, void (*each)(const char *path, void *data), void *data)
{
	glob_t found;

	if (!glob(pattern, GLOB_ONLYDIR | GLOB_NOESCAPE, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			each(found.gl_pathv[i], data);
	globfree(&found);
}

/*
 * What it takes to move a process out of a cgroup, or to remove that and make another of its name: the right to write
 * to one of these in a cgroup around both places. The file system has no access lists; who owns a file may change its
 * mode.
 */
static const char *const doors[] = { ".", "cgroup.procs", "cgroup.threads" };

/* 1 if another than root may, 0, or -errno. */
static int is_delegated(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = fd < 0 ? -errno : 0;
	struct stat door;

	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors) && !found; i++)
		found = fstatat(fd, doors[i], &door, 0) ? -errno : door.st_uid || door.st_mode & (S_IWGRP | S_IWOTH);
	if (fd >= 0)
		close(fd);
	return found;
}

/* From the root down, for what is to be attached instead must have nothing such around it. */
int cgroup_keeps(const struct cgroup *cgroup, struct fault *fault)
{
	size_t root = strlen(cgroup->root);
	const char *slash = cgroup->path + root;
	char above[SW_PATH_MAX];
	int found;

	for (; slash; slash = strchr(slash + 1, '/')) {
		snprintf(above, sizeof(above), "%.*s", (int)(slash - cgroup->path), cgroup->path);
		found = is_delegated(above);
		if (found < 0)
			return fault_set(fault, -found, "%s: %s", above, strerror(-found));
		if (found && slash == cgroup->path + root)
			return fault_set(
				fault, EPERM,
				"processes may leave %s, for another than root may write to %s, the root of all "
				"cgroups: take that right away",
				cgroup->path, above);
		if (found)
			return fault_set(fault, EPERM,
					 "processes may leave %s, for another than root may write to %s: attach %s "
					 "instead",
					 cgroup->path, above, above);
	}
	return 0;
}

void cgroup_close(struct cgroup *cgroup)
{
	if (cgroup->fd >= 0)
		close(cgroup->fd);
	cgroup->fd = -1;
}

/* The folder around `path`. */
static void folder_of(const char *path, char above[SW_PATH_MAX])
{
	snprintf(above, SW_PATH_MAX, "%s", path);
	*strrchr(above, '/') = '\0';
}

/* That one, and those around it. */
static int make_above(const char *path)
{
	char above[SW_PATH_MAX];

	snprintf(above, sizeof(above), "%s", path);
	for (char *slash = strchr(above + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(above, 0755) && errno != EEXIST && access(above, F_OK))
			return -errno;
		*slash = '/';
	}
	return 0;
}

#define MAKE_TRIES 10 /* another run that ends may remove a folder in between */

int cgroup_make(const char *path, mode_t mode, struct fault *fault)
{
	for (int i = 0; i < MAKE_TRIES; i++) {
		if (make_above(path))
			break;
		if (!mkdir(path, mode))
			return 0;
		if (errno != ENOENT)
			break;
	}
	return fault_set(fault, errno, "cannot make the cgroup %s: %s", path, strerror(errno));
}

/* A file of the cgroup's. NULL when there is none, as when the cgroup was removed. */
static FILE *open_file(int cgroup, const char *name)
{
	int fd = openat(cgroup, name, O_RDONLY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !in)
		close(fd);
	return in;
}

static int count_processes(int cgroup)
{
	FILE *in = open_file(cgroup, "cgroup.procs");
	char line[32];
	int n = 0;

	while (in && fgets(line, sizeof(line), in))
		n++;
	if (in)
		fclose(in);
	return n;
}

static int write_file(int cgroup, const char *name, const char *text)
{
	int fd = openat(cgroup, name, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

bool cgroup_populated(const struct cgroup *cgroup)
{
	FILE *in = open_file(cgroup->fd, "cgroup.events");
	bool populated = false;
	char line[64];

	if (!in)
		return errno != ENOENT && errno != ENODEV; /* when it cannot be told, it is */
	while (fgets(line, sizeof(line), in))
		populated |= !strcmp(line, "populated 1\n");
	fclose(in);
	return populated;
}

#define END_TRIES 400 /* of 5 ms: processes that were killed take a moment to leave */

int cgroup_end(const struct cgroup *cgroup)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	int ended = count_processes(cgroup->fd), err = 0;

	if (cgroup_populated(cgroup))
		err = write_file(cgroup->fd, "cgroup.kill", "1");
	for (int i = 0; i < END_TRIES && cgroup_populated(cgroup); i++)
		nanosleep(&pause, NULL);
	if (err || !cgroup_populated(cgroup))
		return err ? err : ended;
	return -EBUSY;
}

static int remove_folder(const char *path, const struct stat *stat_of, int type, struct FTW *ftw)
{
	(void)stat_of;
	(void)ftw;
	return type == FTW_DP && rmdir(path) ? -errno : 0;
}

int cgroup_remove(const struct cgroup *cgroup)
{
	char above[SW_PATH_MAX];
	int err = 0;

	if (cgroup_id(cgroup->path) == cgroup->id)
		err = nftw(cgroup->path, remove_folder, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	folder_of(cgroup->path, above);
	rmdir(above); /* unless others are in it */
	return err == -ENOENT ? 0 : err;
}

/* What is behind the colons of the line; a process that is waited for may be in a cgroup that was removed. */
static char *path_in(const char *line)
{
	static const char removed[] = " (deleted)\n";
	size_t len = strlen(line), tail = strlen(removed);

	len -= len >= tail && !strcmp(line + len - tail, removed) ? tail : 1;
	return mem_printf("%.*s", (int)len, line);
}

/* Lines as long as they are: what a tenant calls its cgroups must not pass for a line. */
char *cgroup_of(int pid)
{
	char file[64], *line = NULL, *found = NULL;
	size_t room = 0;
	FILE *in;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	in = fopen(file, "re");
	while (in && !found && getline(&line, &room, in) > 0)
		if (!strncmp(line, "0::", 3))
			found = path_in(line + 3);
	if (in)
		fclose(in);
	free(line);
	return found;
}

bool cgroup_is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(path, above, len) && (path[len] == '/' || !path[len]);
}

bool cgroup_has(const struct cgroup *cgroup, int pid)
{
	char *of = cgroup_of(pid);
	bool has = !of || cgroup_is_below(of, cgroup->path + strlen(cgroup->root));

	free(of);
	return has;
}
