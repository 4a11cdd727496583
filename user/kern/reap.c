// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "census.h"
#include "clock.h"
#include "feature.h"
#include "mem.h"
#include "owners.h"
#include "reap.h"
#include "slots.h"
#include "survey.h"
#include "take.h"
#include "walk.h"

#define FOLDER   SW_PINS "/pass"
#define PATIENCE 10000 /* ms that another's pass is waited for */
#define PAUSE    10

/* A pass under way. */
struct pass {
	struct host *host;
	struct reaper *reaper;
	const struct reap_options *options;
	struct reap_result *result;
	struct owners owners;
	int lock; /* not for workers */
	struct census census;
	struct found_list found;
};

/* One pass at a time: the programs have one place to keep its figures in. A descriptor, or -errno. */
static int lock_pass(struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000 };
	int fd;

	if (mkdir(FOLDER, 0700) && errno != EEXIST)
		return fault_set(fault, errno, "cannot make " FOLDER ": %s", strerror(errno));
	fd = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, errno, FOLDER ": %s", strerror(errno));
	for (unsigned waited = 0; waited < PATIENCE; waited += PAUSE) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return fault_set(fault, EBUSY, "another pass over the sockets has been under way for %d s: try again later",
			 PATIENCE / 1000);
}

/* Jiffies a second: the clock that is read from the last tick is as coarse as a tick. */
static __u32 jiffies_per_second(void)
{
	struct timespec tick;

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return 1000000000 / tick.tv_nsec;
}

/* Should its slot be another's before the pass is over, the programs notice. */
static int find_slot(const struct pass *pass, __u32 *slot, struct fault *fault)
{
	struct tenancy only = tenancy_numbered(pass->host, pass->options->tenancy);

	*slot = only.slot;
	return pass->options->tenancy ? tenancy_check(pass->host, only, SLOTS(ATTACHED), fault) : 0;
}

static int begin(struct pass *pass, struct fault *fault)
{
	const struct reap_options *options = pass->options;
	struct sw_pass last = { 0 }, begun = {
		.hz = jiffies_per_second(),
		.dry = options->dry,
		.leaves = options->leaves ? options->leaves->tenancy : 0,
		.idle = SW_NO_LIMIT,
		.pause = SW_PASS_STEP,
	};
	__u32 key = SW_PASS_WHOLE;
	int err = owners_settle(pass->host, options->leaves, &pass->owners, fault);

	if (!err)
		err = find_slot(pass, &begun.slot, fault);
	if (err)
		return err;
	pass->result->timeout = pass->owners.timeout;
	begun.levels = pass->owners.levels;
	bpf_map_lookup_elem(pass->host->map[MAP_pass], &key, &last);
	begun.number = last.number == ~0U ? 1 : last.number + 1;
	begun.whole = last.whole;
	if (options->idle != SW_NO_LIMIT)
		begun.idle = options->idle * begun.hz;
	if (!bpf_map_update_elem(pass->host->map[MAP_pass], &key, &begun, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the map 'pass': %s", strerror(errno));
}

/* ---- processes, and what is kept on sockets: nothing there waits for anyone -------------------------------- */

static void add_found(void *data, const void *record)
{
	struct pass *pass = data;

	*list_add(&pass->found.of) = *(const struct sw_found *)record;
}

static int walk_here(struct pass *pass, enum walk which, __u32 thread, struct fault *fault)
{
	const struct walking walking = {
		.walk = which,
		.thread = thread,
		.size = sizeof(struct sw_found),
		.each = add_found,
		.data = pass,
		.held = &pass->result->longest,
	};

	return walk(pass->host, &walking, fault);
}

static int find_strays_in(struct pass *pass, const struct census_item *table, struct fault *fault)
{
	struct shares *shares = &pass->reaper->shares;
	__u64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int err;

	if (!share_lasts(shares, table->slot, SHARE_TABLES)) {
		if (share_put_off(shares, table->slot, SHARE_TABLES, table->number))
			census_leave_out(&pass->census, pass->host, table->slot);
		return 0;
	}
	err = walk_here(pass, WALK_STRAYS, table->number, fault);
	share_charge(shares, table->slot, SHARE_TABLES, clock_ns(CLOCK_THREAD_CPUTIME_ID) - before);
	return err;
}

static int find_strays(struct pass *pass, struct fault *fault)
{
	const struct census_list *tables = &pass->census.tables;
	int err = 0;

	for (size_t i = 0; i < tables->of.n && !err; i++)
		err = find_strays_in(pass, &tables->of.v[i], fault);
	return err;
}

bool reap_sees_all(const struct host *host)
{
	return host->walk[WALK_SURVEY] >= 0 && !feature_without("survey");
}

/* What workers passed over. */
static void note_missed(struct reap_result *result, __u64 missed, const struct fault *why)
{
	if (missed && !result->missed)
		result->why = *why;
	result->missed += missed;
}

/* What is kept on sockets; then the tables of every network namespace. */
static int look_at_all(struct pass *pass, struct fault *fault)
{
	struct survey survey = {
		.host = pass->host,
		.spaces = &pass->census.spaces,
		.losses = &pass->reaper->losses,
		.not = pass->lock,
		.found = add_found,
		.data = pass,
	};
	int err = reap_sees_all(pass->host) ? walk_here(pass, WALK_SURVEY, 0, fault) : 0;

	if (!err)
		err = survey_spaces(&survey, fault);
	note_missed(pass->result, survey.missed, &survey.why);
	if (survey.held > pass->result->longest)
		pass->result->longest = survey.held;
	return err;
}

/* ---- taking what is closed out of the tables ------------------------------------------------------------ */

static int by_tenant(const void *a, const void *b)
{
	const struct sw_found *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* A stray that two processes have was found twice. */
static void sort(struct found_list *found)
{
	size_t n = 0;

	if (found->of.n)
		qsort(found->of.v, found->of.n, sizeof(*found->of.v), by_tenant);
	for (size_t i = 0; i < found->of.n; i++)
		if (!n || found->of.v[n - 1].cookie != found->of.v[i].cookie)
			found->of.v[n++] = found->of.v[i];
	found->of.n = n;
}

/* What there is to take, and is not held, of who does not rest: in the order of `found`. */
static struct found_list to_take(const struct pass *pass)
{
	struct found_list list = { 0 };

	for (size_t i = 0; i < pass->found.of.n; i++) {
		const struct sw_found *found = &pass->found.of.v[i];

		if (found->bound && !share_rests(&pass->reaper->shares, found->slot) &&
		    !losses_has_socket(&pass->reaper->losses, found->cookie))
			*list_add(&list.of) = *found;
	}
	return list;
}

static void take_all(struct pass *pass)
{
	struct found_list list = to_take(pass);
	LIST(struct take_group) groups = { 0 };
	struct take taking = {
		.host = pass->host,
		.census = &pass->census,
		.losses = &pass->reaper->losses,
		.share = share_max(&pass->reaper->shares),
		.not = pass->lock,
	};

	for (size_t i = 0; i < list.of.n; i++) {
		if (!groups.n || groups.v[groups.n - 1].slot != list.of.v[i].slot)
			*list_add(&groups) = (struct take_group){ .slot = list.of.v[i].slot, .found = &list.of.v[i] };
		groups.v[groups.n - 1].n++;
	}
	take(&taking, groups.v, groups.n);
	pass->result->taken = taking.taken;
	note_missed(pass->result, taking.missed, &taking.why);
	free(groups.v);
	free(list.of.v);
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Network namespaces that have a socket to be taken out. */
static __u64 count_spaces(const struct found_list *found)
{
	__u64 *spaces = mem_alloc(found->of.n + 1, sizeof(*spaces)), n = 0, count = 0;

	for (size_t i = 0; i < found->of.n; i++)
		if (found->of.v[i].bound)
			spaces[n++] = found->of.v[i].netns;
	qsort(spaces, n, sizeof(*spaces), by_number);
	for (__u64 i = 0; i < n; i++)
		count += !i || spaces[i] != spaces[i - 1];
	free(spaces);
	return count;
}

static int finish(struct pass *pass, struct fault *fault)
{
	struct reap_result *result = pass->result;
	struct sw_pass ended;
	__u64 bound = 0;
	__u32 key = SW_PASS_WHOLE;

	if (bpf_map_lookup_elem(pass->host->map[MAP_pass], &key, &ended))
		return fault_set(fault, errno, "cannot read the map 'pass': %s", strerror(errno));
	if (!pass->census.partial) {
		ended.whole = ended.number;
		if (bpf_map_update_elem(pass->host->map[MAP_pass], &key, &ended, BPF_ANY))
			return fault_set(fault, errno, "cannot write the map 'pass': %s", strerror(errno));
	}
	result->seen = ended.seen;
	result->spaces = count_spaces(&pass->found);
	for (size_t i = 0; i < pass->found.of.n; i++)
		bound += pass->found.of.v[i].bound;
	if (!pass->options->dry && bound > result->taken)
		result->stuck = bound - result->taken;
	return 0;
}

static int make_pass(struct pass *pass, struct fault *fault)
{
	int err = begin(pass, fault);

	if (err || !pass->owners.levels) /* there are no tenants */
		return err;
	err = census_take(pass->host, &pass->reaper->shares, &pass->census, fault);
	if (err)
		return err;
	err = find_strays(pass, fault);
	if (!err)
		err = look_at_all(pass, fault);
	sort(&pass->found);
	if (!err && !pass->options->dry)
		take_all(pass);
	if (!err)
		err = finish(pass, fault);
	census_free(&pass->census);
	return err;
}

int reap_pass(struct reaper *reaper, const struct reap_options *options,
	      void (*each)(const struct sw_found *found, void *data), void *data, struct reap_result *result,
	      struct fault *fault)
{
	struct pass pass = { .host = reaper->host, .reaper = reaper, .options = options, .result = result };
	__u64 began, cpu;
	int err;

	*result = (struct reap_result){ 0 };
	pass.lock = lock_pass(fault);
	if (pass.lock < 0)
		return pass.lock;
	began = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) + reaper->losses.cpu;
	shares_begin(&reaper->shares);
	for_each_slot_of(slot, reaper->host, SLOTS_HELD)
		share_belongs(&reaper->shares, slot, reaper->host->records[slot].tenancy);
	err = make_pass(&pass, fault);
	close(pass.lock); /* who is told may be slow */
	for (size_t i = 0; i < pass.found.of.n; i++) {
		if (!pass.found.of.v[i].fresh)
			continue;
		result->found++;
		if (each)
			each(&pass.found.of.v[i], data);
	}
	losses_check(&reaper->losses);
	result->lasted = clock_ns(CLOCK_MONOTONIC) - began;
	result->cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) + reaper->losses.cpu - cpu;
	result->charged = shares_end(&reaper->shares);
	free(pass.found.of.v);
	return err;
}

void reaper_open(struct reaper *reaper, struct host *host, bool once)
{
	*reaper = (struct reaper){ .host = host, .losses = { .shares = &reaper->shares } };
	shares_open(&reaper->shares, once);
}

void reaper_close(struct reaper *reaper)
{
	shares_close(&reaper->shares);
	free(reaper->losses.of.v);
}
