// SPDX-License-Identifier: GPL-2.0-only
/*
 * All are compiled before the first is put into the kernel, and all are in the kernel before the first tenant is moved
 * to its new one: a mistake in any leaves every tenant under the policy it has. Those of tenants that are unprotected
 * are compiled too: they are what these will be attached with.
 *
 * Between two pieces anybody may attach, replace and detach. What was given another policy since we began has it from
 * who knew better; what we put into the kernel and nobody had yet may have been taken out, and is put there again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "budget.h"
#include "clock.h"
#include "hold.h"
#include "load.h"
#include "mem.h"
#include "named.h"
#include "publish.h"
#include "reload.h"
#include "state.h"
#include "storage.h"
#include "wanted.h"

#define PIECE   100 /* ms of work in one step */
#define WAIT    100 /* ms for the lock in one step */
#define BREATHE 25  /* ms after one that wants the lock: others look for it every 20 */

struct renewed {
	char *source;
	struct image *image;
	bool used; /* by a tenant that is held to it, not only by one that will be */
	struct published published;
};

struct reloading {
	struct host *host;
	struct reload how;
	LIST(struct renewed) of; /* by source */
	unsigned phase;
	size_t next;                            /* of `of`, in this phase */
	__u32 slot;                             /* the last that was moved */
	__u64 begun;                            /* serials up to it were given out before */
	unsigned waited;                        /* ms for the lock, in vain */
	__u32 pace;                             /* images that are put into the kernel at once */
	struct publishing ready[PUBLISH_BATCH]; /* of these the next, made ready for that */
	struct renewed *ready_for[PUBLISH_BATCH];
	size_t n_ready;
	int kept;      /* tenants that keep the policy they have */
	bool mistaken; /* a policy has mistakes */
};

/* 0: it is held; BREATHE: not yet; or -EBUSY. */
static int lock(struct reloading *r, struct fault *fault)
{
	int err = host_lock(r->host, WAIT, fault);

	r->waited = err ? r->waited + WAIT : 0;
	return err == -EBUSY && r->waited < HOST_PATIENCE ? BREATHE : err;
}

/* ---- which policies ----------------------------------------------------------------------------------------- */

static int by_source(const void *a, const void *b)
{
	return strcmp(((const struct renewed *)a)->source, ((const struct renewed *)b)->source);
}

static struct renewed *find(const struct reloading *r, const char *source)
{
	const struct renewed key = { .source = (char *)source };

	return r->of.n ? bsearch(&key, r->of.v, r->of.n, sizeof(key), by_source) : NULL;
}

static void add(struct reloading *r, const char *source, bool used)
{
	if (r->how.is_others && r->how.is_others(source, r->how.data))
		return;
	*list_add(&r->of) = (struct renewed){ .source = mem_strdup(source), .used = used };
}

/* Each once. */
static void join_equal(struct reloading *r)
{
	size_t n = 0;

	if (r->of.n)
		qsort(r->of.v, r->of.n, sizeof(*r->of.v), by_source);
	for (size_t i = 0; i < r->of.n; i++) {
		if (!n || by_source(&r->of.v[n - 1], &r->of.v[i])) {
			r->of.v[n++] = r->of.v[i];
			continue;
		}
		r->of.v[n - 1].used |= r->of.v[i].used;
		free(r->of.v[i].source);
	}
	r->of.n = n;
}

/*
 * What a tenant may have written is not read anew: it would choose its own policy, or keep all others from theirs. Who
 * looks at its file may have to wait, so that is done without the lock.
 */
static void leave_out_others(struct reloading *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->of.n; i++) {
		char *source = r->of.v[i].source;

		if (!policy_is_path(source) || file_is_roots(source)) {
			r->of.v[n++] = r->of.v[i];
			continue;
		}
		fprintf(r->how.mistakes,
			"warning: %s is not read anew, for others than root may write to it: its tenants keep the "
			"policy they have\n",
			source);
		free(source);
	}
	r->of.n = n;
}

static int collect(struct reloading *r, struct fault *fault)
{
	struct wanted_list wanted = { 0 };
	int err = lock(r, fault);

	if (err)
		return err;
	err = host_next_serial(r->host, &r->begun, fault);
	if (!err)
		err = wanted_read(r->host, &wanted, fault);
	for_each_slot_of(slot, r->host, SLOTS_HELD)
		add(r, r->host->records[slot].policy, true);
	host_unlock(r->host);
	for (size_t i = 0; i < wanted.of.n; i++)
		add(r, wanted.of.v[i].is.policy, false);
	wanted_free(&wanted);
	join_equal(r);
	leave_out_others(r);
	return err;
}

/* ---- compiled, and put into the kernel ---------------------------------------------------------------------- */

static int compile_some(struct reloading *r, struct fault *fault)
{
	__s64 end = clock_ms(CLOCK_MONOTONIC) + PIECE;

	(void)fault;
	while (r->next < r->of.n && clock_ms(CLOCK_MONOTONIC) < end) {
		struct renewed *renewed = &r->of.v[r->next++];

		renewed->image = policy_compile(renewed->source, false, r->how.mistakes);
		r->mistaken |= !renewed->image;
	}
	return r->next < r->of.n;
}

static int change_others(struct reloading *r, struct fault *fault)
{
	int err = r->how.others ? r->how.others(r->mistaken, r->how.data, fault) : 0;

	if (err > 0 || !r->mistaken)
		return err;
	return fault_set(fault, EINVAL, "a policy has mistakes, so all tenants keep the policies they have");
}

/* The next that tenants are held to, as many as share their grace periods, made ready without the lock. */
static int prepare_some(struct reloading *r, struct fault *fault)
{
	__s64 end = clock_ms(CLOCK_MONOTONIC) + PIECE;
	int err = 0;

	for (; r->next < r->of.n && r->n_ready < r->pace && !err && clock_ms(CLOCK_MONOTONIC) < end; r->next++) {
		struct renewed *renewed = &r->of.v[r->next];
		struct publishing *ready = &r->ready[r->n_ready];

		if (!renewed->used)
			continue;
		*ready = (struct publishing){ .image = renewed->image, .trie = -1, .table = -1 };
		r->ready_for[r->n_ready++] = renewed;
		if (!publish_knows(r->host, renewed->image))
			err = publish_prepare(renewed->image, ready, fault);
	}
	return err;
}

static void discard_ready(struct reloading *r)
{
	for (size_t i = 0; i < r->n_ready; i++)
		publish_discard(&r->ready[i]);
	r->n_ready = 0;
}

/* What is ready stays so while the lock cannot be had. */
static int publish_some(struct reloading *r, struct fault *fault)
{
	struct published published[PUBLISH_BATCH];
	int err = r->n_ready ? 0 : prepare_some(r, fault);
	__s64 began;

	if (!err)
		err = lock(r, fault);
	if (err)
		return err;
	began = clock_ms(CLOCK_MONOTONIC);
	err = publish_many(r->host, r->ready, r->n_ready, published, fault);
	host_unlock(r->host);
	r->pace = publish_pace(r->pace, clock_ms(CLOCK_MONOTONIC) - began);
	for (size_t i = 0; i < r->n_ready && !err; i++)
		r->ready_for[i]->published = published[i];
	discard_ready(r);
	return err ? err : r->next < r->of.n ? BREATHE : 0;
}

/* ---- in force ----------------------------------------------------------------------------------------------- */

static int move(struct reloading *r, struct tenancy of, struct renewed *to, struct fault *fault)
{
	const struct sw_settings *settings = &to->image->settings;
	struct terms terms;
	struct sw_tenant now;
	int err = 0;

	if (!storage_of_slot(r->host, of.slot, &now) || tenancy_has_image(r->host, of, to->image) ||
	    (now.serial > r->begun && now.serial != to->published.serial))
		return 0;
	if (!publish_has(r->host, &to->published))
		err = publish(r->host, to->image, &to->published, fault);
	terms.image = to->published;
	if (!err)
		err = budget_limit(r->host, r->how.ledger, tenancy_record(r->host, of)->name, of, settings,
				   &terms.limit, fault);
	return err ? err : tenancy_move(r->host, of, &terms, to->source, fault);
}

static int move_some(struct reloading *r, struct fault *fault)
{
	__s64 end = clock_ms(CLOCK_MONOTONIC) + PIECE;
	int err = lock(r, fault);
	bool more = true;

	if (err)
		return err;
	while (more && clock_ms(CLOCK_MONOTONIC) < end) {
		struct tenancy of;
		struct renewed *to;
		struct fault why;

		r->slot = slot_next(r->host->records, SW_TENANTS_MAX, r->slot, SLOTS_HELD);
		more = r->slot != 0;
		of = tenancy_in(r->host, r->slot);
		to = more && tenancy_is_whole(r->host, of) ? find(r, tenancy_record(r->host, of)->policy) : NULL;
		if (!to || !to->used || !move(r, of, to, &why))
			continue;
		r->how.kept(tenancy_record(r->host, of)->name, &why, r->how.data);
		r->kept++;
	}
	host_unlock(r->host);
	if (more)
		return BREATHE;
	return r->kept ? fault_set(fault, EIO, "%d tenants keep the policy they have", r->kept) : 0;
}

static int (*const phases[])(struct reloading *r, struct fault *fault) = {
	collect, compile_some, change_others, publish_some, move_some,
};

#define PHASES (sizeof(phases) / sizeof(*phases))

int reload_step(struct reloading *r, struct fault *fault)
{
	int more = phases[r->phase](r, fault);

	if (more)
		return more;
	r->next = 0;
	return ++r->phase < PHASES ? 1 : 0;
}

struct reloading *reload_begin(struct host *host, const struct reload *how)
{
	struct reloading *r = mem_alloc(1, sizeof(*r));

	r->host = host;
	r->pace = PUBLISH_PACE;
	r->how = *how;
	return r;
}

size_t reload_policies(const struct reloading *r)
{
	return r->of.n;
}

void reload_end(struct reloading *r)
{
	discard_ready(r);
	for (size_t i = 0; i < r->of.n; i++) {
		free(r->of.v[i].source);
		image_free(r->of.v[i].image);
	}
	free(r->of.v);
	free(r);
}
