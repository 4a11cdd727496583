// SPDX-License-Identifier: GPL-2.0-only
/*
 * Booking. What was booked of each tenancy is remembered from tick to tick, and is changed only after a commit; after
 * a failure in which the file may have changed, all of it is forgotten and read from the file again.
 *
 * An interval ends at its tick. It began at the tick before that left nothing to book, whether it wrote rows or not,
 * and after a restart at the last one that wrote rows; the first of a source began with its oldest tenancy. How long
 * ago that was is told by the boot clock, so intervals are as long as they were when somebody sets the time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "meter.h"
#include "store.h"

/* What a tenancy was booked for so far. */
struct booked {
	__u64 number;
	__s64 tenancy_row, tenant_row; /* 0: it has none yet */
	struct sw_meter meter;
};

/* What the writer knows without reading. Of one source: there is no second one on a host. */
struct book {
	struct ledger_source source;
	__s64 source_row; /* 0: it has none yet */
	__u64 sequence;   /* of its last row */
	__s64 uptime;     /* at the last tick that left nothing to book; -1: there was none */
	struct booked *v; /* by number */
	size_t n;
	struct intern policies;  /* hash and name */
	LIST(__s64) policy_rows; /* by number of the interned */
};

/* An item of the tick. */
struct line {
	const struct ledger_item *item;
	struct booked after; /* the booking */
	struct sw_meter delta;
	__s64 policy_row;
	unsigned round; /* how many lines of the tenant come before it in this tick */
};

struct booking {
	struct ledger *ledger;
	const struct ledger_tick *tick;
	struct line *lines; /* by number of the tenancy */
	struct line **due;  /* those that have traffic, by tenant */
	size_t n_due;
	__s64 started;
	struct ledger_booked done;
	struct fault *fault;
};

void book_free(struct book *book)
{
	if (!book)
		return;
	free(book->v);
	free(book->policy_rows.v);
	intern_free(&book->policies);
	free(book);
}

static bool same_source(const struct ledger_source *a, const struct ledger_source *b)
{
	return a->epoch == b->epoch && !strcmp(a->host, b->host) && !strcmp(a->boot, b->boot);
}

static const char *epoch_text(__u64 epoch, char text[20])
{
	snprintf(text, 20, "%016" PRIx64, (uint64_t)epoch);
	return text;
}

/* ---- what the file says was booked ---- */

static int read_source(struct ledger *ledger, struct book *book, struct fault *fault)
{
	const struct ledger_source *source = &book->source;
	char epoch[20];
	sqlite3_stmt *stmt;
	int err = store_ask(
		ledger, &stmt, fault,
		"SELECT source.id, boot, sequence, uptime, host FROM source LEFT JOIN tick ON source = source.id "
		"WHERE epoch = ? ORDER BY sequence DESC LIMIT 1",
		"t", epoch_text(source->epoch, epoch));

	if (!err)
		err = store_step(ledger, stmt, fault);
	if (err <= 0)
		return err;
	err = 0;
	book->source_row = sqlite3_column_int64(stmt, 0);
	book->sequence = sqlite3_column_int64(stmt, 2);
	book->uptime = sqlite3_column_int64(stmt, 3);
	if (strcmp((const char *)sqlite3_column_text(stmt, 1) ?: "", source->boot) ||
	    strcmp((const char *)sqlite3_column_text(stmt, 4) ?: "", source->host))
		err = fault_set(fault, EINVAL,
				"ledger %s: what is metered now was booked under another machine id or boot id "
				"(epoch %s): set that back, or reboot",
				ledger->path, epoch);
	sqlite3_reset(stmt);
	return err;
}

static void read_traffic(sqlite3_stmt *stmt, int column, struct sw_traffic traffic[SW_DIRECTIONS])
{
	for (int i = 0; i < SW_DIRECTIONS; i++)
		traffic[i] = (struct sw_traffic){ .bytes = sqlite3_column_int64(stmt, column + 3 * i),
						  .payload = sqlite3_column_int64(stmt, column + 3 * i + 1),
						  .packets = sqlite3_column_int64(stmt, column + 3 * i + 2) };
}

/*
 * The days are read in their order, and tenancies looked up for them: the other way round is many times dearer. What was
 * pruned is part of what was booked, as before.
 */
#define BOOKED_IN(table, first)                                                                                        \
	"SELECT number, tenancy.id AS of, tenant, class, tx_bytes, tx_payload, tx_packets, rx_bytes, rx_payload, "     \
	"rx_packets FROM " table " CROSS JOIN tenancy ON tenancy.id = tenancy WHERE source = ?1 AND day >= (" first    \
	")"

static const char of_booked[] =
	"SELECT number, of, tenant, class, sum(tx_bytes), sum(tx_payload), sum(tx_packets), sum(rx_bytes), "
	"sum(rx_payload), sum(rx_packets) FROM (" BOOKED_IN(
		"day",
		"SELECT min(started) / 86400000 FROM tick WHERE "
		"tick.source = ?1") " UNION ALL " BOOKED_IN("pruned",
							    "SELECT day FROM pruned_source WHERE pruned_source.source "
							    "= ?1") ") GROUP BY number, class "
								    "ORDER BY number";

static int read_booked(struct ledger *ledger, struct book *book, struct fault *fault)
{
	LIST(struct booked) list = { 0 };
	sqlite3_stmt *stmt;
	int err = store_ask(ledger, &stmt, fault, of_booked, "i", book->source_row);

	if (err)
		return err;
	while ((err = store_step(ledger, stmt, fault)) == 1) {
		__u64 number = sqlite3_column_int64(stmt, 0);
		struct booked *booked = list.n ? &list.v[list.n - 1] : NULL;

		if (!booked || booked->number != number)
			booked = list_add(&list);
		booked->number = number;
		booked->tenancy_row = sqlite3_column_int64(stmt, 1);
		booked->tenant_row = sqlite3_column_int64(stmt, 2);
		read_traffic(stmt, 4, booked->meter.of[sqlite3_column_int64(stmt, 3) == SW_EXEMPT]);
	}
	book->v = list.v;
	book->n = list.n;
	return err;
}

static int read_book(struct ledger *ledger, const struct ledger_source *source, struct fault *fault)
{
	struct book *book = mem_alloc(1, sizeof(*book));
	int err;

	book->source = *source;
	book->uptime = -1;
	err = read_source(ledger, book, fault);
	if (!err && book->source_row)
		err = read_booked(ledger, book, fault);
	if (err) {
		book_free(book);
		return err;
	}
	book_free(ledger->book);
	ledger->book = book;
	return 0;
}

/* ---- what is to be booked ---- */

static int by_number(const void *a, const void *b)
{
	__u64 x = ((const struct line *)a)->item->tenancy, y = ((const struct line *)b)->item->tenancy;

	return (x > y) - (x < y);
}

static bool is_text(const char *text)
{
	return text && *text && strlen(text) < SW_NAME_MAX;
}

static int list_lines(struct booking *booking)
{
	const struct ledger_tick *tick = booking->tick;

	for (size_t i = 0; i < tick->n; i++) {
		const struct ledger_item *item = &tick->items[i];

		booking->lines[i].item = item;
		if (!is_text(item->tenant) || !item->policy || !item->tenancy || item->tenancy > INT64_MAX)
			return fault_set(booking->fault, EINVAL, "tenant %.64s: its record is damaged: attach it anew",
					 item->tenant ?: "?");
	}
	qsort(booking->lines, tick->n, sizeof(*booking->lines), by_number);
	for (size_t i = 1; i < tick->n; i++)
		if (!by_number(&booking->lines[i - 1], &booking->lines[i]))
			return fault_set(booking->fault, EINVAL, "tenants %s and %s have the same tenancy %llu",
					 booking->lines[i - 1].item->tenant, booking->lines[i].item->tenant,
					 booking->lines[i].item->tenancy);
	return 0;
}

/* SQLite has no integers beyond 2^63. */
static bool fits(const struct sw_meter *meter)
{
	__u64 all = 0;

	for (int billing = 0; billing < SW_BILLINGS; billing++)
		for (int direction = 0; direction < SW_DIRECTIONS; direction++)
			all |= meter->of[billing][direction].bytes | meter->of[billing][direction].payload |
			       meter->of[billing][direction].packets;
	return all <= INT64_MAX;
}

static int find_delta(struct booking *booking, struct line *line, const struct booked *before)
{
	const struct ledger_item *item = line->item;
	struct sw_meter nothing = { 0 };

	line->after.number = item->tenancy;
	line->after.meter = item->meter;
	if (before) {
		line->after.tenancy_row = before->tenancy_row;
		line->after.tenant_row = before->tenant_row;
	}
	if (!fits(&item->meter) || !meter_since(&item->meter, before ? &before->meter : &nothing, &line->delta))
		return fault_set(
			booking->fault, ERANGE,
			"tenant %s: its meter is behind what was booked of it, or beyond 2^63: ledger %s is not of "
			"this boot's counters: move it away, and a new one is begun",
			item->tenant, booking->ledger->path);
	for (int billing = 0; billing < SW_BILLINGS; billing++)
		booking->done.rows += !meter_is_zero(&line->delta, billing);
	return 0;
}

/* 1: the file knows a tenancy that is remembered no longer. */
static int was_forgotten(struct booking *booking, const struct ledger_item *item)
{
	struct ledger *ledger = booking->ledger;
	sqlite3_stmt *stmt;
	int err;

	if (!ledger->book->source_row)
		return 0;
	err = store_ask(ledger, &stmt, booking->fault, "SELECT 1 FROM tenancy WHERE source = ? AND number = ?", "ii",
			ledger->book->source_row, item->tenancy);
	if (!err)
		err = store_step(ledger, stmt, booking->fault);
	if (err == 1)
		sqlite3_reset(stmt);
	return err;
}

/* 0, -errno, or 1: the book lacks a tenancy that the file has. */
static int find_deltas(struct booking *booking)
{
	const struct book *book = booking->ledger->book;
	int err = 0;

	booking->done.rows = 0;
	for (size_t i = 0, at = 0; i < booking->tick->n && !err; i++) {
		struct line *line = &booking->lines[i];
		bool known;

		while (at < book->n && book->v[at].number < line->item->tenancy)
			at++;
		known = at < book->n && book->v[at].number == line->item->tenancy;
		if (!known)
			err = was_forgotten(booking, line->item);
		if (!err)
			err = find_delta(booking, line, known ? &book->v[at] : NULL);
	}
	return err;
}

/* What is due at this tick. Changes nothing in the file. */
static int draw_up(struct booking *booking)
{
	struct ledger *ledger = booking->ledger;
	const struct ledger_source *source = &booking->tick->source;
	int err = list_lines(booking);

	if (!err && (!ledger->book || !same_source(&ledger->book->source, source)))
		err = read_book(ledger, source, booking->fault);
	if (!err)
		err = find_deltas(booking);
	if (err != 1)
		return err;
	err = read_book(ledger, source, booking->fault);
	if (!err)
		err = find_deltas(booking);
	return err != 1 ? err
			: fault_set(booking->fault, EINVAL,
				    "ledger %s: is damaged (a tenancy has no day): restore it from a backup",
				    ledger->path);
}

/* Milliseconds between the last tick and this one, or since the oldest tenancy began. */
static __s64 elapsed(const struct booking *booking)
{
	const struct ledger_tick *tick = booking->tick;
	const struct book *book = booking->ledger->book;
	__s64 first = tick->now / MS, since;

	if (book->uptime >= 0)
		return tick->uptime > book->uptime ? tick->uptime - book->uptime : 0;
	for (size_t i = 0; i < tick->n; i++)
		if (tick->items[i].since < first)
			first = tick->items[i].since;
	if (first < 0)
		first = 0;
	since = tick->now - first * MS;
	return since < tick->uptime ? since : tick->uptime; /* no tenancy is older than the boot */
}

/* ---- writing it ---- */

static __s64 inserted(const struct booking *booking)
{
	return sqlite3_last_insert_rowid(booking->ledger->db);
}

static int write_source(struct booking *booking)
{
	struct book *book = booking->ledger->book;
	char epoch[20];
	int err;

	if (book->source_row)
		return 0;
	err = store_write(booking->ledger, booking->fault, "INSERT INTO source (host, boot, epoch) VALUES (?, ?, ?)",
			  "ttt", book->source.host, book->source.boot, epoch_text(book->source.epoch, epoch));
	book->source_row = inserted(booking);
	return err;
}

static int write_tenant(struct booking *booking, const char *name, __s64 *row)
{
	int err = store_number(booking->ledger, row, booking->fault, "SELECT id FROM tenant WHERE name = ?", "t", name);

	if (err || *row)
		return err;
	err = store_write(booking->ledger, booking->fault, "INSERT INTO tenant (name) VALUES (?)", "t", name);
	*row = inserted(booking);
	return err;
}

static int write_tenancy(struct booking *booking, struct line *line)
{
	const struct ledger_item *item = line->item;
	int err;

	if (line->after.tenancy_row)
		return 0;
	err = write_tenant(booking, item->tenant, &line->after.tenant_row);
	if (err)
		return err;
	err = store_write(booking->ledger, booking->fault,
			  "INSERT INTO tenancy (source, number, tenant, since) VALUES (?, ?, ?, ?)", "iiii",
			  booking->ledger->book->source_row, item->tenancy, line->after.tenant_row, item->since);
	line->after.tenancy_row = inserted(booking);
	return err;
}

static int write_policy_row(struct booking *booking, const __u8 *hash, const char *name, __s64 *row)
{
	int err = store_number(booking->ledger, row, booking->fault,
			       "SELECT id FROM policy WHERE hash = ? AND name = ?", "ht", hash, name);

	if (err || *row)
		return err;
	err = store_write(booking->ledger, booking->fault, "INSERT INTO policy (hash, name) VALUES (?, ?)", "ht", hash,
			  name);
	*row = inserted(booking);
	return err;
}

static int write_policy(struct booking *booking, struct line *line)
{
	struct book *book = booking->ledger->book;
	const struct ledger_item *item = line->item;
	char key[sizeof(item->hash) + SW_PATH_MAX] = { 0 };
	uint32_t number;
	int err = 0;

	memcpy(key, item->hash, sizeof(item->hash));
	strncpy(key + sizeof(item->hash), item->policy, SW_PATH_MAX - 1);
	number = intern(&book->policies, key, sizeof(item->hash) + strlen(key + sizeof(item->hash)));
	if (number == book->policy_rows.n) {
		*list_add(&book->policy_rows) = 0;
		err = write_policy_row(booking, item->hash, key + sizeof(item->hash), &book->policy_rows.v[number]);
	}
	line->policy_row = book->policy_rows.v[number];
	return err;
}

static int by_tenant(const void *a, const void *b)
{
	const struct line *x = *(struct line *const *)a, *y = *(struct line *const *)b;

	if (x->after.tenant_row != y->after.tenant_row)
		return x->after.tenant_row < y->after.tenant_row ? -1 : 1;
	return by_number(x, y);
}

/* The lines that are due, with all their entries point to in the file. */
static int write_names(struct booking *booking)
{
	int err = write_source(booking);

	booking->n_due = 0;
	for (size_t i = 0; i < booking->tick->n && !err; i++) {
		struct line *line = &booking->lines[i];

		if (meter_is_zero(&line->delta, SW_BILLABLE) && meter_is_zero(&line->delta, SW_EXEMPT))
			continue;
		err = write_tenancy(booking, line);
		if (!err)
			err = write_policy(booking, line);
		booking->due[booking->n_due++] = line;
	}
	if (err)
		return err;
	qsort(booking->due, booking->n_due, sizeof(*booking->due), by_tenant);
	for (size_t i = 1; i < booking->n_due; i++)
		if (booking->due[i]->after.tenant_row == booking->due[i - 1]->after.tenant_row)
			booking->due[i]->round = booking->due[i - 1]->round + 1;
	return 0;
}

static int write_entry(struct booking *booking, const struct line *line, enum sw_billing billing, __s64 tick)
{
	const struct sw_traffic *tx = &line->delta.of[billing][SW_EGRESS], *rx = &line->delta.of[billing][SW_INGRESS];
	const struct booked *whose = &line->after;
	int err = store_write(booking->ledger, booking->fault,
			      "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiiiiiiiii", tick,
			      whose->tenant_row, (__s64)billing, whose->tenancy_row, line->policy_row, tx->bytes,
			      tx->payload, tx->packets, rx->bytes, rx->payload, rx->packets);

	return err ? err
		   : store_write(
			     booking->ledger, booking->fault,
			     "INSERT INTO day VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
			     "ON CONFLICT (day, tenancy, class) DO UPDATE SET "
			     "started = min(started, excluded.started), ended = max(ended, excluded.ended), "
			     "tx_bytes = tx_bytes + excluded.tx_bytes, tx_payload = tx_payload + excluded.tx_payload, "
			     "tx_packets = tx_packets + excluded.tx_packets, "
			     "rx_bytes = rx_bytes + excluded.rx_bytes, rx_payload = rx_payload + excluded.rx_payload, "
			     "rx_packets = rx_packets + excluded.rx_packets",
			     "iiiiiiiiiii", booking->started / DAY_MS, whose->tenancy_row, (__s64)billing,
			     booking->started, booking->tick->now, tx->bytes, tx->payload, tx->packets, rx->bytes,
			     rx->payload, rx->packets);
}

static int write_line(struct booking *booking, const struct line *line, __s64 tick)
{
	int err = 0;

	for (int billing = 0; billing < SW_BILLINGS && !err; billing++)
		if (!meter_is_zero(&line->delta, billing))
			err = write_entry(booking, line, billing, tick);
	return err;
}

/*
 * A tenant has one row of a class in a tick. If it was detached and attached since the last one it has two tenancies,
 * and the second goes to a round of its own: a tick of the same time with the next sequence number.
 */
static int write_round(struct booking *booking, unsigned round)
{
	struct book *book = booking->ledger->book;
	__s64 tick;
	int err = store_write(booking->ledger, booking->fault,
			      "INSERT INTO tick (source, sequence, started, ended, uptime) VALUES (?, ?, ?, ?, ?)",
			      "iiiii", book->source_row, ++book->sequence, booking->started, booking->tick->now,
			      booking->tick->uptime);

	tick = inserted(booking);
	for (size_t i = 0; i < booking->n_due && !err; i++)
		if (booking->due[i]->round == round)
			err = write_line(booking, booking->due[i], tick);
	return err;
}

static int write_rounds(struct booking *booking)
{
	unsigned last = 0;
	int err = 0;

	for (size_t i = 0; i < booking->n_due; i++)
		if (booking->due[i]->round > last)
			last = booking->due[i]->round;
	for (unsigned round = 0; round <= last && !err; round++)
		err = write_round(booking, round);
	return err;
}

/*
 * Once it has begun nobody else can have the file locked. When anything fails after that the connection is dropped,
 * and with it what it had written and what is remembered: whether a commit that failed is in the file, only the file
 * can say.
 */
static int write_all(struct booking *booking)
{
	struct ledger *ledger = booking->ledger;
	int err = store_run(ledger, "BEGIN EXCLUSIVE", booking->fault);

	if (err == -EBUSY)
		return err;
	booking->started = booking->tick->now - elapsed(booking);
	if (booking->started < 0)
		booking->started = 0;
	if (!err)
		err = write_names(booking);
	if (!err)
		err = write_rounds(booking);
	if (!err)
		err = store_run(ledger, "COMMIT", booking->fault);
	if (err)
		store_disconnect(ledger);
	else
		store_stamp(ledger);
	return err;
}

/* It is on disk. What is not among the items is remembered no longer: it has ended. */
static void remember(struct booking *booking)
{
	struct book *book = booking->ledger->book;

	book->uptime = booking->tick->uptime;
	book->v = mem_resize(book->v, booking->tick->n, sizeof(*book->v));
	book->n = booking->tick->n;
	for (size_t i = 0; i < book->n; i++)
		book->v[i] = booking->lines[i].after;
	booking->done.sequence = book->sequence;
}

int ledger_book(struct ledger *ledger, const struct ledger_tick *tick, struct ledger_booked *out, struct fault *fault)
{
	struct booking booking = { .ledger = ledger, .tick = tick, .fault = fault };
	int err = store_connect(ledger, fault);

	if (err)
		return err;
	booking.lines = mem_alloc(tick->n, sizeof(*booking.lines));
	booking.due = mem_alloc(tick->n, sizeof(*booking.due));
	err = draw_up(&booking);
	if (!err && booking.done.rows)
		err = write_all(&booking);
	if (!err) {
		remember(&booking);
		*out = booking.done;
	}
	free(booking.lines);
	free(booking.due);
	return err;
}
