// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "hits.h"
#include "named.h"
#include "renew.h"
#include "slots.h"
#include "storage.h"
#include "upgrade.h"

struct source {
	char *policy;       /* where it is read; owned */
	const char *tenant; /* the first that has it; the record's own */
	struct image *image;
};

struct sources {
	LIST(struct source) of;
	size_t of_number[SW_IMAGES_MAX];           /* index in `of`, and one */
	const struct image *images[PUBLISH_BATCH]; /* that are to be loaded next, */
	struct published as[PUBLISH_BATCH];        /* under these */
	size_t n;
};

static int compile_source(const struct sw_record *record, struct image **out, struct fault *fault)
{
	struct fault why = { "this program has no compiler" };

	*out = upgrade_ways.compile ? upgrade_ways.compile(record->policy, &why) : NULL;
	if (*out)
		return 0;
	return fault_set(fault, EINVAL, "nothing was changed: the policy of tenant %s cannot be read anew: %.300s",
			 record->name, why.text);
}

/* Each policy is compiled once. */
static int find_source(struct sources *sources, const struct sw_record *record, size_t *out, struct fault *fault)
{
	char *policy = policy_resolve(record->policy);
	struct image *image;
	int err;

	for (*out = 0; *out < sources->of.n; ++*out)
		if (!strcmp(sources->of.v[*out].policy, policy)) {
			free(policy);
			return 0;
		}
	err = compile_source(record, &image, fault);
	if (err)
		free(policy);
	else
		*list_add(&sources->of) = (struct source){ policy, record->name, image };
	return err;
}

static int load(struct host *next, struct sources *sources, struct fault *fault)
{
	int err = publish_as(next, sources->images, sources->as, sources->n, fault);

	sources->n = 0;
	return err;
}

/* The image that a tenant has, under the number and serial that it knows it by. */
static int renew_image(struct host *next, struct sources *sources, const struct sw_record *record,
		       const struct sw_tenant *tenant, struct fault *fault)
{
	const struct source *had, *has;
	size_t at;
	int err = find_source(sources, record, &at, fault);

	if (err)
		return err;
	if (!sources->of_number[tenant->image]) {
		sources->of_number[tenant->image] = at + 1;
		sources->images[sources->n] = sources->of.v[at].image;
		sources->as[sources->n++] = (struct published){ tenant->image, tenant->serial };
		return sources->n == PUBLISH_BATCH ? load(next, sources, fault) : 0;
	}
	had = &sources->of.v[sources->of_number[tenant->image] - 1];
	has = &sources->of.v[at];
	if (image_has(had->image, has->image->settings.hash))
		return 0;
	return fault_set(fault, EINVAL,
			 "nothing was changed: tenants %s and %s have one policy in the kernel, but their sources "
			 "%.120s and %.120s differ: make them the same, or detach one",
			 had->tenant, record->name, had->policy, has->policy);
}

/* With counters for its rules, which begin anew. */
static int renew_tenant(struct host *next, struct sources *sources, __u32 slot, const struct sw_tenant *tenant,
			struct fault *fault)
{
	const struct sw_record *record = &next->records[slot];
	size_t source;
	int err = renew_image(next, sources, record, tenant, fault);

	if (err)
		return err;
	source = sources->of_number[tenant->image] - 1;
	return hits_place(next, slot, tenant->serial, sources->of.v[source].image->settings.rules, fault);
}

static int renew_each(struct host *next, struct sources *sources, struct fault *fault)
{
	int err = 0;

	for_each_slot_of(slot, next, SLOTS_HELD) {
		struct sw_tenant tenant;

		if (err || !storage_of_slot(next, slot, &tenant))
			continue; /* refused everything, and still will be */
		if (tenant.image)
			err = renew_tenant(next, sources, slot, &tenant, fault);
	}
	return err;
}

int renew_images(struct host *next, struct fault *fault)
{
	struct sources *sources = mem_alloc(1, sizeof(*sources));
	int err = renew_each(next, sources, fault);

	if (!err)
		err = load(next, sources, fault);
	for (size_t i = 0; i < sources->of.n; i++) {
		free(sources->of.v[i].policy);
		image_free(sources->of.v[i].image);
	}
	free(sources->of.v);
	free(sources);
	return err;
}

/* ---- and their serials ----------------------------------------------------------------------------------------- */

static int renew_serial(struct host *next, __u32 number, __u64 *serial, struct fault *fault)
{
	struct sw_settings settings = next->settings[number];
	int err = host_next_serial(next, serial, fault);

	if (err)
		return err;
	inner_rename(next, settings.serial, *serial);
	settings.serial = *serial;
	return settings_write(next, number, &settings, fault);
}

/* The record says what is in force for the next row of the ledger. */
static int move_tenant(struct host *next, __u32 slot, struct sw_tenant *tenant, __u64 serial, struct fault *fault)
{
	struct sw_record record = next->records[slot];
	struct sw_block block = next->blocks[slot];
	int err;

	tenant->serial = block.serial = serial;
	memcpy(record.hash, next->settings[tenant->image].hash, sizeof(record.hash));
	if (bpf_map_update_elem(next->map[MAP_blocks], &slot, &block, BPF_ANY))
		return fault_set(fault, errno, "cannot write the map 'blocks': %s", strerror(errno));
	err = slot_write(next, slot, &record, fault);
	return err ? err : storage_write(next, tenant->cgroup, tenant, fault);
}

int renew_serials(struct host *next, struct fault *fault)
{
	__u64 *serials = mem_alloc(SW_IMAGES_MAX, sizeof(*serials));
	int err = 0;

	for_each_slot_of(slot, next, SLOTS_HELD) {
		struct sw_tenant tenant;

		if (err || !storage_of_slot(next, slot, &tenant) || !tenant.image)
			continue;
		if (!serials[tenant.image])
			err = renew_serial(next, tenant.image, &serials[tenant.image], fault);
		if (!err)
			err = move_tenant(next, slot, &tenant, serials[tenant.image], fault);
	}
	free(serials);
	return err;
}
