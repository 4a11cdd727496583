// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pruning: the rows of old days go, what they came to stays. A day's sums are moved from `day` to `pruned` in one short
 * transaction, after its rows were read and added up to them; rows never change, so the proof holds as long as none
 * was added to the day and nobody else pruned it. From then on the rows count no more, and are deleted a few at a
 * time. There is no state in between that is wrong: `day` is at all times the sum of the rows that count, and `day`
 * and `pruned` together are all that was ever booked.
 *
 * What a source was booked for is asked from its first pruned day on, so that is noted with the sums. The last tick of
 * each source stays, without its entries: numbers go on from it, and so does the clock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "store.h"

#define TICKS_A_TURN 2000
#define PAGES_A_TURN 512
#define TRIES        3 /* for a day that others change again and again */

struct pruning {
	struct ledger *ledger;
	__s64 before; /* day */
	LIST(struct proven {
		__s64 day;
		struct proof proof;
	})
	days;
	struct turns turns;
	struct ledger_pruned *out;
	struct fault *fault;
};

static const char *date_of(__s64 day, char text[CALENDAR_TEXT])
{
	return calendar_label(day * DAY, CALENDAR_DAY, text);
}

int prune_missed(struct ledger *ledger, __s64 from, __s64 to, struct fault *fault)
{
	char text[CALENDAR_TEXT];
	__s64 last = -1;
	int err =
		from >= to
			? 0
			: store_number(
				  ledger, &last, fault,
				  "SELECT (SELECT max(day) FROM pruned_day) FROM pruned_day WHERE day >= ?1 / 86400000 "
				  "AND day <= (?2 - 1) / 86400000 LIMIT 1",
				  "ii", from, to);

	if (err || last < 0)
		return err;
	return fault_set(
		fault, ENODATA,
		"ledger %s: before %s only the sums of days are kept: ask for whole days of UTC, by day or month, or "
		"from that day on",
		ledger->path, date_of(last + 1, text));
}

/* A turn in which something is written. */
static int end_turn(struct pruning *pruning, int err)
{
	struct ledger *ledger = pruning->ledger;
	struct fault ignored;

	if (!err)
		err = store_run(ledger, "COMMIT", pruning->fault);
	if (err)
		store_run(ledger, "ROLLBACK", &ignored);
	else
		store_stamp(ledger);
	turns_breathe(&pruning->turns);
	return err;
}

static int begin_turn(struct pruning *pruning)
{
	int err = store_connect(pruning->ledger, pruning->fault);

	return err ? err : store_run(pruning->ledger, "BEGIN IMMEDIATE", pruning->fault);
}

/* ---- which days ---- */

/* The next that has sums of rows, or rows that are left of an earlier time; `before` if there is none. */
static int next_day(struct pruning *pruning, __s64 *day)
{
	__s64 next = pruning->before;
	int err = store_number(pruning->ledger, &next, pruning->fault,
			       "SELECT min(day) FROM (SELECT min(day) AS day FROM day WHERE day > ?1 UNION ALL "
			       "SELECT min(started) / 86400000 FROM tick WHERE started >= (?1 + 1) * 86400000) "
			       "HAVING min(day) < ?2",
			       "ii", *day, pruning->before);

	if (!err && next <= *day)
		err = fault_set(pruning->fault, EINVAL,
				"ledger %s: day: rows are out of order: restore it from a backup",
				pruning->ledger->path);
	*day = next;
	return err;
}

static int prove_days(struct pruning *pruning)
{
	__s64 day = -1;
	int err;

	while (!(err = next_day(pruning, &day)) && day < pruning->before) {
		struct proven *proven = list_add(&pruning->days);

		proven->day = day;
		err = check_proof(pruning->ledger, day, &proven->proof, pruning->fault);
		if (err)
			return err;
		pruning->out->rows += proven->proof.rows;
		pruning->out->days += proven->proof.rows > 0;
		turns_breathe(&pruning->turns);
	}
	return err;
}

/* ---- the sums of a day ---- */

/* Of a tenancy and class: what the day came to, wherever that is kept. */
struct total {
	__s64 columns[10];
};

struct totals {
	LIST(struct total) list;
};

#define COLUMNS "tenancy, class, tx_bytes, tx_payload, tx_packets, rx_bytes, rx_payload, rx_packets, started, ended"

static const char of_totals[] =
	"SELECT tenancy, class, sum(tx_bytes), sum(tx_payload), sum(tx_packets), sum(rx_bytes), sum(rx_payload), "
	"sum(rx_packets), min(started), max(ended) FROM (SELECT " COLUMNS " FROM day WHERE day = ?1 UNION ALL "
	"SELECT " COLUMNS " FROM pruned WHERE day = ?1) GROUP BY tenancy, class ORDER BY tenancy, class";

static int read_totals(struct pruning *pruning, __s64 day, struct totals *out)
{
	sqlite3_stmt *stmt;
	int err = store_ask(pruning->ledger, &stmt, pruning->fault, of_totals, "i", day);

	while (!err && (err = store_step(pruning->ledger, stmt, pruning->fault)) == 1) {
		struct total *total = list_add(&out->list);

		for (int i = 0; i < 10; i++)
			total->columns[i] = sqlite3_column_int64(stmt, i);
		err = 0;
	}
	return err;
}

static bool same_totals(const struct totals *a, const struct totals *b)
{
	return a->list.n == b->list.n && (!a->list.n || !memcmp(a->list.v, b->list.v, a->list.n * sizeof(*a->list.v)));
}

/* 1: rows were added to the day since, or pruned. */
static int is_stale(struct pruning *pruning, const struct proven *proven)
{
	__s64 stale = 0;
	int err = store_number(pruning->ledger, &stale, pruning->fault,
			       "SELECT EXISTS (SELECT 1 FROM tick WHERE started >= ?1 * 86400000 "
			       "AND started < (?1 + 1) * 86400000 AND id > ?2) "
			       "OR coalesce((SELECT tick FROM pruned_day WHERE day = ?1), 0) <> ?3",
			       "iii", proven->day, proven->proof.tick, proven->proof.pruned);

	return err ? err : stale;
}

static int move_sums(struct pruning *pruning, const struct proven *proven)
{
	struct ledger *ledger = pruning->ledger;
	int err = store_write(ledger, pruning->fault,
			      "INSERT INTO pruned_day (day, tick) VALUES (?, ?) "
			      "ON CONFLICT (day) DO UPDATE SET tick = excluded.tick",
			      "ii", proven->day, proven->proof.tick);

	if (!err)
		err = store_write(
			ledger, pruning->fault,
			"INSERT INTO pruned_source SELECT DISTINCT source, ?1, 0 FROM day CROSS JOIN tenancy ON "
			"tenancy.id = tenancy WHERE day = ?1 "
			"ON CONFLICT (source) DO UPDATE SET day = min(day, excluded.day)",
			"i", proven->day);
	if (!err)
		err = store_write(ledger, pruning->fault,
				  "INSERT INTO pruned SELECT * FROM day WHERE day = ? "
				  "ON CONFLICT (day, tenancy, class) DO UPDATE SET "
				  "started = min(started, excluded.started), ended = max(ended, excluded.ended), "
				  "tx_bytes = tx_bytes + excluded.tx_bytes, "
				  "tx_payload = tx_payload + excluded.tx_payload, "
				  "tx_packets = tx_packets + excluded.tx_packets, "
				  "rx_bytes = rx_bytes + excluded.rx_bytes, "
				  "rx_payload = rx_payload + excluded.rx_payload, "
				  "rx_packets = rx_packets + excluded.rx_packets",
				  "i", proven->day);
	return err ? err : store_write(ledger, pruning->fault, "DELETE FROM day WHERE day = ?", "i", proven->day);
}

static int move_and_compare(struct pruning *pruning, const struct proven *proven)
{
	struct totals before = { 0 }, after = { 0 };
	char text[CALENDAR_TEXT];
	int err = read_totals(pruning, proven->day, &before);

	if (!err)
		err = move_sums(pruning, proven);
	if (!err)
		err = read_totals(pruning, proven->day, &after);
	if (!err && !same_totals(&before, &after))
		err = fault_set(pruning->fault, EINVAL,
				"ledger %s: the sums of %s would change: nothing of that day was pruned",
				pruning->ledger->path, date_of(proven->day, text));
	free(before.list.v);
	free(after.list.v);
	return err;
}

/* 1: it has to be proven again. */
static int try_day(struct pruning *pruning, const struct proven *proven)
{
	int err = begin_turn(pruning);

	if (err)
		return err;
	err = is_stale(pruning, proven);
	if (!err)
		err = move_and_compare(pruning, proven);
	return end_turn(pruning, err);
}

static int set_apart(struct pruning *pruning, struct proven *proven)
{
	char text[CALENDAR_TEXT];
	int err = 1;

	for (int i = 0; i < TRIES && err == 1 && proven->proof.rows; i++) {
		err = try_day(pruning, proven);
		if (err != 1)
			return err;
		err = check_proof(pruning->ledger, proven->day, &proven->proof, pruning->fault);
		err = err ? err : 1;
	}
	if (err < 0 || !proven->proof.rows)
		return err < 0 ? err : 0;
	return fault_set(pruning->fault, EBUSY, "ledger %s: rows of %s are booked again and again: try later",
			 pruning->ledger->path, date_of(proven->day, text));
}

/* ---- its rows ---- */

#define LAST_SEQUENCE "(SELECT max(sequence) FROM tick AS last WHERE last.source = tick.source)"

static const char of_ticks[] =
	"SELECT tick.id FROM tick CROSS JOIN pruned_day ON pruned_day.day = ?1 WHERE started >= ?1 * 86400000 "
	"AND started < (?1 + 1) * 86400000 AND tick.id <= pruned_day.tick AND (EXISTS (SELECT 1 FROM entry WHERE "
	"entry.tick = tick.id) OR sequence < " LAST_SEQUENCE ") LIMIT ?2";

struct ticks {
	LIST(__s64) ids;
};

static int list_ticks(struct pruning *pruning, __s64 day, struct ticks *ticks)
{
	sqlite3_stmt *stmt;
	int err = store_ask(pruning->ledger, &stmt, pruning->fault, of_ticks, "ii", day, (__s64)TICKS_A_TURN);

	ticks->ids.n = 0;
	while (!err && (err = store_step(pruning->ledger, stmt, pruning->fault)) == 1) {
		*list_add(&ticks->ids) = sqlite3_column_int64(stmt, 0);
		err = 0;
	}
	return err;
}

/* With its entries; how many those were. */
static int take_tick(struct pruning *pruning, __s64 id, __u64 *rows)
{
	struct ledger *ledger = pruning->ledger;
	int err = store_write(ledger, pruning->fault, "DELETE FROM entry WHERE tick = ?", "i", id);

	*rows += err ? 0 : sqlite3_changes(ledger->db);
	if (!err)
		err = store_write(ledger, pruning->fault,
				  "UPDATE pruned_source SET ticks = ticks + 1 WHERE source = (SELECT source FROM tick "
				  "WHERE id = ?1 AND sequence < " LAST_SEQUENCE ")",
				  "i", id);
	if (!err)
		err = store_write(ledger, pruning->fault,
				  "DELETE FROM tick WHERE id = ?1 AND sequence < " LAST_SEQUENCE, "i", id);
	return err;
}

/* 1: there may be more. */
static int take_ticks(struct pruning *pruning, __s64 day, struct ticks *ticks)
{
	__u64 rows = 0;
	int err = list_ticks(pruning, day, ticks);

	for (size_t i = 0; i < ticks->ids.n && !err; i++) {
		if (rows >= ROWS_A_TURN)
			break;
		err = take_tick(pruning, ticks->ids.v[i], &rows);
	}
	return err ? err : ticks->ids.n > 0;
}

static int take_rows(struct pruning *pruning, __s64 day)
{
	struct ticks ticks = { 0 };
	int err, more = 1;

	for (err = 0; !err && more > 0;) {
		err = begin_turn(pruning);
		if (err)
			break;
		more = take_ticks(pruning, day, &ticks);
		err = end_turn(pruning, more < 0 ? more : 0);
	}
	free(ticks.ids.v);
	return err;
}

static int prune_days(struct pruning *pruning)
{
	int err = 0;

	for (size_t i = 0; i < pruning->days.n && !err; i++) {
		struct proven *proven = &pruning->days.v[i];

		err = set_apart(pruning, proven);
		if (!err)
			err = take_rows(pruning, proven->day);
	}
	return err;
}

/* ---- its space ---- */

static int count_pages(struct pruning *pruning, __s64 *total, __s64 *free_pages, __s64 *size)
{
	int err = store_number(pruning->ledger, total, pruning->fault, "PRAGMA page_count", "");

	if (!err)
		err = store_number(pruning->ledger, free_pages, pruning->fault, "PRAGMA freelist_count", "");
	return err ? err : store_number(pruning->ledger, size, pruning->fault, "PRAGMA page_size", "");
}

/* Fewer each time, or it is the end: a daemon may use some meanwhile. */
static int give_back_in_turns(struct pruning *pruning, __s64 pages)
{
	int err = 0;

	for (; pages > 0 && !err; pages -= PAGES_A_TURN) {
		err = store_connect(pruning->ledger, pruning->fault);
		if (!err)
			err = store_run(pruning->ledger, "PRAGMA incremental_vacuum(512)", pruning->fault);
		if (!err)
			store_stamp(pruning->ledger);
		turns_breathe(&pruning->turns);
	}
	return err;
}

/* A file of an older version cannot give back some of its pages: it is written anew if it is small. */
static int give_back(struct pruning *pruning)
{
	__s64 total = 0, pages = 0, size = 0, mode = 0;
	int err = count_pages(pruning, &total, &pages, &size);

	if (!err)
		err = store_number(pruning->ledger, &mode, pruning->fault, "PRAGMA auto_vacuum", "");
	if (err || !pages)
		return err;
	if (mode)
		return give_back_in_turns(pruning, pages);
	if (total * size > PAGES_VACUUM_MAX)
		return 0;
	err = pages_vacuum(pruning->ledger, pruning->fault);
	store_stamp(pruning->ledger);
	return err;
}

static int measure(struct pruning *pruning, __u64 *file, __u64 *unused)
{
	__s64 total = 0, pages = 0, size = 0;
	int err = count_pages(pruning, &total, &pages, &size);

	*file = total * size;
	*unused = pages * size;
	return err;
}

int ledger_prune(struct ledger *ledger, __s64 day, bool dry_run, struct ledger_pruned *out, struct fault *fault)
{
	struct pruning pruning = { .ledger = ledger, .before = day, .out = out, .fault = fault };
	int err = store_connect(ledger, fault);

	*out = (struct ledger_pruned){ 0 };
	if (!err)
		err = measure(&pruning, &out->size, &out->free);
	if (!err)
		err = prove_days(&pruning);
	if (!err && !dry_run)
		err = prune_days(&pruning);
	if (!err && !dry_run)
		err = give_back(&pruning);
	free(pruning.days.v);
	return err ? err : measure(&pruning, &out->after, &out->free);
}
