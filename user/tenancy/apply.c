// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apply.h"
#include "attach.h"
#include "budget.h"
#include "cgroup.h"
#include "clock.h"
#include "detach.h"
#include "hold.h"
#include "leave.h"
#include "state.h"
#include "storage.h"

#define PIECE   100 /* ms with the lock, */
#define BREATHE 25  /* and without it: others look for it every 20 */

/* A policy that steps need, and where it is in the kernel. */
struct placed {
	const struct image *image;
	struct published at;
};

struct applying {
	struct host *host;
	struct plan *plan;
	LIST(struct placed) placed; /* by image */
	LIST(struct step *) done;   /* in the order in which they were */
	__s64 since;                /* when the lock was taken, ms */
	__u32 pace;                 /* images that are put into the kernel at once */
};

static int lock(struct applying *a, struct fault *fault)
{
	int err = host_lock(a->host, HOST_PATIENCE, fault);

	a->since = clock_ms(CLOCK_MONOTONIC);
	return err;
}

static int let_others(struct applying *a, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = BREATHE * 1000000L };

	if (clock_ms(CLOCK_MONOTONIC) - a->since < PIECE)
		return 0;
	host_unlock(a->host);
	nanosleep(&pause, NULL);
	return lock(a, fault);
}

/* ---- policies ------------------------------------------------------------------------------------------------ */

static int by_image(const void *a, const void *b)
{
	const struct image *x = ((const struct placed *)a)->image, *y = ((const struct placed *)b)->image;

	return x < y ? -1 : x > y;
}

static bool takes_effect(const struct step *step)
{
	return step->change == CHANGE_ATTACH || step->change == CHANGE_REPLACE;
}

static void list_images(struct applying *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->plan->of.n; i++)
		if (takes_effect(&a->plan->of.v[i]))
			list_add(&a->placed)->image = a->plan->of.v[i].image;
	if (a->placed.n)
		qsort(a->placed.v, a->placed.n, sizeof(*a->placed.v), by_image);
	for (size_t i = 0; i < a->placed.n; i++)
		if (!n || by_image(&a->placed.v[n - 1], &a->placed.v[i]))
			a->placed.v[n++] = a->placed.v[i];
	a->placed.n = n;
}

/* The maps of those that are not there yet are made without the lock. */
static int place_some(struct applying *a, size_t first, size_t n, struct fault *fault)
{
	struct publishing ready[PUBLISH_BATCH];
	struct published out[PUBLISH_BATCH];
	size_t made = 0;
	__s64 began;
	int err = 0, lost;

	host_unlock(a->host);
	for (; made < n && !err; made++) {
		ready[made] = (struct publishing){ a->placed.v[first + made].image, -1, -1 };
		if (!publish_knows(a->host, ready[made].image))
			err = publish_prepare(ready[made].image, &ready[made], fault);
	}
	lost = lock(a, fault);
	began = clock_ms(CLOCK_MONOTONIC);
	if (!err)
		err = lost ? lost : publish_many(a->host, ready, n, out, fault);
	a->pace = publish_pace(a->pace, clock_ms(CLOCK_MONOTONIC) - began);
	for (size_t i = 0; i < made; i++) {
		if (!err)
			a->placed.v[first + i].at = out[i];
		publish_discard(&ready[i]);
	}
	return err;
}

static int place_images(struct applying *a, struct fault *fault)
{
	int err = 0;

	list_images(a);
	for (size_t i = 0, n; i < a->placed.n && !err; i += n) {
		n = a->placed.n - i < a->pace ? a->placed.n - i : a->pace;
		err = place_some(a, i, n, fault);
	}
	return err;
}

/* What nobody had yet may have been taken out of the kernel again. */
static int find_terms(struct applying *a, const struct step *step, struct terms *terms, struct fault *fault)
{
	const struct placed key = { .image = step->image };
	struct placed *placed = bsearch(&key, a->placed.v, a->placed.n, sizeof(key), by_image);
	int err = 0;

	if (!publish_has(a->host, &placed->at))
		err = publish(a->host, step->image, &placed->at, fault);
	terms->image = placed->at;
	return err ? err
		   : budget_limit(a->host, NULL, step->name, step->of, &step->image->settings, &terms->limit, fault);
}

/* ---- notes --------------------------------------------------------------------------------------------------- */

static int note(struct applying *a, const struct step *step, struct fault *fault)
{
	struct sw_wanted is = { 0 };

	memcpy(is.path, step->path, sizeof(is.path));
	memcpy(is.policy, step->file, sizeof(is.policy));
	return wanted_put(a->host, step->name, &is, fault);
}

static int unnote(struct applying *a, const struct step *step, struct fault *fault)
{
	int err = *step->noted.name.text ? wanted_drop(a->host, step->name, fault) : 0;

	return err == -ENOENT ? 0 : err; /* someone else did */
}

static int renote(struct applying *a, const struct step *step, struct fault *fault)
{
	struct fault ignored;

	if (*step->noted.name.text)
		return wanted_put(a->host, step->name, &step->noted.is, fault);
	wanted_drop(a->host, step->name, &ignored);
	return 0;
}

/* ---- steps --------------------------------------------------------------------------------------------------- */

/* The keeper, which knows of the note already, may have been faster. */
static bool is_done(const struct applying *a, const struct step *step)
{
	struct tenancy of = tenancy_named(a->host, step->name);
	const struct sw_record *record = tenancy_record(a->host, of);

	return of.number && !strcmp(record->path, step->path) && !strcmp(record->policy, step->file) &&
	       tenancy_is_whole(a->host, of) && tenancy_has_image(a->host, of, step->image);
}

static int attach(struct applying *a, struct step *step, struct fault *fault)
{
	const struct attachment as = {
		.name = step->name,
		.policy = step->file,
		.image = step->image,
		.wanted = step->wanted,
	};
	struct cgroup cgroup;
	struct terms terms;
	int err;

	if (is_done(a, step))
		return 0;
	if (!cgroup_id(step->path)) /* it was removed: the keeper attaches it when it is made anew */
		return step->wanted ? note(a, step, fault) : 0;
	err = cgroup_open(&cgroup, step->path, fault);
	if (err)
		return err;
	err = step->wanted ? 0 : unnote(a, step, fault);
	if (!err)
		err = find_terms(a, step, &terms, fault);
	if (!err)
		err = tenancy_hold(a->host, &cgroup, &as, &terms, &step->of, fault);
	if (err)
		step->of = (struct tenancy){ 0 };
	else
		tenancy_warn_of_place(step->name, &cgroup, a->plan->warn);
	cgroup_close(&cgroup);
	return err;
}

static int unattach(struct applying *a, const struct step *step, struct fault *fault)
{
	int err = renote(a, step, fault);

	if (err || !tenancy_is(a->host, step->of, SLOTS(ATTACHED)))
		return err;
	return tenancy_detach(a->host, step->of, fault);
}

static int replace(struct applying *a, struct step *step, struct fault *fault)
{
	struct terms terms;
	int err = step->wanted ? note(a, step, fault) : unnote(a, step, fault);

	if (err || !tenancy_is_whole(a->host, step->of)) /* it was removed */
		return err;
	err = find_terms(a, step, &terms, fault);
	return err ? err : tenancy_move(a->host, step->of, &terms, step->file, fault);
}

static struct terms terms_before(const struct step *step)
{
	return (struct terms){ { step->storage.image, step->storage.serial }, step->storage.limit };
}

static int is_lost(const struct applying *a, const struct step *step, const struct terms *terms, struct fault *fault)
{
	return publish_has(a->host, &terms->image)
		       ? 0
		       : fault_set(fault, ENOENT, "the policy it had is not in the kernel any more: attach %s again",
				   step->name);
}

static int unreplace(struct applying *a, const struct step *step, struct fault *fault)
{
	const struct terms terms = terms_before(step);
	int err = renote(a, step, fault);

	if (err || !tenancy_is_whole(a->host, step->of))
		return err;
	err = is_lost(a, step, &terms, fault);
	return err ? err : tenancy_move(a->host, step->of, &terms, step->record.policy, fault);
}

/* Its sockets are closed first, under the policy. */
static int detach(struct applying *a, struct step *step, struct fault *fault)
{
	__u64 held = 0;
	int err = wanted_at(a->host, step->name, step->path) ? wanted_drop(a->host, step->name, fault) : 0;

	if (err || !tenancy_is(a->host, step->of, SLOTS(ATTACHED)))
		return err;
	err = tenancy_leave(a->host, step->of, &held, fault);
	if (held)
		a->plan->warn("tenant %s: %" PRIu64
			      " of its sockets could not be taken out of the kernel's tables, and "
			      "go on without policy and meter",
			      step->name, (uint64_t)held);
	if (!err)
		err = tenancy_detach(a->host, step->of, fault);
	return err == -ENOENT ? 0 : err; /* someone else was faster */
}

/* Cut short, it left a tenant that is as it was, or refused everything. */
static bool is_attached_still(struct applying *a, const struct step *step)
{
	struct fault ignored;

	if (!tenancy_is(a->host, step->of, SLOTS(ATTACHED)))
		return false;
	return tenancy_is_whole(a->host, step->of) ||
	       (!storage_write(a->host, step->record.cgroup, &step->storage, &ignored) &&
		tenancy_is_whole(a->host, step->of));
}

static int undetach(struct applying *a, const struct step *step, struct fault *fault)
{
	const struct terms terms = terms_before(step);
	const struct attachment as = {
		.name = step->name,
		.policy = step->record.policy,
		.wanted = *step->noted.name.text,
	};
	struct tenancy out;
	struct cgroup cgroup;
	int err = renote(a, step, fault);

	if (err || cgroup_id(step->path) != step->record.cgroup || !step->storage.slot)
		return err;
	err = is_lost(a, step, &terms, fault);
	if (err || is_attached_still(a, step))
		return err;
	err = cgroup_open(&cgroup, step->path, fault);
	if (!err)
		err = tenancy_hold(a->host, &cgroup, &as, &terms, &out, fault);
	cgroup_close(&cgroup);
	return err;
}

static int announce_note(struct applying *a, struct step *step, struct fault *fault)
{
	int err = note(a, step, fault);

	host_announce();
	return err;
}

static int forget(struct applying *a, struct step *step, struct fault *fault)
{
	return unnote(a, step, fault);
}

static const struct action {
	int (*carry_out)(struct applying *a, struct step *step, struct fault *fault);
	int (*take_back)(struct applying *a, const struct step *step, struct fault *fault);
} actions[] = {
	[CHANGE_FORGET] = { forget, renote },       [CHANGE_ATTACH] = { attach, unattach },
	[CHANGE_REPLACE] = { replace, unreplace },  [CHANGE_DETACH] = { detach, undetach },
	[CHANGE_AWAIT] = { announce_note, renote }, [CHANGE_WATCH] = { announce_note, renote },
};

/* ---- all of them --------------------------------------------------------------------------------------------- */

/* A pattern that is another now must match nothing more before what it has is detached. */
static int forget_old_patterns(struct applying *a, struct fault *fault)
{
	int err = 0;

	for (size_t i = 0; i < a->plan->of.n && !err; i++) {
		struct step *step = &a->plan->of.v[i];

		if (step->change != CHANGE_WATCH || !*step->noted.name.text)
			continue;
		*list_add(&a->done) = step;
		err = unnote(a, step, fault);
	}
	return err;
}

static int carry_out_each(struct applying *a, enum change change, bool after, struct fault *fault)
{
	struct fault why;
	int err = 0;

	for (size_t i = 0; i < a->plan->of.n && !err; i++) {
		struct step *step = &a->plan->of.v[i];

		if (step->change != change || step->after != after)
			continue;
		err = let_others(a, fault);
		if (err)
			return err;
		*list_add(&a->done) = step; /* half of it, too, is taken back */
		err = actions[change].carry_out(a, step, &why);
		if (err)
			fault_set(fault, -err, "tenant %s: %.300s; nothing has changed", step->name, why.text);
	}
	return err;
}

static void take_back(struct applying *a)
{
	struct fault fault;

	if (a->host->lock < 0 && lock(a, &fault)) {
		a->plan->warn("what was done cannot be taken back: %s", fault.text);
		return;
	}
	while (a->done.n) {
		struct step *step = a->done.v[--a->done.n];

		if (actions[step->change].take_back(a, step, &fault))
			a->plan->warn("what was done for tenant %s cannot be taken back: %s", step->name, fault.text);
	}
}

int plan_carry_out(struct host *host, struct plan *plan, struct fault *fault)
{
	static const struct phase {
		enum change change;
		bool after;
	} phases[] = {
		{ CHANGE_FORGET },        { CHANGE_ATTACH },      { CHANGE_REPLACE },
		{ CHANGE_REPLACE, true }, { CHANGE_DETACH },      { CHANGE_ATTACH, true },
		{ CHANGE_AWAIT },         { CHANGE_AWAIT, true }, { CHANGE_WATCH },
	};
	struct applying a = {
		.host = host,
		.plan = plan,
		.since = clock_ms(CLOCK_MONOTONIC),
		.pace = PUBLISH_PACE,
	};
	int err = place_images(&a, fault);

	if (!err)
		err = forget_old_patterns(&a, fault);
	for (size_t i = 0; i < sizeof(phases) / sizeof(*phases) && !err; i++)
		err = carry_out_each(&a, phases[i].change, phases[i].after, fault);
	if (err)
		take_back(&a);
	free(a.placed.v);
	free(a.done.v);
	return err;
}
