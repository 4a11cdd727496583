// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "detach.h"
#include "grants.h"
#include "hits.h"
#include "hold.h"
#include "links.h"
#include "meters.h"
#include "state.h"
#include "storage.h"
#include "unit.h"
#include "wanted.h"
#include "watch.h"

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

char *tenant_name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return unit_unescape(unit_of_directory(slash ? slash + 1 : path));
}

/* ---- what keeps the cgroup, or the name, from being a tenant's ---------------------------------------------- */

/* Why the cgroup cannot become a tenant of this name beside the other; 0 if it can. */
static int check_beside(const struct sw_record *other, const char *name, const struct cgroup *cgroup,
			struct fault *fault)
{
	if (!strcmp(other->name, name))
		return fault_set(fault, EEXIST,
				 "tenant %s is attached already, to %s: choose another name with --tenant, or end it "
				 "with 'sockwarden detach %s'",
				 name, other->path, name);
	if (other->cgroup == cgroup->id)
		return fault_set(fault, EEXIST, "%s is tenant %s already", cgroup->path, other->name);
	if (cgroup_is_below(cgroup->path, other->path))
		return fault_set(fault, EEXIST, "%s is inside tenant %s: a tenant has one policy for all of it",
				 cgroup->path, other->name);
	if (cgroup_is_below(other->path, cgroup->path))
		return fault_set(fault, EEXIST, "%s has tenant %s inside: detach that first", cgroup->path,
				 other->name);
	return 0;
}

static int check_free(const struct host *host, const char *name, const struct cgroup *cgroup, struct fault *fault)
{
	for_each_slot_of(slot, host, SLOTS_HELD) {
		int err = check_beside(&host->records[slot], name, cgroup, fault);

		if (err && tenancy_state(host, tenancy_in(host, slot)) != TENANT_GONE)
			return err;
	}
	return 0;
}

/* The slot that ended first; 0: none has. */
static __u32 find_ended(const struct host *host)
{
	__u32 first = 0;

	for_each_slot_of(slot, host, SLOTS(ENDED))
		if (!first || host->records[slot].tenancy < host->records[first].tenancy)
			first = slot;
	return first;
}

/*
 * A slot that was never used, or has been released. While no ledger books on this host nobody waits for the bytes of
 * those that have ended, and when no slot is left the one that ended first is used again.
 */
static int find_slot(const struct host *host, __u32 *slot, struct fault *fault)
{
	char ledger[SW_PATH_MAX];
	int err;

	*slot = slot_next(host->records, SW_TENANTS_MAX, 0, SLOTS(FREE));
	if (*slot)
		return 0;
	err = host_ledger(host, ledger, fault);
	if (err)
		return err;
	*slot = find_ended(host);
	if (!*slot)
		return fault_set(fault, ENOSPC, "%d tenants are attached, which is the most: detach one",
				 SW_TENANTS_MAX - 1);
	if (*ledger)
		return fault_set(fault, ENOSPC,
				 "no slot is free until the ledger has booked the tenants that have "
				 "ended: start sockwarden daemon");
	return 0;
}

/* What is in the way is an error, or is tidied up. */
static int make_room(struct host *host, const struct cgroup *cgroup, const struct attachment *as, __u32 *slot,
		     struct fault *fault)
{
	struct tenancy old = tenancy_named(host, as->name);
	int err = 0;

	if (!as->wanted && wanted_has(host, as->name))
		return fault_set(fault, EEXIST,
				 "tenant %s is to be attached when its cgroup is there again: choose another name, or "
				 "'sockwarden detach %s' first",
				 as->name, as->name);
	if (old.number && !tenancy_is_whole(host, old))
		err = tenancy_detach(host, old, fault);
	if (err)
		return err;
	tenancy_sweep(host);
	err = check_free(host, as->name, cgroup, fault);
	if (!err)
		err = find_slot(host, slot, fault);
	if (!err)
		err = meters_clear(host, *slot, fault);
	if (!err) /* the last programs may have learned more after its end */
		err = grants_clear(host, *slot, fault);
	return err ? err : storage_clear(host, cgroup->id, fault);
}

/* ---- holding it --------------------------------------------------------------------------------------------- */

/* What the next row of the ledger will say of it. */
static void name_policy(const struct host *host, struct sw_record *record, const struct terms *terms,
			const char *policy)
{
	memcpy(record->hash, host->settings[terms->image.image].hash, sizeof(record->hash));
	snprintf(record->policy, sizeof(record->policy), "%s", policy);
}

static int make_record(struct host *host, const struct cgroup *cgroup, const struct attachment *as,
		       const struct terms *terms, struct sw_record *record, struct fault *fault)
{
	*record = (struct sw_record){ .cgroup = cgroup->id, .since = time(NULL), .tenancy = as->number };
	snprintf(record->name, sizeof(record->name), "%s", as->name);
	snprintf(record->path, sizeof(record->path), "%s", cgroup->path);
	name_policy(host, record, terms, as->policy);
	return record->tenancy ? 0 : host_next_serial(host, &record->tenancy, fault);
}

static int fill_storage(struct host *host, struct tenancy of, const struct cgroup *cgroup, const struct terms *terms,
			struct fault *fault)
{
	const struct sw_tenant tenant = {
		.slot = of.slot,
		.image = terms->image.image,
		.serial = terms->image.serial,
		.cgroup = cgroup->id,
		.limit = terms->limit,
		.level = cgroup->level,
		.tenancy = of.number,
	};

	return storage_write(host, cgroup->id, &tenant, fault);
}

static int count_rules(struct host *host, struct tenancy of, const struct terms *terms, struct fault *fault)
{
	const struct published *image = &terms->image;

	return hits_place(host, of.slot, image->serial, host->settings[image->image].rules, fault);
}

/* It is noted as wanted before it is in force: who is killed in between leaves a tenant that the daemon attaches. */
static int bring_into_force(struct host *host, const struct cgroup *cgroup, const struct attachment *as,
			    const struct terms *terms, struct tenancy of, struct fault *fault)
{
	const struct sw_record *record = tenancy_record(host, of);
	int err = links_pin(host, cgroup, record, fault);

	if (!err && as->wanted)
		err = wanted_note(host, record, fault);
	if (!err)
		err = count_rules(host, of, terms, fault);
	return err ? err : fill_storage(host, of, cgroup, terms, fault);
}

int tenancy_hold(struct host *host, const struct cgroup *cgroup, const struct attachment *as, const struct terms *terms,
		 struct tenancy *out, struct fault *fault)
{
	bool known = wanted_has(host, as->name);
	struct sw_record record;
	struct fault ignored;
	int err = make_room(host, cgroup, as, &out->slot, fault);

	if (!err)
		err = make_record(host, cgroup, as, terms, &record, fault);
	if (!err)
		err = slot_write(host, out->slot, &record, fault);
	if (err)
		return err;
	out->number = record.tenancy;
	err = bring_into_force(host, cgroup, as, terms, *out, fault);
	if (err) {
		tenancy_detach(host, *out, &ignored);
		if (!known)
			wanted_drop(host, as->name, &ignored);
		return err;
	}
	watch_start(host);
	host_announce();
	return 0;
}

/* The record goes first: whoever is killed in between leaves a tenant under its old policy, and a row with the new
 * hash. */
int tenancy_move(struct host *host, struct tenancy of, const struct terms *terms, const char *policy,
		 struct fault *fault)
{
	struct sw_record record = *tenancy_record(host, of);
	struct sw_tenant tenant;
	int err = tenancy_storage(host, of, &tenant, fault);

	if (err)
		return err;
	if (!host->blocks || host->blocks[of.slot].serial != terms->image.serial)
		err = count_rules(host, of, terms, fault);
	if (err)
		return err;
	tenant.image = terms->image.image;
	tenant.serial = terms->image.serial;
	tenant.limit = terms->limit;
	name_policy(host, &record, terms, policy);
	err = slot_write(host, of.slot, &record, fault);
	if (!err && wanted_at(host, record.name, record.path))
		err = wanted_note(host, &record, fault);
	if (!err)
		err = storage_write(host, tenant.cgroup, &tenant, fault);
	host_announce();
	return err;
}

bool tenancy_has_image(const struct host *host, struct tenancy of, const struct image *image)
{
	struct sw_tenant now;

	return storage_of_slot(host, of.slot, &now) &&
	       (!host->blocks || host->blocks[of.slot].serial == now.serial) && /* else its rules are not counted */
	       image_has(image, host->settings[now.image].hash);
}
