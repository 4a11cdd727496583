// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "goals.h"
#include "hold.h"
#include "retrieve.h"
#include "state.h"
#include "storage.h"

/* ---- what the host has -------------------------------------------------------------------------------------- */

static int by_slot_name(const void *a, const void *b, void *records)
{
	const struct sw_record *of = records;

	return strcmp(of[*(const __u32 *)a].name, of[*(const __u32 *)b].name);
}

static int read_host(struct planning *p, struct fault *fault)
{
	int err;

	if (!p->host)
		return 0;
	for_each_slot_of(slot, p->host, SLOTS(ATTACHED))
		*list_add(&p->slots) = slot;
	if (p->slots.n)
		qsort_r(p->slots.v, p->slots.n, sizeof(*p->slots.v), by_slot_name, (void *)p->host->records);
	err = wanted_read(p->host, &p->wanted, fault);
	p->noted = mem_alloc(p->wanted.of.n, sizeof(*p->noted));
	return err;
}

struct tenancy plan_attached_as(const struct planning *p, const char *name)
{
	size_t low = 0, high = p->slots.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(p->host->records[p->slots.v[middle]].name, name);

		if (!order)
			return tenancy_in(p->host, p->slots.v[middle]);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct tenancy){ 0 };
}

bool plan_is_ours(const struct planning *p, const char *policy)
{
	return tenant_set_folder(p->set, policy) != NULL;
}

/* Who removes a whole folder hardly means that nothing in it is to be held to a policy any more. */
static void check_folder(struct planning *p, const char *name, const char *policy)
{
	const struct tenant_folder *folder = tenant_set_folder(p->set, policy);

	if (!folder->there && !p->diags->errors)
		diag_error(p->diags, &(struct place){ .file = folder->path },
			   "the folder is not there, but tenant %s is from it: make it, empty if all that is from it "
			   "is to be "
			   "detached",
			   name);
}

/* ---- the steps ---------------------------------------------------------------------------------------------- */

static struct step *step_new(struct planning *p, enum change change, const char *name, const char *path,
			     const char *file)
{
	struct step *step = list_add(&p->plan->of);
	const struct wanted *noted = wanted_find(&p->wanted, name);

	step->change = change;
	snprintf(step->name, sizeof(step->name), "%s", name);
	snprintf(step->path, sizeof(step->path), "%s", path);
	snprintf(step->file, sizeof(step->file), "%s", file);
	if (!noted)
		return step;
	step->noted = *noted;
	p->noted[noted - p->wanted.of.v] = true;
	return step;
}

static void step_of(struct planning *p, struct step *step, struct tenancy of)
{
	step->of = of;
	step->record = *tenancy_record(p->host, of);
	storage_of_slot(p->host, of.slot, &step->storage);
}

static const struct image *image_now(struct planning *p, const struct sw_tenant *storage)
{
	struct known_image *known;

	for (size_t i = 0; i < p->plan->images.n; i++)
		if (p->plan->images.v[i].serial == storage->serial)
			return p->plan->images.v[i].image;
	known = list_add(&p->plan->images);
	known->serial = storage->serial;
	known->image = image_retrieve(p->host, &(struct published){ storage->image, storage->serial });
	return known->image;
}

static bool is_noted(const struct planning *p, const struct goal *goal)
{
	const struct wanted *noted = p->host ? wanted_find(&p->wanted, goal->name) : NULL;

	return noted && !strcmp(noted->is.path, goal->path) && !strcmp(noted->is.policy, goal->from->file.file);
}

static void keep_note(struct planning *p, const struct goal *goal)
{
	const struct wanted *noted = wanted_find(&p->wanted, goal->name);

	if (noted)
		p->noted[noted - p->wanted.of.v] = true;
}

static void add_step(struct planning *p, const struct goal *goal, enum change change, struct tenancy of)
{
	struct step *step = step_new(p, change, goal->name, goal->path, goal->from->file.file);

	step->image = goal->from->image;
	step->wanted = goal->by_name || goal->pattern;
	step->after = goal->after;
	if (!of.number)
		return;
	step_of(p, step, of);
	step->same = tenancy_has_image(p->host, of, step->image);
	if (p->plan->compare && !step->same)
		step->was = image_now(p, &step->storage);
}

/* Attached to the cgroup that is there now, and whole. */
static void plan_attached(struct planning *p, const struct goal *goal, struct tenancy of)
{
	p->kept[of.slot] = true;
	if (strcmp(tenancy_record(p->host, of)->policy, goal->from->file.file) ||
	    !tenancy_has_image(p->host, of, goal->from->image) ||
	    (goal->by_name ? !is_noted(p, goal) : wanted_find(&p->wanted, goal->name) != NULL))
		add_step(p, goal, CHANGE_REPLACE, of);
	else
		keep_note(p, goal);
}

static void plan_goal(struct planning *p, const struct goal *goal)
{
	struct tenancy of = p->host ? plan_attached_as(p, goal->name) : (struct tenancy){ 0 };
	const struct sw_record *record = of.number ? tenancy_record(p->host, of) : NULL;

	if (record && !strcmp(record->path, goal->path))
		p->kept[of.slot] = true; /* what is gone of it makes room for itself */
	if (goal->cgroup && record && record->cgroup == goal->cgroup && tenancy_is_whole(p->host, of))
		plan_attached(p, goal, of);
	else if (goal->cgroup)
		add_step(p, goal, CHANGE_ATTACH, (struct tenancy){ 0 });
	else if (goal->by_name && !is_noted(p, goal))
		add_step(p, goal, CHANGE_AWAIT, (struct tenancy){ 0 });
	else
		keep_note(p, goal);
}

static void plan_pattern(struct planning *p, const struct goal *goal)
{
	if (is_noted(p, goal))
		keep_note(p, goal);
	else
		add_step(p, goal, CHANGE_WATCH, (struct tenancy){ 0 });
}

static void plan_rest(struct planning *p)
{
	for (size_t i = 0; i < p->slots.n; i++) {
		__u32 slot = p->slots.v[i];
		const struct sw_record *record = &p->host->records[slot];

		if (p->kept[slot] || !plan_is_ours(p, record->policy))
			continue;
		check_folder(p, record->name, record->policy);
		step_of(p, step_new(p, CHANGE_DETACH, record->name, record->path, record->policy),
			tenancy_in(p->host, slot));
	}
	for (size_t i = 0; i < p->wanted.of.n; i++) {
		const struct wanted *one = &p->wanted.of.v[i];

		if (p->noted[i] || !plan_is_ours(p, one->is.policy))
			continue;
		check_folder(p, one->name.text, one->is.policy);
		step_new(p, CHANGE_FORGET, one->name.text, one->is.path, one->is.policy);
	}
}

static void plan_steps(struct planning *p)
{
	for (size_t i = 0; i < p->goals.n; i++) {
		const struct goal *goal = &p->goals.v[i];

		if (goal->pattern)
			plan_pattern(p, goal);
		else if (!goal->out)
			plan_goal(p, goal);
		p->plan->tenants += !goal->pattern && !goal->out;
	}
	if (p->host)
		plan_rest(p);
}

int plan_make(const struct host *host, const struct tenant_set *set, struct plan *plan, struct diags *diags,
	      struct fault *fault)
{
	struct planning *p = mem_alloc(1, sizeof(*p));
	int err = 0;

	if (host && host->foreign && set->of.n)
		err = fault_set(fault, ESTALE,
				"the programs are another build's: 'sockwarden upgrade' takes over from it");
	*p = (struct planning){ .host = host && host->foreign ? NULL : host, .set = set, .plan = plan, .diags = diags };
	if (!err && set->of.n)
		err = cgroup_root(p->root, fault);
	if (!err)
		err = read_host(p, fault);
	if (!err) {
		goals_find(p);
		goals_check(p);
	}
	if (!err && !diags->errors)
		plan_steps(p);
	free(p->goals.v);
	free(p->by_name.v);
	free(p->slots.v);
	free(p->claims.v);
	free(p->noted);
	wanted_free(&p->wanted);
	free(p);
	return err;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->images.n; i++)
		image_free(plan->images.v[i].image);
	for (size_t i = 0; i < plan->left_out.n; i++)
		free(plan->left_out.v[i]);
	free(plan->left_out.v);
	free(plan->images.v);
	free(plan->of.v);
	*plan = (struct plan){ .compare = plan->compare, .warn = plan->warn };
}
