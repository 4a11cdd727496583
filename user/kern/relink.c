// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "links.h"
#include "mem.h"
#include "names.h"
#include "pins.h"
#include "relink.h"

struct program {
	char name[64]; /* of its hook */
	int fd;
	int hook;   /* -1: not one of ours */
	bool added; /* the build that is there has none */
	bool anew;  /* it has, but that one knows no storage of the cgroup */
};

struct programs {
	LIST(struct program) of; /* our hooks first, in their order */
	bool first;              /* only the first of them is to be moved */
	int cgroups;
};

static int open_program(const char *folder, const char *hook)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/sw_%s", folder, hook);
	return bpf_obj_get(path);
}

#define MAPS_MAX 64

/*
 * Does the program use the cgroup's storage? A link is given that when it is made, and not when it is updated: a
 * program that looks for it there would then find none, and bring down the kernel.
 */
static bool has_storage(int program)
{
	__u32 maps[MAPS_MAX], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)maps };
	bool has = false;

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return false;
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX && !has; i++) {
		struct bpf_map_info map = { 0 };
		int fd = bpf_map_get_fd_by_id(maps[i]);

		len = sizeof(map);
		has = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &len) && map.type == BPF_MAP_TYPE_CGROUP_STORAGE;
		if (fd >= 0)
			close(fd);
	}
	return has;
}

static int hook_of(const char *name)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (!strcmp(hook_name(hook), name))
			return hook;
	return -1;
}

static int add_program(struct programs *programs, const char *name, int hook, struct fault *fault)
{
	int had = open_program(PINS_HOST, name), fd = open_program(PINS_NEXT, name);
	bool anew = had >= 0 && fd >= 0 && has_storage(fd) && !has_storage(had);
	struct program *program;

	if (had >= 0)
		close(had);
	if (fd < 0)
		return errno == ENOENT && hook >= 0
			       ? 0
			       : fault_set(fault, errno, "%s/sw_%s: %s", PINS_NEXT, name, strerror(errno));
	program = list_add(&programs->of);
	*program = (struct program){ .fd = fd, .hook = hook, .added = had < 0, .anew = anew };
	snprintf(program->name, sizeof(program->name), "%s", name);
	return 0;
}

static bool is_walk(const char *pin)
{
	for (int i = 0; i < WALK_COUNT; i++)
		if (!strcmp(pins_walk[i], pin))
			return true;
	return false;
}

static int add_unknown(struct programs *programs, struct fault *fault)
{
	DIR *folder = opendir(PINS_NEXT);
	struct dirent *pin;
	int err = 0;

	if (!folder)
		return fault_set(fault, errno, PINS_NEXT ": %s", strerror(errno));
	while (!err && (pin = readdir(folder)))
		if (!strncmp(pin->d_name, "sw_", 3) && hook_of(pin->d_name + 3) < 0 && !is_walk(pin->d_name))
			err = add_program(programs, pin->d_name + 3, -1, fault);
	closedir(folder);
	return err;
}

static int open_programs(struct programs *programs, struct fault *fault)
{
	char root[SW_PATH_MAX];
	struct fault ignored;
	int err = 0;

	*programs = (struct programs){ .cgroups = -1 };
	for (int hook = 0; hook < SW_HOOK_COUNT && !err; hook++)
		err = add_program(programs, hook_name(hook), hook, fault);
	if (!err)
		err = add_unknown(programs, fault);
	if (!err && !cgroup_root(root, &ignored))
		programs->cgroups = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return err;
}

static void close_programs(struct programs *programs)
{
	for (size_t i = 0; i < programs->of.n; i++)
		close(programs->of.v[i].fd);
	free(programs->of.v);
	if (programs->cgroups >= 0)
		close(programs->cgroups);
}

static bool is_program(const struct programs *programs, const char *name)
{
	for (size_t i = 0; i < programs->of.n; i++)
		if (!strcmp(programs->of.v[i].name, name))
			return true;
	return false;
}

/* A descriptor of the cgroup that a link is on, or -errno. */
static int open_cgroup(const struct programs *programs, int link)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(link, &info, &len))
		return -errno;
	return cgroup_open_id(programs->cgroups, info.cgroup.cgroup_id);
}

/* A link of its own for the program, where `beside` is one, pinned as `path`. */
static int create_link(const struct programs *programs, const struct program *program, int beside, const char *path,
		       struct fault *fault)
{
	int cgroup = open_cgroup(programs, beside), link, err = 0;

	if (cgroup < 0)
		return cgroup == -ESTALE
			       ? cgroup
			       : fault_set(fault, -cgroup, "cannot open the cgroup of %s: %s", path, strerror(-cgroup));
	link = bpf_link_create(program->fd, cgroup, hook_attach_type(program->hook), NULL);
	if (link < 0 || bpf_obj_pin(link, path))
		err = fault_set(fault, errno, "cannot make %s: %s", path, strerror(errno));
	if (link >= 0)
		close(link);
	close(cgroup);
	return err;
}

/* A cgroup that was removed makes no new sockets: what it has goes on with the program it has. */
static int add_link(const struct programs *programs, const struct program *program, int egress, const char *path,
		    struct fault *fault)
{
	int err;

	if (!program->added || program->hook < 0 || egress < 0)
		return 0;
	err = create_link(programs, program, egress, path, fault);
	return err == -ESTALE ? 0 : err;
}

#define ASIDE ",new" /* no hook's name; whoever is killed here leaves it to remove_links() */

/* Both are in force until the name is the new one's. */
static int replace_link(const struct programs *programs, const struct program *program, int link, const char *folder,
			const char *path, struct fault *fault)
{
	char aside[256];
	int err;

	unlink(pins_path(aside, folder, ASIDE));
	err = create_link(programs, program, link, aside, fault);
	if (err)
		return err == -ESTALE ? 0 : err;
	return pins_rename(aside, path, fault);
}

/* ENOLINK: the cgroup is gone, and what its sockets ran with it. */
static int update_link(const struct programs *programs, const struct program *program, int egress, const char *folder,
		       struct fault *fault)
{
	char path[256];
	int link = bpf_obj_get(pins_path(path, folder, program->name)), err = 0;

	if (link < 0 && errno == ENOENT)
		return add_link(programs, program, egress, path, fault);
	if (link < 0)
		return fault_set(fault, errno, "%s: %s", path, strerror(errno));
	if (program->anew && program->hook < 0)
		err = fault_set(fault, ENOTSUP,
				"%s: only the build that began to take over can go on: run its 'upgrade'", path);
	else if (program->anew)
		err = replace_link(programs, program, link, folder, path, fault);
	else if (bpf_link_update(link, program->fd, NULL) && errno != ENOLINK)
		err = fault_set(fault, errno, "the kernel does not give %s its new program: %s", path, strerror(errno));
	close(link);
	return err;
}

/* Hooks that the new build no longer has. */
static void remove_links(const struct programs *programs, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *pin;

	while (dir && (pin = readdir(dir)))
		if (*pin->d_name != '.' && !is_program(programs, pin->d_name))
			unlinkat(dirfd(dir), pin->d_name, 0);
	if (dir)
		closedir(dir);
}

static int update_tenant(const struct programs *programs, const char *folder, struct fault *fault)
{
	int egress = pins_open(folder, hook_name(SW_HOOK_EGRESS)), err = 0;

	for (size_t i = 0; i < programs->of.n && !err && !(programs->first && i); i++)
		err = update_link(programs, &programs->of.v[i], egress, folder, fault);
	if (!err && !programs->first)
		remove_links(programs, folder);
	if (egress >= 0)
		close(egress);
	return err;
}

static int update_tenants(const struct programs *programs, struct fault *fault)
{
	DIR *tenants = opendir(PINS_TENANTS);
	struct dirent *tenant;
	char path[256];
	struct fault why;
	int first = 0, err;

	if (!tenants)
		return errno == ENOENT ? 0 : fault_set(fault, errno, PINS_TENANTS ": %s", strerror(errno));
	while ((tenant = readdir(tenants))) {
		if (*tenant->d_name == '.')
			continue;
		err = update_tenant(programs, pins_path(path, PINS_TENANTS, tenant->d_name), first ? &why : fault);
		first = first ? first : err; /* one that cannot be moved does not hold up the others */
	}
	closedir(tenants);
	return first;
}

static int relink(bool first, struct fault *fault)
{
	struct programs programs;
	int err = open_programs(&programs, fault);

	programs.first = first;
	if (!err)
		err = update_tenants(&programs, fault);
	close_programs(&programs);
	return err;
}

int relink_tenants(struct fault *fault)
{
	return relink(false, fault);
}

int relink_egress(struct fault *fault)
{
	_Static_assert(SW_HOOK_EGRESS == 0, "it is the first of our hooks");
	return relink(true, fault);
}
