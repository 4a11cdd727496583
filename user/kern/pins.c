// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pins.h"

const char *const pins_map[] = {
#define X(name, kind) [MAP_##name] = #name,
	SW_MAPS(X)
#undef X
};

const char *const pins_program[] = {
#define X(id, name, type) [SW_HOOK_##id] = "sw_" #name,
	SW_HOOKS(X)
#undef X
};

const char *const pins_walk[] = {
#define X(id, name, over) [WALK_##id] = "sw_" #name,
	SW_WALKS(X)
#undef X
};

const char *pins_path(char path[256], const char *folder, const char *name)
{
	snprintf(path, 256, "%s/%s", folder, name);
	return path;
}

static bool is_bpffs(void)
{
	struct statfs fs;

	return !statfs(SW_BPFFS, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* Where everybody may make folders, someone may have been before us; and what was ours is ours alone. */
static int check_ours(const char *folder, struct fault *fault)
{
	struct stat st;

	if (lstat(folder, &st))
		return fault_set(fault, errno, "cannot look at %s: %s", folder, strerror(errno));
	if (S_ISDIR(st.st_mode) && !st.st_uid && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return fault_set(fault, EPERM,
			 "%s is not root's alone, so that another could change what is in force: remove it, and "
			 "mount " SW_BPFFS " with mode=0700",
			 folder);
}

int pins_prepare(struct fault *fault)
{
	if (!is_bpffs() && mount("bpf", SW_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return fault_set(fault, errno, "cannot mount bpffs: %s; try mount -t bpf bpf " SW_BPFFS,
				 strerror(errno));
	if ((mkdir(SW_PINS, 0700) && errno != EEXIST) || (mkdir(PINS_TENANTS, 0700) && errno != EEXIST))
		return fault_set(fault, errno, "cannot make " PINS_TENANTS ": %s", strerror(errno));
	return check_ours(SW_PINS, fault) ?: check_ours(PINS_TENANTS, fault);
}

bool pins_has(const char *folder)
{
	return !access(folder, F_OK);
}

void pins_remove(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *pin;

	while (dir && (pin = readdir(dir)))
		unlinkat(dirfd(dir), pin->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(folder);
}

int pins_open(const char *folder, const char *name)
{
	char path[256];

	return bpf_obj_get(pins_path(path, folder, name));
}

int pins_add(int fd, const char *folder, const char *name, struct fault *fault)
{
	char path[256];

	if (!bpf_obj_pin(fd, pins_path(path, folder, name)))
		return 0;
	return fault_set(fault, errno, "cannot pin %s: %s", path, strerror(errno));
}

int pins_rename(const char *from, const char *to, struct fault *fault)
{
	if (!rename(from, to))
		return 0;
	return fault_set(fault, errno, "cannot rename %s to %s: %s", from, to, strerror(errno));
}

/* No tenant's name has a comma. */
const char *host_kept(char path[256], __u64 tenancy)
{
	snprintf(path, 256, PINS_TENANTS "/,ended-%llu", tenancy);
	return path;
}

int host_keep(const char *folder, __u64 tenancy, struct fault *fault)
{
	char path[256];

	if (!rename(folder, host_kept(path, tenancy)) || (errno == ENOENT && !mkdir(path, 0700)) || errno == EEXIST)
		return 0;
	return fault_set(fault, errno, "cannot rename %s to %s: %s", folder, path, strerror(errno));
}

int host_let_go(__u64 tenancy, struct fault *fault)
{
	char path[256];

	if (!rmdir(host_kept(path, tenancy)) || errno == ENOENT)
		return 0;
	return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
}
