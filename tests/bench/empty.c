// SPDX-License-Identifier: GPL-2.0-only
/* The programs of empty.bpf.c, and where they are held. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "links.h"
#include "names.h"

static int programs[SW_HOOK_COUNT];
static bool loaded;

void empty_load(const char *file)
{
	struct bpf_object *object = loaded ? NULL : bpf_object__open_file(file, NULL);

	if (loaded)
		return;
	if (!object || bpf_object__load(object))
		die("%s: %s", file, strerror(errno));
	for (int i = 0; i < SW_HOOKS_OPTIONAL; i++) {
		char name[64];

		snprintf(name, sizeof(name), "empty_%s", hook_name(i));
		programs[i] = bpf_program__fd(bpf_object__find_program_by_name(object, name));
	}
	loaded = true;
}

int empty_program(enum sw_hook hook)
{
	return programs[hook];
}

static int opened(const char *cgroup)
{
	int dir = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		die("%s: %s", cgroup, strerror(errno));
	return dir;
}

int hook_hold(const char *cgroup, int program, enum sw_hook hook)
{
	int dir = opened(cgroup), link = bpf_link_create(program, dir, hook_attach_type(hook), NULL);

	if (link < 0)
		die("%s on %s: %s", hook_name(hook), cgroup, strerror(errno));
	close(dir);
	return link;
}

int hooks_copy(const char *cgroup, const char *model, int links[SW_HOOK_COUNT])
{
	int dir = opened(model), held = 0;

	for (int hook = 0; hook < SW_HOOKS_OPTIONAL; hook++) {
		__u32 ids[64], n = 64;

		if (bpf_prog_query(dir, hook_attach_type(hook), 0, NULL, ids, &n))
			die("%s of %s: %s", hook_name(hook), model, strerror(errno));
		if (n)
			links[held++] = hook_hold(cgroup, empty_program(hook), hook);
	}
	close(dir);
	return held;
}
