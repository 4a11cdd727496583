// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "names.h"
#include "tenant.h"

static const enum bpf_attach_type attach_type[] = {
#define X(id, name, type) [SW_HOOK_##id] = type,
	SW_HOOKS(X)
#undef X
};

const char *tenant_state_name(enum tenant_state state)
{
	static const char *const names[] = { "enforced", "audited", "incomplete", "gone" };

	return names[state];
}

const char *tenant_name_check(const char *name)
{
	if (!*name)
		return "it is empty";
	if (strlen(name) >= SW_NAME_MAX)
		return "it has more than 63 bytes";
	if (*name == '.' || *name == '-')
		return "it begins with a dot or a hyphen";
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.@:", *name))
			return "only letters, digits and - _ . @ : may stand in it";
	return NULL;
}

__u32 tenant_find(const struct host *host, const char *name)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (host->records[slot].cgroup && !strcmp(host->records[slot].name, name))
			return slot;
	return 0;
}

static const char *pin_path(char path[256], const char *name, enum sw_hook hook)
{
	snprintf(path, 256, SW_PINS "/tenants/%s/%s", name, hook_name(hook));
	return path;
}

/* Someone may have removed links by hand. */
static bool pins_whole(const char *name)
{
	char path[256];

	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (access(pin_path(path, name, hook), F_OK))
			return false;
	return true;
}

enum tenant_state tenant_state(const struct host *host, __u32 slot)
{
	const struct sw_record *record = &host->records[slot];
	struct sw_tenant tenant;

	if (cgroup_alive(host->cgroups, record->cgroup) == 0)
		return TENANT_GONE;
	if (host_storage(host, record->cgroup, &tenant) || tenant.slot != slot || !pins_whole(record->name))
		return TENANT_INCOMPLETE;
	return host->settings[tenant.image].audit ? TENANT_AUDITED : TENANT_ENFORCED;
}

static int write_storage(struct host *host, __u64 cgroup, const struct sw_tenant *tenant, struct fault *fault)
{
	if (!bpf_map_update_elem(host->map[MAP_tenants], &cgroup, tenant, BPF_EXIST))
		return 0;
	return fault_set(fault, errno, "cannot write the storage of the cgroup: %s", strerror(errno));
}

static int write_record(struct host *host, __u32 slot, const struct sw_record *record, struct fault *fault)
{
	if (!bpf_map_update_elem(host->map[MAP_records], &slot, record, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the map 'records': %s", strerror(errno));
}

/* Counters of the slot's last tenant must not show up on the next one's invoice. */
static int clear_counters(struct host *host, __u32 slot, struct fault *fault)
{
	int cpus = libbpf_num_possible_cpus();
	struct sw_meter *zero = mem_alloc(cpus, sizeof(*zero));
	struct sw_counts none = { 0 };
	int err = 0;

	if (bpf_map_update_elem(host->map[MAP_meters], &slot, zero, BPF_ANY) ||
	    bpf_map_update_elem(host->map[MAP_counts], &slot, &none, BPF_ANY))
		err = fault_set(fault, errno, "cannot clear the counters: %s", strerror(errno));
	free(zero);
	return err;
}

static void clear_hits(struct host *host, __u32 slot)
{
	struct sw_hit_key key, previous;
	bool more = !bpf_map_get_next_key(host->map[MAP_hits], NULL, &key);

	while (more) {
		previous = key;
		more = !bpf_map_get_next_key(host->map[MAP_hits], &previous, &key);
		if (previous.slot == slot)
			bpf_map_delete_elem(host->map[MAP_hits], &previous);
	}
}

static const char *pin_folder(char path[256], const char *name)
{
	snprintf(path, 256, SW_PINS "/tenants/%s", name);
	return path;
}

/* Egress goes last, as it came first. */
static int unpin_all(const char *name, struct fault *fault)
{
	char path[256];

	for (int hook = SW_HOOK_COUNT - 1; hook >= 0; hook--)
		if (unlink(pin_path(path, name, hook)) && errno != ENOENT)
			return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
	if (rmdir(pin_folder(path, name)) && errno != ENOENT)
		return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

static int make_links(const struct host *host, const struct cgroup *cgroup, int links[SW_HOOK_COUNT],
		      struct fault *fault)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		links[hook] = bpf_link_create(host->prog[hook], cgroup->fd, attach_type[hook], NULL);
		if (links[hook] < 0)
			return fault_set(fault, errno, "the kernel does not attach %s to %s: %s", hook_name(hook),
					 cgroup->path, strerror(errno));
	}
	return 0;
}

static int pin_links(const char *name, const int links[SW_HOOK_COUNT], struct fault *fault)
{
	char path[256];

	if (mkdir(pin_folder(path, name), 0700))
		return fault_set(fault, errno, "cannot make %s: %s", path, strerror(errno));
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (bpf_obj_pin(links[hook], pin_path(path, name, hook)))
			return fault_set(fault, errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

/* True for a path and any path below it. */
static bool is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(path, above, len) && (path[len] == '/' || !path[len]);
}

/* Why the cgroup cannot become a tenant of this name beside the one in `slot`; 0 if it can. */
static int check_beside(const struct host *host, __u32 slot, const char *name, const struct cgroup *cgroup,
			struct fault *fault)
{
	const struct sw_record *other = &host->records[slot];

	if (!strcmp(other->name, name))
		return fault_set(fault, EEXIST,
				 "tenant %s is attached already: --replace changes its policy, "
				 "'sockwarden detach %s' ends it",
				 name, name);
	if (other->cgroup == cgroup->id)
		return fault_set(fault, EEXIST, "%s is tenant %s already", cgroup->path, other->name);
	if (is_below(cgroup->path, other->path))
		return fault_set(fault, EEXIST, "%s is inside tenant %s: a tenant has one policy for all of it",
				 cgroup->path, other->name);
	if (is_below(other->path, cgroup->path))
		return fault_set(fault, EEXIST, "%s has tenant %s inside: detach that first", cgroup->path,
				 other->name);
	return 0;
}

static int check_free(const struct host *host, const char *name, const struct cgroup *cgroup, struct fault *fault)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++) {
		int err = host->records[slot].cgroup ? check_beside(host, slot, name, cgroup, fault) : 0;

		if (err && tenant_state(host, slot) != TENANT_GONE)
			return err;
	}
	return 0;
}

static __u32 free_slot(const struct host *host)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (!host->records[slot].cgroup)
			return slot;
	return 0;
}

/* Storage outlives the programs: what an earlier tenant left there must not come into force again. */
static int clear_storage(struct host *host, __u64 cgroup, struct fault *fault)
{
	struct sw_tenant tenant;
	int err = host_storage(host, cgroup, &tenant);

	if (err && err != -ENOENT)
		return fault_set(fault, -err, "cannot read the storage of the cgroup: %s", strerror(-err));
	return err ? 0 : write_storage(host, cgroup, &(struct sw_tenant){ 0 }, fault);
}

static int attach_links(struct host *host, const char *name, const struct cgroup *cgroup, struct fault *fault)
{
	int links[SW_HOOK_COUNT], err;

	memset(links, -1, sizeof(links));
	err = make_links(host, cgroup, links, fault);
	if (!err)
		err = pin_links(name, links, fault);
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (links[hook] >= 0)
			close(links[hook]);
	return err;
}

static int fill_storage(struct host *host, __u32 slot, const struct cgroup *cgroup, const struct published *image,
			struct fault *fault)
{
	struct sw_tenant tenant = {
		.slot = slot,
		.image = image->image,
		.serial = image->serial,
		.cgroup = cgroup->id,
		.level = cgroup->level,
	};

	return write_storage(host, cgroup->id, &tenant, fault);
}

int tenant_attach(struct host *host, const char *name, const struct cgroup *cgroup, const struct published *image,
		  struct fault *fault)
{
	struct sw_record record = { .cgroup = cgroup->id, .since = time(NULL) };
	struct fault ignored;
	__u32 slot, old = tenant_find(host, name);
	int err;

	if (old && tenant_state(host, old) != TENANT_ENFORCED && tenant_state(host, old) != TENANT_AUDITED) {
		err = tenant_detach(host, name, fault);
		if (err)
			return err;
	}
	err = check_free(host, name, cgroup, fault);
	if (err)
		return err;
	slot = free_slot(host);
	if (!slot)
		return fault_set(fault, ENOSPC, "%d tenants are attached, which is the most: detach one",
				 SW_TENANTS_MAX - 1);
	snprintf(record.name, sizeof(record.name), "%s", name);
	snprintf(record.path, sizeof(record.path), "%s", cgroup->path);
	err = clear_counters(host, slot, fault);
	if (!err)
		err = clear_storage(host, cgroup->id, fault);
	if (!err)
		err = write_record(host, slot, &record, fault);
	if (!err)
		err = attach_links(host, name, cgroup, fault);
	if (!err)
		err = fill_storage(host, slot, cgroup, image, fault);
	if (err)
		tenant_detach(host, name, &ignored);
	return err;
}

int tenant_replace(struct host *host, __u32 slot, const struct published *image, struct fault *fault)
{
	struct sw_tenant tenant;
	int err = host_storage(host, host->records[slot].cgroup, &tenant);

	if (err || tenant.slot != slot)
		return fault_set(fault, EINVAL, "tenant %s is %s: detach it, and attach it again",
				 host->records[slot].name, tenant_state_name(tenant_state(host, slot)));
	tenant.image = image->image;
	tenant.serial = image->serial;
	return write_storage(host, tenant.cgroup, &tenant, fault);
}

int tenant_detach(struct host *host, const char *name, struct fault *fault)
{
	__u32 slot = tenant_find(host, name);
	int err = 0;

	if (!slot)
		return fault_set(fault, ENOENT, "no tenant is named %s: 'sockwarden status' lists them", name);
	if (tenant_state(host, slot) != TENANT_GONE)
		err = clear_storage(host, host->records[slot].cgroup, fault);
	if (!err)
		err = unpin_all(name, fault);
	if (err)
		return err;
	clear_hits(host, slot);
	return write_record(host, slot, &(struct sw_record){ 0 }, fault);
}

int tenant_meter(const struct host *host, __u32 slot, struct sw_meter *out, struct fault *fault)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct sw_meter *per_cpu = mem_alloc(cpus, sizeof(*per_cpu));

	*out = (struct sw_meter){ 0 };
	if (bpf_map_lookup_elem(host->map[MAP_meters], &slot, per_cpu))
		err = fault_set(fault, errno, "cannot read the meters: %s", strerror(errno));
	for (int i = 0; i < cpus && !err; i++) {
		out->tx_bytes += per_cpu[i].tx_bytes;
		out->tx_packets += per_cpu[i].tx_packets;
		out->rx_bytes += per_cpu[i].rx_bytes;
		out->rx_packets += per_cpu[i].rx_packets;
	}
	free(per_cpu);
	return err;
}

__u64 tenant_hits(const struct host *host, __u32 slot, __u32 rule, __u64 serial)
{
	struct sw_hit_key key = { .slot = slot, .rule = rule, .serial = serial };
	__u64 hits = 0;

	bpf_map_lookup_elem(host->map[MAP_hits], &key, &hits);
	return hits;
}

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

static int foreign_at(const struct host *host, const char *path, int fd, void (*report)(const struct foreign *, void *),
		      void *data, struct fault *fault)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		__u32 ids[FOREIGN_MAX], n = FOREIGN_MAX, flags;

		if (bpf_prog_query(fd, attach_type[hook], 0, &flags, ids, &n))
			return fault_set(fault, errno, "cannot see which programs are on %s: %s", path,
					 strerror(errno));
		for (__u32 i = 0; i < n; i++) {
			struct foreign foreign = { .id = ids[i], .hook = hook };

			if (is_ours(host, ids[i]))
				continue;
			snprintf(foreign.cgroup, sizeof(foreign.cgroup), "%s", path);
			name_program(&foreign);
			report(&foreign, data);
		}
	}
	return 0;
}

int tenant_foreign(const struct host *host, const struct cgroup *cgroup,
		   void (*report)(const struct foreign *foreign, void *data), void *data, struct fault *fault)
{
	char path[SW_PATH_MAX];
	int err = 0;

	strcpy(path, cgroup->path);
	while (!err && strlen(path) > strlen(cgroup->root)) {
		int fd;

		*strrchr(path, '/') = '\0';
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return fault_set(fault, errno, "%s: %s", path, strerror(errno));
		err = foreign_at(host, path, fd, report, data, fault);
		close(fd);
	}
	return err;
}
