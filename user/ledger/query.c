// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "store.h"

/* Rows that are read before they are handed out: a reader that takes its time must not keep the daemon from booking. */
#define ROWS_AT_ONCE 1024

#define SUMS                                                                                                           \
	"sum(tx_bytes), sum(tx_payload), sum(tx_packets), sum(rx_bytes), sum(rx_payload), sum(rx_packets), "           \
	"min(started), max(ended)"

#define COUNTERS "class, tx_bytes, tx_payload, tx_packets, rx_bytes, rx_payload, rx_packets, started, ended"
#define DAYS_IN(table)                                                                                                 \
	"SELECT day * 86400 AS at, tenant, " COUNTERS " FROM " table                                                   \
	" CROSS JOIN tenancy ON tenancy.id = tenancy WHERE day >= ?3 / 86400000 AND day < ?4 / 86400000"
#define ENTRIES_IN(from, to)                                                                                           \
	"SELECT started / 1000, tenant, " COUNTERS " FROM tick CROSS JOIN entry ON entry.tick = tick.id "              \
	"WHERE started >= " from " AND started < " to

/*
 * Whole days by their sums, and what is before and after them by entries. Columns: `period`, tenant, class, then the
 * counters.
 */
static const char of_usage[] =
	"SELECT period(at, ?1) AS period, name, class, " SUMS
	" FROM (" DAYS_IN("day") " UNION ALL " DAYS_IN("pruned") " UNION ALL " ENTRIES_IN(
		"?2", "?3") " UNION ALL " ENTRIES_IN("?4",
						     "?5") ") CROSS JOIN tenant ON tenant.id = tenant WHERE ?6 IS NULL "
							   "OR name = ?6 "
							   "GROUP BY period, name, class ORDER BY period, name, class";

static const char of_intervals[] =
	"SELECT tick.id, tenant.name, entry.class, tx_bytes, tx_payload, tx_packets, rx_bytes, rx_payload, rx_packets, "
	"started, ended, sequence, host, boot, epoch, policy.name, policy.hash FROM tick CROSS JOIN entry ON "
	"entry.tick = tick.id CROSS JOIN tenant ON tenant.id = entry.tenant CROSS JOIN policy ON policy.id = policy "
	"CROSS JOIN source ON source.id = tick.source WHERE started >= ?1 AND (started, tick.id) > (?1, ?2) "
	"AND started < ?3 AND (?4 IS NULL OR tenant.name = ?4) ORDER BY started, tick.id, tenant.name, entry.class";

static int damaged(struct ledger *ledger, const char *what, struct fault *fault)
{
	return fault_set(fault, EINVAL, "ledger %s: is damaged (%s): restore it from a backup", ledger->path, what);
}

static __s64 to_ms(__s64 seconds)
{
	return seconds < 0 ? 0 : seconds > INT64_MAX / MS ? INT64_MAX : seconds * MS;
}

static void copy_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	snprintf(out, size, "%s", text ? (const char *)text : "");
}

/* False when a number is none that is ever booked. */
static bool read_row(sqlite3_stmt *stmt, char tenant[SW_NAME_MAX], enum sw_billing *billing,
		     struct sw_traffic traffic[SW_DIRECTIONS])
{
	__u64 counters[6], all = 0;

	copy_text(stmt, 1, tenant, SW_NAME_MAX);
	*billing = sqlite3_column_int64(stmt, 2) ? SW_EXEMPT : SW_BILLABLE;
	for (int i = 0; i < 6; i++)
		all |= counters[i] = sqlite3_column_int64(stmt, 3 + i);
	memcpy(traffic, counters, sizeof(counters));
	return all <= INT64_MAX && sqlite3_column_int64(stmt, 9) >= 0 && sqlite3_column_int64(stmt, 10) >= 0;
}

/* ---- usage ---- */

/* Of all rows: from the first one's start to the last one's end, in whole seconds. */
static void one_period(struct usages *usages)
{
	__s64 from = INT64_MAX, to = 0;

	for (size_t i = 0; i < usages->rows.n; i++) {
		from = usages->rows.v[i].from < from ? usages->rows.v[i].from : from;
		to = usages->rows.v[i].to > to ? usages->rows.v[i].to : to;
	}
	for (size_t i = 0; i < usages->rows.n; i++) {
		usages->rows.v[i].from = from;
		usages->rows.v[i].to = to;
	}
}

static int add_usage(struct ledger *ledger, sqlite3_stmt *stmt, int by, struct usages *out, struct fault *fault)
{
	struct usage *usage = list_add(&out->rows);

	if (!read_row(stmt, usage->tenant, &usage->billing, usage->traffic)) {
		sqlite3_reset(stmt);
		return damaged(ledger, "a sum is out of range", fault);
	}
	if (by < 0) {
		usage->from = sqlite3_column_int64(stmt, 9) / MS;
		usage->to = sqlite3_column_int64(stmt, 10) / MS + !!(sqlite3_column_int64(stmt, 10) % MS);
	} else {
		usage->from = sqlite3_column_int64(stmt, 0);
		usage->to = calendar_next(usage->from, (enum calendar_unit)by);
	}
	return 0;
}

/* Milliseconds: entries before `first`, whole days up to `last`, entries again. */
struct parts {
	__s64 from, first, last, to;
};

/* An hour is never whole days, and a part of one day has none. */
static struct parts parts_of(const struct ledger_query *query)
{
	struct parts parts = { .from = to_ms(query->from), .to = to_ms(query->to) };
	__s64 whole = parts.from / DAY_MS + !!(parts.from % DAY_MS);

	parts.last = parts.to / DAY_MS * DAY_MS;
	parts.first = whole * DAY_MS;
	if (query->by == CALENDAR_HOUR || parts.first >= parts.last)
		parts.first = parts.last = parts.to;
	return parts;
}

static int missed(struct ledger *ledger, const struct parts *parts, struct fault *fault)
{
	int err = prune_missed(ledger, parts->from, parts->first, fault);

	return err ? err : prune_missed(ledger, parts->last, parts->to, fault);
}

int ledger_usage(struct ledger *ledger, const struct ledger_query *query, struct usages *out, struct fault *fault)
{
	struct parts parts = parts_of(query);
	struct usages usages = { 0 };
	sqlite3_stmt *stmt;
	int err = store_connect(ledger, fault);

	if (!err)
		err = store_ask(ledger, &stmt, fault, of_usage, "iiiiit", (__s64)query->by, parts.from, parts.first,
				parts.last, parts.to, query->tenant);
	while (!err && (err = store_step(ledger, stmt, fault)) == 1)
		err = add_usage(ledger, stmt, query->by, &usages, fault);
	if (!err)
		err = missed(ledger, &parts, fault);
	if (err) {
		free(usages.rows.v);
		return err;
	}
	if (query->by < 0)
		one_period(&usages);
	*out = usages;
	return 0;
}

/* ---- intervals ---- */

struct batch {
	LIST(struct interval) rows;
	__s64 started, tick; /* of the last row */
	bool more;
};

static int add_interval(struct ledger *ledger, sqlite3_stmt *stmt, struct batch *batch, struct fault *fault)
{
	struct interval *interval = list_add(&batch->rows);
	char epoch[20];

	interval->start = sqlite3_column_int64(stmt, 9);
	interval->end = sqlite3_column_int64(stmt, 10);
	interval->sequence = sqlite3_column_int64(stmt, 11);
	copy_text(stmt, 12, interval->host, sizeof(interval->host));
	copy_text(stmt, 13, interval->boot, sizeof(interval->boot));
	copy_text(stmt, 14, epoch, sizeof(epoch));
	interval->epoch = strtoull(epoch, NULL, 16);
	copy_text(stmt, 15, interval->policy, sizeof(interval->policy));
	if (read_row(stmt, interval->tenant, &interval->billing, interval->traffic) &&
	    sqlite3_column_bytes(stmt, 16) == sizeof(interval->hash)) {
		memcpy(interval->hash, sqlite3_column_blob(stmt, 16), sizeof(interval->hash));
		return 0;
	}
	sqlite3_reset(stmt);
	return damaged(ledger, "a row is out of range", fault);
}

/* All rows of some ticks. */
static int read_batch(struct ledger *ledger, const struct ledger_query *query, struct batch *batch, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int err = store_ask(ledger, &stmt, fault, of_intervals, "iiit", batch->started, batch->tick, to_ms(query->to),
			    query->tenant);

	batch->more = false;
	batch->rows.n = 0;
	while (!err && (err = store_step(ledger, stmt, fault)) == 1) {
		__s64 tick = sqlite3_column_int64(stmt, 0);

		if (batch->rows.n >= ROWS_AT_ONCE && tick != batch->tick) {
			batch->more = true;
			sqlite3_reset(stmt);
			return 0;
		}
		batch->tick = tick;
		batch->started = sqlite3_column_int64(stmt, 9);
		err = add_interval(ledger, stmt, batch, fault);
	}
	return err;
}

int ledger_intervals(struct ledger *ledger, const struct ledger_query *query,
		     void (*each)(const struct interval *interval, void *data), void *data, struct fault *fault)
{
	struct batch batch = { .started = to_ms(query->from), .tick = -1, .more = true };
	int err = store_connect(ledger, fault);

	while (!err && batch.more) {
		err = read_batch(ledger, query, &batch, fault);
		if (!err)
			err = prune_missed(ledger, to_ms(query->from), to_ms(query->to), fault);
		for (size_t i = 0; i < batch.rows.n && !err; i++)
			each(&batch.rows.v[i], data);
	}
	free(batch.rows.v);
	return err;
}

/* ---- what the daemon asks ---- */

__s64 ledger_lost_since(struct ledger *ledger, const char *host, const char *boot)
{
	struct fault ignored;
	__s64 end = 0;
	int err = store_connect(ledger, &ignored);

	if (!err)
		err = store_number(ledger, &end, &ignored,
				   "SELECT ended FROM source JOIN tick ON source = source.id AND sequence = "
				   "(SELECT max(sequence) FROM tick WHERE source = source.id) "
				   "WHERE host = ?1 AND boot <> ?2 AND NOT EXISTS (SELECT 1 FROM source "
				   "WHERE host = ?1 AND boot = ?2) ORDER BY source.id DESC LIMIT 1",
				   "tt", host, boot);
	return err ? err : end;
}

int ledger_last(struct ledger *ledger, __s64 *ms, struct fault *fault)
{
	int err = store_connect(ledger, fault);

	*ms = 0;
	return err ? err
		   : store_number(ledger, ms, fault, "SELECT ended FROM tick WHERE id = (SELECT max(id) FROM tick)",
				  "");
}
