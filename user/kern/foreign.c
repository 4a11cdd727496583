// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foreign.h"
#include "links.h"

static bool is_ours(const struct host *host, __u32 id)
{
	struct bpf_prog_info info;
	__u32 len;

	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (!bpf_obj_get_info_by_fd(host->prog[hook], &info, &len) && info.id == id)
			return true;
	}
	return false;
}

static void name_program(struct foreign *foreign)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(foreign->id);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(foreign->program, sizeof(foreign->program), "%s", info.name);
	close(fd);
}

#define FOREIGN_MAX 64

static int foreign_at(const struct host *host, const char *path, int fd, void (*each)(const struct foreign *, void *),
		      void *data, struct fault *fault)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		__u32 ids[FOREIGN_MAX], n = FOREIGN_MAX, flags;

		if (host->prog[hook] < 0) /* nor does the kernel have the hook */
			continue;
		if (bpf_prog_query(fd, hook_attach_type(hook), 0, &flags, ids, &n))
			return fault_set(fault, errno, "cannot see which programs are on %s: %s", path,
					 strerror(errno));
		for (__u32 i = 0; i < n; i++) {
			struct foreign foreign = { .id = ids[i], .hook = hook };

			if (is_ours(host, ids[i]))
				continue;
			snprintf(foreign.cgroup, sizeof(foreign.cgroup), "%s", path);
			name_program(&foreign);
			each(&foreign, data);
		}
	}
	return 0;
}

int foreign_find(const struct host *host, const struct cgroup *cgroup,
		 void (*each)(const struct foreign *foreign, void *data), void *data, struct fault *fault)
{
	char path[SW_PATH_MAX];
	int fd = cgroup->fd, above, err = 0;

	strcpy(path, cgroup->path);
	for (__u32 level = cgroup->level; !err && level; level--) {
		above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd != cgroup->fd)
			close(fd);
		fd = above;
		*strrchr(path, '/') = '\0';
		if (fd < 0)
			return fault_set(fault, errno, "%s: %s", path, strerror(errno));
		err = foreign_at(host, path, fd, each, data, fault);
	}
	if (fd != cgroup->fd)
		close(fd);
	return err;
}
