// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "owners.h"
#include "slots.h"
#include "storage.h"

static bool is_same(const struct sw_tenant *a, const struct sw_tenant *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* What is in force on the cgroup, or was on that of who leaves; slot 0: nothing. */
static int read_owner(const struct host *host, __u64 cgroup, const struct sw_tenant *leaves, struct sw_tenant *out,
		      struct fault *fault)
{
	int err = host_storage(host, cgroup, out);

	if (err && err != -ENOENT)
		return fault_set(fault, -err, "cannot read the storage of a cgroup: %s", strerror(-err));
	if (err || !out->slot)
		*out = leaves && leaves->cgroup == cgroup ? *leaves : (struct sw_tenant){ 0 };
	return 0;
}

/*
 * `owners` is written with the storage (storage.h), and what is there is in force. What is not, for the map was made
 * anew or someone was ended between the two, is made so here. It may be written at this moment: so it is the storage,
 * read once more, that has the last word.
 */
static int settle(const struct host *host, __u64 cgroup, const struct sw_tenant *leaves, struct fault *fault)
{
	int map = host->map[MAP_owners], err;
	struct sw_tenant held, said;

	do {
		err = read_owner(host, cgroup, leaves, &held, fault);
		if (err)
			return err;
		if (held.slot)
			err = bpf_map_update_elem(map, &cgroup, &held, BPF_ANY) ? -errno : 0;
		else
			err = bpf_map_delete_elem(map, &cgroup) && errno != ENOENT ? -errno : 0;
		if (err)
			return fault_set(fault, -err, "cannot write the map 'owners': %s", strerror(-err));
		err = read_owner(host, cgroup, leaves, &said, fault);
	} while (!err && !is_same(&held, &said));
	return err;
}

/* Those that are no tenant's any more. Their number is as good as always the same. */
static int forget(const struct host *host, const struct sw_tenant *tenants, __u32 n, const struct sw_tenant *leaves,
		  struct fault *fault)
{
	__u64 key, next;
	bool more = !bpf_map_get_next_key(host->map[MAP_owners], NULL, &next);
	struct sw_tenant owner;
	int err = 0;

	while (more && !err) {
		key = next;
		more = !bpf_map_get_next_key(host->map[MAP_owners], &key, &next);
		if (!bpf_map_lookup_elem(host->map[MAP_owners], &key, &owner) &&
		    !(owner.slot < n && is_same(&owner, &tenants[owner.slot])))
			err = settle(host, key, leaves, fault);
	}
	return err;
}

static void note_timeout(__u32 timeout, struct owners *owners)
{
	if (timeout && (!owners->timeout || timeout < owners->timeout))
		owners->timeout = timeout;
}

static int name(const struct host *host, const struct sw_tenant *tenants, __u32 n, const struct sw_tenant *leaves,
		struct owners *owners, struct fault *fault)
{
	int err = 0;

	for (__u32 slot = 1; slot < n && !err; slot++) {
		const struct sw_tenant *tenant = &tenants[slot];
		struct sw_tenant said;

		if (!tenant->slot)
			continue;
		owners->levels |= 1U << tenant->level;
		note_timeout(host->settings[tenant->image].idle_timeout, owners);
		if (bpf_map_lookup_elem(host->map[MAP_owners], &tenant->cgroup, &said) || !is_same(tenant, &said))
			err = settle(host, tenant->cgroup, leaves, fault);
	}
	return err;
}

/* What is in force on the slot's cgroup; of who leaves, what was. */
static struct sw_tenant owner_in(const struct host *host, __u32 slot, const struct sw_tenant *leaves)
{
	struct sw_tenant tenant;

	if (!storage_of_slot(host, slot, &tenant) && leaves && leaves->slot == slot)
		tenant = *leaves;
	return tenant.level < SW_LEVELS ? tenant : (struct sw_tenant){ 0 };
}

int owners_settle(const struct host *host, const struct sw_tenant *leaves, struct owners *owners, struct fault *fault)
{
	__u32 n = slots_end(host);
	struct sw_tenant *tenants = mem_alloc(n, sizeof(*tenants));
	int err;

	*owners = (struct owners){ 0 };
	for_each_slot(slot, host->records, n, SLOTS_HELD)
		tenants[slot] = owner_in(host, slot, leaves);
	err = forget(host, tenants, n, leaves, fault);
	if (!err)
		err = name(host, tenants, n, leaves, owners, fault);
	free(tenants);
	return err;
}
