// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever happens between ticks, and to them: in the end the ledger says of each tenant what its meters said. Tenants
 * come and go, hosts reboot, clocks are set, the disk fails, readers lock the file, the daemon is restarted.
 */
#include "../unit/generate.h"
#include "calendar.h"
#include "support.h"

#define TENANTS 8
#define RUNS    60
#define STEPS   60

struct truth {
	struct scene *scene;
	struct draw draw;
	struct sw_meter sent[TENANTS];
	__u64 tenancies;
	sqlite3 *reader;
	bool prunes, pruned; /* now and then, and at least once */
};

static const char *const names[TENANTS] = { "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7" };

static unsigned below(struct truth *truth, unsigned limit)
{
	return draw_below(&truth->draw, limit);
}

static void send_some(struct truth *truth)
{
	struct scene *scene = truth->scene;

	for (size_t i = 0; i < scene->tick.n; i++) {
		struct ledger_item *item = &scene->items[i];
		struct sw_traffic traffic = { below(truth, 1000), below(truth, 1000), below(truth, 9) };
		enum sw_billing billing = below(truth, 2);
		enum sw_direction direction = below(truth, 2);

		if (below(truth, 3))
			continue;
		traffic_add(&item->meter.of[billing][direction], &traffic);
		traffic_add(&truth->sent[item->tenant[1] - '0'].of[billing][direction], &traffic);
	}
}

static void attach_one(struct truth *truth)
{
	struct scene *scene = truth->scene;

	if (scene->tick.n == COUNT(scene->items))
		return;
	attach(scene, names[below(truth, TENANTS)], ++truth->tenancies)->hash[0] = below(truth, 3);
}

/* The items are in no order, and what has ended stays until it is booked. */
static void detach_booked(struct truth *truth)
{
	struct scene *scene = truth->scene;

	for (size_t i = 0; i < scene->tick.n; i++)
		if (!below(truth, 4))
			scene->items[i--] = scene->items[--scene->tick.n];
}

static void reboot_booked(struct truth *truth)
{
	struct scene *scene = truth->scene;

	scene->tick.n = 0;
	scene->tick.source.epoch += 12345;
	scene->tick.source.boot[5]++;
	scene->tick.uptime = 5000;
}

static void break_something(struct truth *truth)
{
	if (!below(truth, 3))
		failing = (struct failing){ .after = below(truth, 40), .error = below(truth, 2) ? EIO : ENOSPC };
	if (!below(truth, 100)) {
		assert_int_equal(sqlite3_open(truth->scene->path, &truth->reader), SQLITE_OK);
		sqlite3_exec(truth->reader, "BEGIN; SELECT count(*) FROM tick", NULL, NULL, NULL);
	}
}

static void mend(struct truth *truth)
{
	failing.after = -1;
	sqlite3_close(truth->reader);
	truth->reader = NULL;
}

/* Rows of some of the days, on a disk that may fail. Others may have it locked. */
static void prune(struct truth *truth)
{
	struct scene *scene = truth->scene;
	struct ledger_pruned pruned = { 0 };
	struct ledger *ledger;
	int err;

	if (ledger_open(&ledger, scene->path, LEDGER_PRUNING, &scene->fault))
		return;
	if (!below(truth, 2))
		failing = (struct failing){ .after = below(truth, 60), .error = below(truth, 2) ? EIO : ENOSPC };
	err = ledger_prune(ledger, scene->tick.now / DAY_MS - below(truth, 5), false, &pruned, &scene->fault);
	failing.after = -1;
	if (err && err != -EIO && err != -ENOSPC)
		fail_msg("%d: %s", err, scene->fault.text);
	truth->pruned |= pruned.rows > 0;
	ledger_close(ledger);
}

static void step(struct truth *truth)
{
	struct scene *scene = truth->scene;
	int err;

	if (!below(truth, 3))
		attach_one(truth);
	send_some(truth);
	if (!below(truth, 10))
		scene->tick.now += ((__s64)below(truth, 200) - 100) * 3600000;
	if (!below(truth, 8))
		assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	break_something(truth);
	err = book_after(scene, below(truth, 100));
	mend(truth);
	if (!err && !below(truth, 3))
		detach_booked(truth);
	else if (!err && !below(truth, 10))
		reboot_booked(truth);
	if (truth->prunes && !below(truth, 12))
		prune(truth);
}

static void assert_same(const struct sw_meter *sums, const struct sw_meter *sent)
{
	assert_memory_equal(sums, sent, TENANTS * sizeof(*sums));
}

static void add_traffic(struct sw_meter *sums, const char *tenant, enum sw_billing billing,
			const struct sw_traffic *traffic)
{
	traffic_add(&sums[tenant[1] - '0'].of[billing][SW_EGRESS], &traffic[SW_EGRESS]);
	traffic_add(&sums[tenant[1] - '0'].of[billing][SW_INGRESS], &traffic[SW_INGRESS]);
}

/* Sums of the rows of each period, told apart here and by the ledger. */
static void assert_periods(struct truth *truth, int unit)
{
	struct scene *scene = truth->scene;
	const struct usages *usages = usage(scene, asked(NULL, 0, INT64_MAX, unit));

	for (size_t i = 0; i < usages->rows.n; i++) {
		const struct usage *row = &usages->rows.v[i];
		struct sw_traffic sums[SW_DIRECTIONS] = { 0 };

		for (size_t k = 0; k < scene->intervals.n; k++) {
			const struct interval *interval = &scene->intervals.v[k];

			if (interval->start < row->from * 1000 || interval->start >= row->to * 1000 ||
			    interval->billing != row->billing || strcmp(interval->tenant, row->tenant))
				continue;
			traffic_add(&sums[SW_EGRESS], &interval->traffic[SW_EGRESS]);
			traffic_add(&sums[SW_INGRESS], &interval->traffic[SW_INGRESS]);
		}
		assert_memory_equal(sums, row->traffic, sizeof(sums));
	}
}

static void assert_truth(struct truth *truth)
{
	struct scene *scene = truth->scene;

	for (int unit = -1; unit < CALENDAR_UNITS; unit++) {
		const struct usages *usages;
		struct sw_meter sums[TENANTS] = { 0 };

		if (truth->pruned && unit == CALENDAR_HOUR)
			continue;
		usages = usage(scene, asked(NULL, 0, INT64_MAX, unit));
		for (size_t i = 0; i < usages->rows.n; i++)
			add_traffic(sums, usages->rows.v[i].tenant, usages->rows.v[i].billing,
				    usages->rows.v[i].traffic);
		assert_same(sums, truth->sent);
	}
	assert_checked(scene);
	if (truth->pruned)
		return;
	intervals(scene, ALL);
	for (int unit = 0; unit < CALENDAR_UNITS; unit++)
		assert_periods(truth, unit);
	for (size_t i = 0; i < scene->intervals.n; i++)
		assert_true(0 <= scene->intervals.v[i].start &&
			    scene->intervals.v[i].start <= scene->intervals.v[i].end);
}

static void the_ledger_says_what_the_meters_said(void **state)
{
	const char *seed = getenv("SEED");
	unsigned long long first = seed ? strtoull(seed, NULL, 0) : 1;

	failing_begin();
	for (unsigned run = 0; run < RUNS; run++) {
		struct truth truth = { .draw.state = first + run, .prunes = (first + run) % 2 };

		scene_begin(state);
		truth.scene = *state;
		print_message("# SEED=%llu\n", first + run);
		assert_int_equal(reopen(truth.scene, LEDGER_BOOKING), 0);
		for (unsigned i = 0; i < STEPS; i++)
			step(&truth);
		assert_int_equal(book_after(truth.scene, 1), 0);
		assert_truth(&truth);
		scene_end(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_ledger_says_what_the_meters_said) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
