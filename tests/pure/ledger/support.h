/* SPDX-License-Identifier: GPL-2.0-only */
/* A ledger in a folder of its own, a host with tenants, and ways to make SQLite fail. */
#ifndef SW_LEDGER_SUPPORT_H
#define SW_LEDGER_SUPPORT_H

#include "../unit/test.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger.h"
#include "mem.h"
#include "meter.h"
#include "store.h"

#define NOON 1795608000 /* 2026-11-25T12:00:00Z, a Wednesday */

struct scene {
	char folder[64], path[96];
	struct ledger *ledger;
	struct fault fault;
	struct ledger_tick tick;
	struct ledger_item items[64];
	struct ledger_booked booked;
	struct usages usages;
	LIST(struct interval) intervals;
};

static inline int scene_begin(void **state)
{
	struct scene *scene = mem_alloc(1, sizeof(*scene));

	/* in memory, for some tests book a thousand times */
	snprintf(scene->folder, sizeof(scene->folder), "%s/ledger-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->path, sizeof(scene->path), "%s/ledger.db", scene->folder);
	scene->tick = (struct ledger_tick){ .source = { "machine", "boot-1", 0xfedcba9876543210 },
					    .now = NOON * 1000LL,
					    .uptime = 3600000,
					    .items = scene->items };
	*state = scene;
	return 0;
}

static inline int scene_end(void **state)
{
	struct scene *scene = *state;
	char command[128];

	ledger_close(scene->ledger);
	free(scene->usages.rows.v);
	free(scene->intervals.v);
	snprintf(command, sizeof(command), "rm -rf '%s'", scene->folder);
	assert_int_equal(system(command), 0);
	free(scene);
	return 0;
}

static inline int reopen(struct scene *scene, enum ledger_for purpose)
{
	ledger_close(scene->ledger);
	scene->ledger = NULL;
	return ledger_open(&scene->ledger, scene->path, purpose, &scene->fault);
}

/* A tenancy that began a minute before the first tick. */
static inline struct ledger_item *attach(struct scene *scene, const char *tenant, __u64 tenancy)
{
	struct ledger_item *item = &scene->items[scene->tick.n++];

	*item = (struct ledger_item){
		.tenant = tenant, .tenancy = tenancy, .since = NOON - 60, .policy = "appengine", .hash = { 0xab }
	};
	return item;
}

/* A packet out, and one in. */
static inline void send_bytes(struct ledger_item *item, enum sw_billing billing, __u64 bytes)
{
	struct sw_traffic *traffic = item->meter.of[billing];

	traffic_add(&traffic[SW_EGRESS], &(struct sw_traffic){ bytes, bytes - 1, 1 });
	traffic_add(&traffic[SW_INGRESS], &(struct sw_traffic){ 2 * bytes, 2 * bytes - 1, 2 });
}

static inline int book(struct scene *scene)
{
	return ledger_book(scene->ledger, &scene->tick, &scene->booked, &scene->fault);
}

/* So many seconds later. */
static inline int book_after(struct scene *scene, __s64 seconds)
{
	scene->tick.now += seconds * 1000;
	scene->tick.uptime += seconds * 1000;
	return book(scene);
}

static inline const struct usages *usage(struct scene *scene, const struct ledger_query *query)
{
	free(scene->usages.rows.v);
	memset(&scene->usages, 0, sizeof(scene->usages));
	assert_int_equal(ledger_usage(scene->ledger, query, &scene->usages, &scene->fault), 0);
	return &scene->usages;
}

/* A query that the next one replaces. */
static inline const struct ledger_query *asked(const char *tenant, __s64 from, __s64 to, int by)
{
	static struct ledger_query query;

	query = (struct ledger_query){ tenant, from, to, by };
	return &query;
}

#define ALL asked(NULL, 0, INT64_MAX, -1)

/* Billable bytes out of a tenant, of all time. */
static inline __u64 booked_of(struct scene *scene, const char *tenant)
{
	const struct usages *usages = usage(scene, asked(tenant, 0, INT64_MAX, -1));
	__u64 sum = 0;

	for (size_t i = 0; i < usages->rows.n; i++)
		if (usages->rows.v[i].billing == SW_BILLABLE)
			sum += usages->rows.v[i].traffic[SW_EGRESS].bytes;
	return sum;
}

static inline void keep_interval(const struct interval *interval, void *data)
{
	struct scene *scene = data;

	*list_add(&scene->intervals) = *interval;
}

static inline size_t intervals(struct scene *scene, const struct ledger_query *query)
{
	scene->intervals.n = 0;
	assert_int_equal(ledger_intervals(scene->ledger, query, keep_interval, scene, &scene->fault), 0);
	return scene->intervals.n;
}

static inline void assert_checked(struct scene *scene)
{
	struct ledger_checked checked;

	scene->fault.text[0] = '\0';
	if (ledger_check(scene->ledger, NULL, NULL, &checked, &scene->fault))
		fail_msg("%s", scene->fault.text);
}

static inline void assert_line(const struct scene *scene, const char *part)
{
	if (!strstr(scene->fault.text, part))
		fail_msg("'%s' is not in '%s'", part, scene->fault.text);
}

/* With the pages' checksums, or without, as an operator's sqlite3(1) would. NULL, or the message. */
static inline const char *tamper_by(const char *vfs, const struct scene *scene, const char *sql)
{
	static char text[256];
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(scene->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, &message);
	snprintf(text, sizeof(text), "%s", message ? message : "");
	sqlite3_free(message);
	sqlite3_close(db);
	return *text ? text : NULL;
}

static inline const char *tamper(const struct scene *scene, const char *sql)
{
	return tamper_by(pages_vfs(), scene, sql);
}

/* What an older build left, which had nothing that was pruned. */
static inline void make_version(const struct scene *scene, int version)
{
#define NEVER_DELETED(table)                                                                                           \
	"CREATE TRIGGER " table "_deleted BEFORE DELETE ON " table                                                     \
	" BEGIN SELECT RAISE(ABORT, 'rows of the ledger are never deleted'); END; "
	char text[2048];

	snprintf(text, sizeof(text),
		 "DROP TRIGGER tick_deleted; DROP TRIGGER entry_deleted; DROP TRIGGER day_deleted; DROP TABLE pruned; "
		 "DROP TABLE pruned_day; DROP TABLE pruned_source; " NEVER_DELETED("tick") NEVER_DELETED("entry")
			 NEVER_DELETED("day") "PRAGMA user_version = %d; PRAGMA auto_vacuum = NONE; VACUUM",
		 version);
	assert_null(tamper(scene, text));
}

/* ---- a disk that fails: the calls that SQLite makes, counted down ---- */

struct failing {
	int after; /* this many calls succeed; negative: all */
	int error; /* then one fails with this errno; 0: the process ends there, with FAILING_KILLED */
	bool happened;
};

#define FAILING_KILLED 77

extern struct failing failing;
extern int journals_synced; /* journals removed with the folder synced after it: bookings that outlive a power cut */
void failing_begin(void);

/* What statfs() says of every file system; 0: what it is. */
extern long statfs_type;

#endif
