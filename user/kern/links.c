// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "links.h"
#include "names.h"
#include "slots.h"

enum bpf_attach_type hook_attach_type(enum sw_hook hook)
{
	static const enum bpf_attach_type types[] = {
#define X(id, name, type) [SW_HOOK_##id] = type,
		SW_HOOKS(X)
#undef X
	};

	return types[hook];
}

/* bpffs keeps dots for itself; a comma is in no tenant's name. */
static const char *folder_of_name(char path[256], const char *name)
{
	int len = snprintf(path, 256, SW_PINS "/tenants/%s", name);

	for (char *c = path + len - strlen(name); *c; c++)
		if (*c == '.')
			*c = ',';
	return path;
}

/* Where the record's pins are. */
const char *links_folder(char path[256], const struct sw_record *record)
{
	return slot_state(record) == SLOT_LINGERING ? host_kept(path, record->tenancy)
						    : folder_of_name(path, record->name);
}

static const char *pin_path(char path[256], const struct sw_record *record, enum sw_hook hook)
{
	size_t len = strlen(links_folder(path, record));

	snprintf(path + len, 256 - len, "/%s", hook_name(hook));
	return path;
}

/* The programs in the kernel have it, of whichever build they are. */
static bool has_hook(const struct host *host, int hook)
{
	return host->prog[hook] >= 0;
}

static bool is_hook(const struct host *host, const char *name)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (!strcmp(hook_name(hook), name))
			return has_hook(host, hook);
	return false;
}

static int count_hooks(const struct host *host)
{
	int n = 0;

	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		n += has_hook(host, hook);
	return n;
}

/* The folder is listed: asking for each pin is three times dearer. */
bool links_whole(const struct host *host, const struct sw_record *record)
{
	char path[256];
	DIR *folder = opendir(links_folder(path, record));
	struct dirent *pin;
	int found = 0;

	while (folder && (pin = readdir(folder)))
		found += is_hook(host, pin->d_name);
	if (folder)
		closedir(folder);
	return found == count_hooks(host);
}

static int make_all(const struct host *host, const struct cgroup *cgroup, int links[SW_HOOK_COUNT], struct fault *fault)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		if (!has_hook(host, hook))
			continue;
		links[hook] = bpf_link_create(host->prog[hook], cgroup->fd, hook_attach_type(hook), NULL);
		if (links[hook] < 0)
			return fault_set(fault, errno, "the kernel does not attach %s to %s: %s", hook_name(hook),
					 cgroup->path, strerror(errno));
	}
	return 0;
}

static int pin_all(const struct sw_record *record, const int links[SW_HOOK_COUNT], struct fault *fault)
{
	char path[256];

	if (mkdir(links_folder(path, record), 0700))
		return fault_set(fault, errno, "cannot make %s: %s", path, strerror(errno));
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (links[hook] >= 0 && bpf_obj_pin(links[hook], pin_path(path, record, hook)))
			return fault_set(fault, errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

int links_pin(const struct host *host, const struct cgroup *cgroup, const struct sw_record *record, struct fault *fault)
{
	int links[SW_HOOK_COUNT], err;

	memset(links, -1, sizeof(links));
	err = make_all(host, cgroup, links, fault);
	if (!err)
		err = pin_all(record, links, fault);
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (links[hook] >= 0)
			close(links[hook]);
	return err;
}

/* Of hooks that only another build has. */
static void unpin_others(const struct host *host, const struct sw_record *record)
{
	char path[256];
	DIR *folder = host->foreign ? opendir(links_folder(path, record)) : NULL;
	struct dirent *pin;

	while (folder && (pin = readdir(folder)))
		if (!is_hook(host, pin->d_name))
			unlinkat(dirfd(folder), pin->d_name, 0);
	if (folder)
		closedir(folder);
}

/* A link that has lost its pin is released some time later, by the kernel's worker. So it is told to go at once. */
static int unpin(const char *path)
{
	int link = bpf_obj_get(path), err = unlink(path) && errno != ENOENT ? errno : 0;

	if (link >= 0 && !err)
		bpf_link_detach(link);
	if (link >= 0)
		close(link);
	errno = err;
	return err;
}

int links_unpin(const struct host *host, const struct sw_record *record, struct fault *fault)
{
	char path[256];

	unpin_others(host, record);
	for (int hook = SW_HOOK_COUNT - 1; hook >= 0; hook--)
		if (unpin(pin_path(path, record, hook)))
			return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

int links_end(const struct sw_record *record, bool waits, struct fault *fault)
{
	char path[256];

	links_folder(path, record);
	if (waits)
		return slot_state(record) == SLOT_LINGERING ? 0 : host_keep(path, record->tenancy, fault);
	if (rmdir(path) && errno != ENOENT)
		return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

int links_let_linger(const struct sw_record *record, struct fault *fault)
{
	char path[256];

	return host_keep(folder_of_name(path, record->name), record->tenancy, fault);
}
