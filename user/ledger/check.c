// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is all of it right? A daemon may be booking meanwhile, and cannot while somebody reads: so this reads in short turns
 * with pauses, in which a writer that waits gets its turn. That needs no copy of the file, for rows are only ever
 * added, or pruned by the day: what was read stays as it was. Only the sums of a day change; they are compared in the
 * turn that reads the last of the day's rows, and if meanwhile some were added or pruned the day is read again. A copy by SQLite's backup would begin anew with each booking and, if large, never end.
 *
 * What is asked of whole tables is asked of the small ones: a tick's row stands for thousands of entries.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "calendar.h"
#include "intern.h"
#include "store.h"

#define PAUSE_MS  30         /* longer than the daemon waits between two tries, once it has waited a little */
#define WHOLE_MAX (64 << 20) /* bytes of a file that SQLite's own check may read in one turn */
#define LINES_MAX 10         /* of one kind: one bad page is many bad rows */
#define DAYS_MAX  2932897    /* since 1970: the year 10000 */
#define TRIES     3          /* for a day in which the clock is set back while it is read */

struct check {
	struct ledger *ledger;
	void (*found)(const char *line, void *data);
	void *data;
	struct ledger_checked *out;
	struct fault *fault; /* of the first finding, or why it could not be read */
	struct turns turns;
	unsigned of_row; /* lines so far about rows, */
	unsigned of_day; /* and about days */
};

static void find(struct check *check, const char *wrong, const char *where)
{
	struct fault line;

	fault_set(&line, EINVAL, "ledger %s: %s: %.200s: restore it from a backup", check->ledger->path, wrong, where);
	if (!check->out->findings++)
		*check->fault = line;
	if (check->found)
		check->found(line.text, check->data);
}

/* What cannot be read for damage is one more thing that is wrong. Anything else ends the check. */
static int forgive(struct check *check, int err, const struct fault *why)
{
	if (err != -EINVAL) {
		if (err)
			*check->fault = *why;
		return err;
	}
	if (!check->out->findings++)
		*check->fault = *why;
	if (check->found)
		check->found(why->text, check->data);
	return 0;
}

static __s64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void turns_breathe(struct turns *turns)
{
	if (now_ms() - turns->breathed < PAUSE_MS)
		return;
	usleep(PAUSE_MS * 1000);
	turns->breathed = now_ms();
}

/* ---- whole tables ---- */

/* What must give no row, and what it means when it does. The first column names a place. */
static const struct table_check {
	const char *query, *wrong;
} table_checks[] = {
	{ "SELECT format('%d of them', count(*)) FROM identity HAVING count(*) <> 1", "has not one identity" },

	{ "SELECT format('tick %d', id) FROM tick WHERE NOT " IN_ORDER " LIMIT 10", "a time is out of range" },

	{ "SELECT format('tick %d', id) FROM tick GROUP BY source "
	  "HAVING min(sequence) < 1 OR max(sequence) <> count(*) + "
	  "coalesce((SELECT ticks FROM pruned_source WHERE pruned_source.source = tick.source), 0) LIMIT 10",
	  "sequence numbers are missing" },

	{ "SELECT format('tick %d', id) FROM (SELECT id, uptime, lag(uptime) OVER (PARTITION BY source ORDER BY "
	  "sequence) "
	  "AS before FROM tick) WHERE uptime < before LIMIT 10",
	  "the boot clock goes backwards" },

	{ "SELECT format('tick %d', id) FROM tick "
	  "WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.tick = tick.id) AND NOT EXISTS "
	  "(SELECT 1 FROM pruned_day WHERE day = started / 86400000 AND tick.id <= tick) LIMIT 10",
	  "it has no entries" },

	{ "WITH RECURSIVE of(tick) AS (SELECT min(tick) FROM entry UNION "
	  "SELECT (SELECT min(tick) FROM entry WHERE tick > of.tick) FROM of WHERE tick IS NOT NULL) "
	  "SELECT format('entry of tick %d', tick) FROM of WHERE tick IS NOT NULL "
	  "AND NOT EXISTS (SELECT 1 FROM tick WHERE id = of.tick) LIMIT 10",
	  "a row points to one that is not there" },

	{ "SELECT format('tenancy %d', id) FROM tenancy WHERE source NOT IN (SELECT id FROM source) "
	  "OR tenant NOT IN (SELECT id FROM tenant) LIMIT 10",
	  "a row points to one that is not there" },

	{ "SELECT format('day %d, tenancy %d', day, tenancy) FROM day WHERE day < 0 OR day >= 2932897 LIMIT 10",
	  "a day's sum is out of range" },

	{ "SELECT format('tick %d', id) FROM tick WHERE source NOT IN (SELECT id FROM source) LIMIT 10",
	  "a row points to one that is not there" },

	{ "SELECT format('day %d', day) FROM pruned_day "
	  "WHERE NOT EXISTS (SELECT 1 FROM pruned WHERE pruned.day = pruned_day.day) LIMIT 10",
	  "a pruned day has no sums" },

	{ "SELECT format('source %d', source) FROM pruned_source WHERE NOT EXISTS (SELECT 1 FROM pruned_day WHERE "
	  "pruned_day.day = pruned_source.day) OR source NOT IN (SELECT source FROM tick) LIMIT 10",
	  "a pruned source has no rows" },
};

static const struct table_check whole_file = {
	"SELECT integrity_check FROM pragma_integrity_check(10) WHERE integrity_check <> 'ok'", "SQLite's own check"
};

/* All but the entries and days, which are read in turns, in the order of their keys. */
static const struct table_check small_tables = {
	"SELECT integrity_check FROM (VALUES ('identity'), ('source'), ('tenant'), ('policy'), ('tenancy'), ('tick'), "
	"('pruned_day'), ('pruned_source')) "
	"AS t "
	"CROSS JOIN pragma_integrity_check(t.column1) WHERE integrity_check <> 'ok' LIMIT 10",
	"SQLite's own check"
};

static int check_table(struct check *check, const struct table_check *of)
{
	struct fault why;
	sqlite3_stmt *stmt;
	int err = store_ask(check->ledger, &stmt, &why, of->query, "");

	while (!err && (err = store_step(check->ledger, stmt, &why)) == 1) {
		find(check, of->wrong, (const char *)sqlite3_column_text(stmt, 0) ?: "?");
		err = 0;
	}
	turns_breathe(&check->turns);
	return forgive(check, err, &why);
}

static int check_tables(struct check *check)
{
	bool small = check->ledger->seen.st_size <= WHOLE_MAX;
	int err = check_table(check, small ? &whole_file : &small_tables);

	for (size_t i = 0; i < sizeof(table_checks) / sizeof(*table_checks) && !err; i++)
		err = check_table(check, &table_checks[i]);
	return err;
}

/* ---- the rows of a day, and their sums ---- */

struct sum {
	__s64 tenancy, class, started, ended;
	__u64 counters[6];
	bool known; /* the day's sums have it */
};

struct day {
	__s64 day;
	struct intern keys; /* tenancy and class */
	LIST(struct sum) sums;
	__u64 rows;
	__s64 started, tick; /* of the last row that was read, */
	__s64 tenant, class; /* and whose it was */
	struct state {
		__s64 tick, pruned; /* the ledger's last, the day's last that was pruned: both only grow */
	} first, last;              /* when the day was begun and ended */
};

static const char of_rows[] =
	"SELECT tick.id, started, ended, entry.tenant, class, tenancy, tx_bytes, tx_payload, tx_packets, rx_bytes, "
	"rx_payload, rx_packets, CASE WHEN NOT " IN_RANGE " THEN 'a counter is out of range' "
	"WHEN tenancy.id IS NULL OR tenant.id IS NULL OR policy.id IS NULL THEN 'a row points to one that is not "
	"there' "
	"WHEN tenancy.tenant <> entry.tenant OR tenancy.source <> tick.source "
	"THEN 'the row is of another tenant or host than its tenancy' END "
	"FROM tick CROSS JOIN entry ON entry.tick = tick.id LEFT JOIN tenancy ON tenancy.id = entry.tenancy "
	"LEFT JOIN tenant ON tenant.id = entry.tenant LEFT JOIN policy ON policy.id = entry.policy "
	"WHERE started >= ?1 AND (started, tick.id) > (?1, ?2) AND started < ?3 AND tick.id > ?4 "
	"ORDER BY started, tick.id";

static const char of_sums[] = "SELECT day, started, ended, 0, class, tenancy, tx_bytes, tx_payload, tx_packets, "
			      "rx_bytes, rx_payload, rx_packets, "
			      "" IN_RANGE " AND " IN_ORDER " FROM day WHERE day = ?1";

static struct sum *sum_of(struct day *day, __s64 tenancy, __s64 class)
{
	__s64 key[] = { tenancy, class };
	uint32_t number = intern(&day->keys, key, sizeof(key));

	if (number == day->sums.n)
		*list_add(&day->sums) = (struct sum){ .tenancy = tenancy, .class = class, .started = INT64_MAX };
	return &day->sums.v[number];
}

static void add_row(struct check *check, struct day *day, sqlite3_stmt *stmt)
{
	__s64 tick = sqlite3_column_int64(stmt, 0), tenant = sqlite3_column_int64(stmt, 3);
	__s64 class = sqlite3_column_int64(stmt, 4), started = sqlite3_column_int64(stmt, 1);
	struct sum *sum = sum_of(day, sqlite3_column_int64(stmt, 5), class);
	const char *wrong = (const char *)sqlite3_column_text(stmt, 12);
	char where[64];

	if (!wrong && tick == day->tick && (tenant < day->tenant || (tenant == day->tenant && class <= day->class)))
		wrong = "a row is there twice, or in the wrong place";
	snprintf(where, sizeof(where), "tick %lld, tenant %lld", tick, tenant);
	if (wrong && check->of_row++ < LINES_MAX)
		find(check, wrong, where);
	sum->started = started < sum->started ? started : sum->started;
	if (sqlite3_column_int64(stmt, 2) > sum->ended)
		sum->ended = sqlite3_column_int64(stmt, 2);
	for (int i = 0; i < 6; i++)
		sum->counters[i] += sqlite3_column_int64(stmt, 6 + i);
	day->started = started;
	day->tick = tick;
	day->tenant = tenant;
	day->class = class;
	day->rows++;
}

/* A key that is damaged leads back to where we were, and would for ever. */
static int out_of_order(const struct check *check, const char *table, struct fault *fault)
{
	return fault_set(fault, EINVAL, "ledger %s: %s: rows are out of order: restore it from a backup",
			 check->ledger->path, table);
}

static bool goes_back(const struct day *day, sqlite3_stmt *stmt)
{
	__s64 started = sqlite3_column_int64(stmt, 1), tick = sqlite3_column_int64(stmt, 0);

	return started < day->started || (started == day->started && tick < day->tick);
}

/* 1: the turn is over before the day is. */
static int read_rows(struct check *check, struct day *day, struct fault *fault)
{
	__u64 enough = day->rows + ROWS_A_TURN;
	sqlite3_stmt *stmt;
	int err = store_ask(check->ledger, &stmt, fault, of_rows, "iiii", day->started, day->tick,
			    (day->day + 1) * DAY_MS, day->last.pruned);

	while (!err && (err = store_step(check->ledger, stmt, fault)) == 1) {
		if (day->rows >= enough && sqlite3_column_int64(stmt, 0) != day->tick) {
			sqlite3_reset(stmt);
			return 1;
		}
		if (goes_back(day, stmt)) {
			sqlite3_reset(stmt);
			return out_of_order(check, "tick", fault);
		}
		add_row(check, day, stmt);
		err = 0;
	}
	return err;
}

static bool add_up(const struct sum *sum, sqlite3_stmt *stmt)
{
	bool equal = sum->started == sqlite3_column_int64(stmt, 1) && sum->ended == sqlite3_column_int64(stmt, 2);

	for (int i = 0; i < 6; i++)
		equal &= sum->counters[i] == (__u64)sqlite3_column_int64(stmt, 6 + i);
	return equal;
}

static void find_in_day(struct check *check, const struct day *day, __s64 tenancy, const char *wrong)
{
	char where[64 + SW_NAME_MAX], date[CALENDAR_TEXT];
	const char *name = "?";
	sqlite3_stmt *stmt;
	struct fault ignored;
	bool named;

	if (check->of_day++ >= LINES_MAX)
		return;
	named = !store_ask(check->ledger, &stmt, &ignored,
			   "SELECT name FROM tenancy JOIN tenant ON tenant.id = tenant WHERE tenancy.id = ?", "i",
			   tenancy) &&
		store_step(check->ledger, stmt, &ignored) == 1;
	if (named)
		name = (const char *)sqlite3_column_text(stmt, 0) ?: "?";
	snprintf(where, sizeof(where), "tenant %s on %.10s", name, calendar_format(day->day * DAY, date));
	if (named)
		sqlite3_reset(stmt);
	find(check, wrong, where);
}

/* Whether all is equal; what is not is said if it is the last try. */
static int compare_sums(struct check *check, struct day *day, bool say, bool *equal, struct fault *fault)
{
	static const char wrong[] = "the rows do not add up to the day's sum";
	sqlite3_stmt *stmt;
	int err = store_ask(check->ledger, &stmt, fault, of_sums, "i", day->day);

	*equal = true;
	while (!err && (err = store_step(check->ledger, stmt, fault)) == 1) {
		struct sum *sum = sum_of(day, sqlite3_column_int64(stmt, 5), sqlite3_column_int64(stmt, 4));
		bool in_range = sqlite3_column_int64(stmt, 12), right = in_range && add_up(sum, stmt);

		sum->known = true;
		*equal &= right;
		if (!right && say)
			find_in_day(check, day, sum->tenancy, in_range ? wrong : "a day's sum is out of range");
		err = 0;
	}
	for (size_t i = 0; i < day->sums.n && !err; i++)
		if (!day->sums.v[i].known) {
			*equal = false;
			if (say)
				find_in_day(check, day, day->sums.v[i].tenancy, wrong);
		}
	return err;
}

/* The sums that stay of rows that were pruned. */
static int check_pruned(struct check *check, const struct day *day, bool say, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int err = store_ask(check->ledger, &stmt, fault,
			    "SELECT tenancy, " IN_RANGE " AND " IN_ORDER
			    ", tenancy IN (SELECT id FROM tenancy) AND day IN "
			    "(SELECT day FROM pruned_day) FROM pruned WHERE day = ?1",
			    "i", day->day);

	while (!err && (err = store_step(check->ledger, stmt, fault)) == 1) {
		__s64 tenancy = sqlite3_column_int64(stmt, 0);

		if (say && !sqlite3_column_int64(stmt, 1))
			find_in_day(check, day, tenancy, "a day's sum is out of range");
		if (say && !sqlite3_column_int64(stmt, 2))
			find_in_day(check, day, tenancy, "a row points to one that is not there");
		err = 0;
	}
	return err;
}

static int read_state(struct check *check, __s64 day, struct state *out, struct fault *fault)
{
	int err = store_number(check->ledger, &out->tick, fault, "SELECT max(id) FROM tick", "");

	return err ? err
		   : store_number(check->ledger, &out->pruned, fault, "SELECT tick FROM pruned_day WHERE day = ?", "i",
				  day);
}

static bool same_state(const struct day *day)
{
	return day->first.tick == day->last.tick && day->first.pruned == day->last.pruned;
}

static int read_turn(struct check *check, struct day *day, bool last_try, bool *equal, struct fault *fault)
{
	bool say;
	int err = read_state(check, day->day, &day->last, fault);

	if (!day->rows)
		day->first = day->last;
	if (!err)
		err = read_rows(check, day, fault);
	say = last_try || same_state(day);
	if (!err)
		err = compare_sums(check, day, say, equal, fault);
	return err ? err : check_pruned(check, day, say, fault);
}

/* 1: there are more rows in the day. */
static int take_turn(struct check *check, struct day *day, bool last_try, bool *equal, struct fault *fault)
{
	struct fault ignored;
	int err = store_run(check->ledger, "BEGIN", fault);

	if (err)
		return err;
	err = read_turn(check, day, last_try, equal, fault);
	store_run(check->ledger, "ROLLBACK", &ignored);
	return err;
}

/*
 * Rows that are booked behind what was read, by a clock that was set back, are missed, and what is pruned meanwhile has
 * no sum: then the day is read again.
 */
static int check_day(struct check *check, __s64 number, struct proof *out)
{
	struct fault why;
	bool equal = false, again = true;
	int err = 0;

	for (int try = 1; again && !err; try++) {
		struct day day = { .day = number, .started = number * DAY_MS, .tick = -1 };

		while ((err = take_turn(check, &day, try == TRIES, &equal, &why)) == 1)
			turns_breathe(&check->turns);
		again = !err && !equal && !same_state(&day) && try < TRIES;
		*out = (struct proof){ day.last.tick, day.last.pruned, day.rows };
		intern_free(&day.keys);
		free(day.sums.v);
	}
	check->out->rows += out->rows;
	check->out->days++;
	return forgive(check, err, &why);
}

int check_proof(struct ledger *ledger, __s64 day, struct proof *out, struct fault *fault)
{
	struct ledger_checked checked = { 0 };
	struct check check = { .ledger = ledger, .out = &checked, .fault = fault };
	int err = check_day(&check, day, out);

	return err ? err : checked.findings ? -EINVAL : 0;
}

/* The next one that has rows or sums. */
static int next_day(struct check *check, __s64 *day, struct fault *why)
{
	__s64 next = INT64_MAX;
	int err = store_number(check->ledger, &next, why,
			       "SELECT min(coalesce(a, b), coalesce(b, a)) FROM (SELECT "
			       "(SELECT min(day) FROM (SELECT min(day) AS day FROM day WHERE day > ?1 UNION ALL "
			       "SELECT min(day) FROM pruned WHERE day > ?1)) AS a, "
			       "(SELECT min(started) / 86400000 FROM tick WHERE started >= (?1 + 1) * 86400000) AS b) "
			       "WHERE a IS NOT NULL OR b IS NOT NULL",
			       "i", *day);

	if (!err && next <= *day)
		err = out_of_order(check, "day", why);
	*day = next;
	return err;
}

static int check_days(struct check *check)
{
	struct proof ignored;
	__s64 day = -1;
	struct fault why;
	int err;

	while (!(err = next_day(check, &day, &why)) && day < DAYS_MAX) {
		err = check_day(check, day, &ignored);
		if (err)
			return err;
		turns_breathe(&check->turns);
	}
	return forgive(check, err, &why);
}

static int count_pruned(struct check *check)
{
	__s64 days = 0, last = -1;
	int err = store_number(check->ledger, &days, check->fault, "SELECT count(*) FROM pruned_day", "");

	if (!err)
		err = store_number(check->ledger, &last, check->fault,
				   "SELECT max(day) FROM pruned_day HAVING count(*)", "");
	check->out->pruned = days;
	check->out->before = last + 1;
	return err;
}

int ledger_check(struct ledger *ledger, void (*found)(const char *line, void *data), void *data,
		 struct ledger_checked *out, struct fault *fault)
{
	struct check check = { .ledger = ledger, .found = found, .data = data, .out = out, .fault = fault };
	int err = store_connect(ledger, fault);

	*out = (struct ledger_checked){ 0 };
	if (err)
		return err;
	out->summed = pages_summed(ledger->db);
	err = check_tables(&check);
	if (!err)
		err = check_days(&check);
	if (!err)
		err = count_pruned(&check);
	return err ? err : out->findings ? -EINVAL : 0;
}
