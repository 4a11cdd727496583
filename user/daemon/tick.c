// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tick: the meters are read, what was not booked yet is booked, and only then are slots that have ended given back.
 * The ledger alone says what was booked. So whoever is killed between any two of these steps loses nothing: the
 * meters are still there, and the next tick finds the difference.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "budget.h"
#include "calendar.h"
#include "daemon.h"
#include "detach.h"
#include "meters.h"
#include "policy.h"
#include "say.h"
#include "storage.h"

/* The tenants as they were under the lock. */
struct stock {
	__u32 n;                   /* slots 0 to n - 1 */
	struct sw_record *records; /* copies; what is free is zero */
	struct sw_meter *meters;
	bool ended; /* some have */
};

static void stock_free(struct stock *stock)
{
	free(stock->records);
	free(stock->meters);
}

/*
 * A cgroup that is gone, and its last socket with it, has nothing more to count. One that is known to be there is not
 * looked for; but each has its turn: a slot must not be lost for good because something was not said.
 */
#define TURNS 30

static int end_gone(struct daemon *daemon, __u32 slot, struct fault *fault)
{
	struct tenancy of = tenancy_in(&daemon->host, slot);

	if (slot % TURNS != daemon->turn && standing_lives(daemon->standings, &daemon->host, of))
		return 0;
	return tenancy_end(&daemon->host, of, fault);
}

static int take_stock(struct daemon *daemon, struct stock *stock, struct fault *fault)
{
	struct host *host = &daemon->host;
	__u32 n = slots_end(host);
	int err = 0;

	*stock = (struct stock){
		.n = n,
		.records = mem_alloc(n, sizeof(*stock->records)),
	};
	standings_hear(daemon->standings);
	daemon->turn = (daemon->turn + 1) % TURNS;
	for_each_slot(slot, host->records, n, SLOTS_HELD) {
		err = end_gone(daemon, slot, fault);
		if (err)
			return err;
	}
	for_each_slot(slot, host->records, n, SLOTS_USED) {
		stock->records[slot] = host->records[slot];
		stock->ended |= slot_state(&stock->records[slot]) == SLOT_ENDED;
	}
	return 0;
}

/* Those that have ended are read when no program can still be adding to them. */
static int read_stock(struct daemon *daemon, struct stock *stock, struct fault *fault)
{
	int err = take_stock(daemon, stock, fault);

	if (!err && stock->ended)
		err = host_synchronize(&daemon->host, fault);
	if (!err)
		err = meters_read(&daemon->host, stock->n, &stock->meters, fault);
	return err;
}

static int book(struct daemon *daemon, const struct stock *stock, struct ledger_booked *booked, struct fault *fault)
{
	struct ledger_item *items = mem_alloc(stock->n, sizeof(*items));
	char(*policies)[SW_NAME_MAX] = mem_alloc(stock->n, sizeof(*policies));
	struct ledger_tick tick = {
		.source = daemon->source,
		.now = clock_ms(CLOCK_REALTIME),
		.uptime = clock_ms(CLOCK_BOOTTIME),
		.items = items,
	};
	int err;

	for_each_slot(slot, stock->records, stock->n, SLOTS_USED) {
		const struct sw_record *record = &stock->records[slot];
		struct ledger_item *item = &items[tick.n];

		*item = (struct ledger_item){
			.tenant = record->name,
			.tenancy = record->tenancy,
			.since = record->since,
			.policy = policies[slot],
			.meter = stock->meters[slot],
		};
		policy_name(record->policy, policies[slot]);
		memcpy(item->hash, record->hash, sizeof(item->hash));
		tick.n++;
	}
	err = ledger_book(daemon->ledger, &tick, booked, fault);
	if (!err)
		daemon->state.ticked = tick.now;
	free(items);
	free(policies);
	return err;
}

/*
 * Between the two locks anybody may have attached, detached and replaced: what the stock says of a slot holds while its
 * tenancy is the same, and what is in force is read again.
 */
static struct tenancy stocked(const struct stock *stock, __u32 slot)
{
	return (struct tenancy){ stock->records[slot].tenancy, slot };
}

/* What has ended counts for the budget of a tenant of the same name. */
static int release(struct daemon *daemon, const struct stock *stock, struct fault *fault)
{
	for_each_slot(slot, stock->records, stock->n, SLOTS(ENDED)) {
		struct tenancy of = stocked(stock, slot), heir;
		int err;

		if (!tenancy_is(&daemon->host, of, SLOTS(ENDED)))
			continue;
		heir = tenancy_named(&daemon->host, stock->records[slot].name);
		daemon->budgets[heir.slot] = (struct budget_note){ 0 };
		err = tenancy_release(&daemon->host, of, fault);
		if (err)
			return err;
	}
	return 0;
}

/* What was done for that policy holds now. */
static bool note_holds(const struct budget_note *note, __u64 tenancy, __u64 serial, __s64 now)
{
	return note->tenancy == tenancy && note->serial == serial && note->from <= now && now < note->until;
}

static struct budget_note note_of(const struct sw_settings *settings, __u64 tenancy, __u64 serial, __s64 now)
{
	enum calendar_unit unit = calendar_unit_of(settings->budget_period);
	bool ever = settings->budget == SW_NO_LIMIT;

	return (struct budget_note){
		.tenancy = tenancy,
		.serial = serial,
		.from = ever ? INT64_MIN : calendar_floor(now, unit),
		.until = ever ? INT64_MAX : calendar_next(now, unit),
	};
}

/* A limit holds for a tenancy, a policy and a day or month; it is set once for each. */
static int renew_budget(struct daemon *daemon, const struct stock *stock, __u32 slot, const struct sw_tenant *tenant,
			__s64 now, struct fault *fault)
{
	const struct sw_settings *settings = &daemon->host.settings[tenant->image];
	struct tenancy of = stocked(stock, slot);
	__u64 limit;
	int err = 0;

	if (note_holds(&daemon->budgets[slot], of.number, tenant->serial, now))
		return 0;
	if (settings->budget != SW_NO_LIMIT) {
		err = budget_limit_by(daemon->ledger, &daemon->host, stock->records[slot].name, of, settings,
				      &stock->meters[slot].of[SW_BILLABLE][SW_EGRESS].bytes, now, &limit, fault);
		if (!err)
			err = budget_set(&daemon->host, of, limit, fault);
	}
	if (!err)
		daemon->budgets[slot] = note_of(settings, of.number, tenant->serial, now);
	return err;
}

/* The counters of a policy's rules are placed, with its serial, before it is put in force: where that is still the one
 * that was noted, the kernel need not be asked for it. */
static bool is_renewed(const struct daemon *daemon, struct tenancy of, __s64 now)
{
	const struct sw_block *blocks = daemon->host.blocks;

	return blocks && note_holds(&daemon->budgets[of.slot], of.number, blocks[of.slot].serial, now);
}

/* At midnight that is all of them. */
static int renew_budgets(struct daemon *daemon, const struct stock *stock, struct fault *fault)
{
	__s64 now = daemon->state.ticked / 1000;
	int err = ledger_begin(daemon->ledger, fault);

	for_each_slot(slot, stock->records, stock->n, SLOTS_HELD) {
		struct tenancy of = stocked(stock, slot);
		struct sw_tenant tenant;

		if (!err && tenancy_is(&daemon->host, of, SLOTS_HELD) && !is_renewed(daemon, of, now) &&
		    storage_of_slot(&daemon->host, slot, &tenant))
			err = renew_budget(daemon, stock, slot, &tenant, now, fault);
	}
	ledger_end(daemon->ledger);
	return err;
}

/* What can only be done when the tick is on disk. What fails here the next tick does. */
static int settle(struct daemon *daemon, const struct stock *stock, struct fault *fault)
{
	int err = host_lock(&daemon->host, HOST_PATIENCE, fault);

	if (!err && stock->ended)
		err = release(daemon, stock, fault);
	if (!err)
		err = renew_budgets(daemon, stock, fault);
	host_unlock(&daemon->host);
	return err;
}

/* Says once that the clock was set back, or is not set yet: then rows lie in a time that was booked already. */
static void check_clock(struct daemon *daemon)
{
	char now[CALENDAR_TEXT], last[CALENDAR_TEXT];
	bool is_early = daemon->state.ticked < daemon->last;

	if (is_early && !daemon->is_early)
		warn("the clock stands at %s, before the last row of the ledger, which ends at %s: what is sent now is "
		     "booked by that clock; see that it is right",
		     calendar_format_ms(daemon->state.ticked, now), calendar_format_ms(daemon->last, last));
	daemon->is_early = is_early;
}

static int tick(struct daemon *daemon, struct stock *stock, unsigned patience, struct fault *fault)
{
	struct ledger_booked booked;
	struct fault unsettled;
	int err = host_lock(&daemon->host, patience, fault);

	if (err)
		return err;
	err = read_stock(daemon, stock, fault);
	host_unlock(&daemon->host); /* the disk may take its time */
	if (!err)
		err = book(daemon, stock, &booked, fault);
	if (err)
		return err;
	check_clock(daemon);
	if (booked.rows && !daemon->is_early)
		daemon->last = daemon->state.ticked;
	daemon->state.ticks++;
	daemon->state.rows += booked.rows;
	if (settle(daemon, stock, &unsettled))
		warn("booked, but some budget or slot waits for the next tick: %s", unsettled.text);
	return 0;
}

static __u64 file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_size;
}

/* Says that booking has stopped, and that it goes on, once each. */
static void tell(struct daemon *daemon, int err, const struct fault *fault)
{
	if (err && daemon->state.booking)
		warn("nothing is booked for now, and nothing lost: %s", fault->text);
	else if (!err && !daemon->state.booking)
		warn("booking goes on");
	daemon->state.booking = !err;
	daemon->state.postponed += err != 0;
}

static int timed_tick(struct daemon *daemon, unsigned patience, struct fault *fault)
{
	__s64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct stock stock = { 0 };
	int err = tick(daemon, &stock, patience, fault);

	stock_free(&stock);
	daemon->state.tick_cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	daemon->state.ledger_size = file_size(daemon->options.ledger);
	return err;
}

#define TICK_PATIENCE 1000 /* ms: others change the state all the time, and quickly */

int daemon_tick(struct daemon *daemon, struct fault *fault)
{
	int err = timed_tick(daemon, TICK_PATIENCE, fault);

	tell(daemon, err, fault);
	return host_current(&daemon->host, fault);
}

int daemon_last_tick(struct daemon *daemon, struct fault *fault)
{
	return timed_tick(daemon, HOST_PATIENCE, fault);
}
