// SPDX-License-Identifier: GPL-2.0-only
/*
 * What checksums of pages cost, and what the renewal of all budgets does. Usage: cost [TENANTS [DAYS [TICKS A DAY]]].
 * Makes a ledger, and asks it in turns: as it is, and with the sum of page 1 taken away, which is a ledger without
 * sums. Prints the shortest of seven times each, and their ratio.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "calendar.h"
#include "support.h"

#define TURNS 3

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void must(int err, const struct scene *scene)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", scene->fault.text);
	exit(1);
}

static void set_sum(const struct scene *scene, __u64 *sum)
{
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);
	__u64 old = 0;

	if (pread(fd, &old, 8, 4096 - 8) != 8 || pwrite(fd, sum, 8, 4096 - 8) != 8)
		exit(1);
	close(fd);
	*sum = old;
}

static double make(struct scene *scene, unsigned tenants, unsigned days, unsigned ticks)
{
	struct ledger_item *items = mem_alloc(tenants, sizeof(*items));
	char(*names)[32] = mem_alloc(tenants, sizeof(*names));
	double begun;

	must(reopen(scene, LEDGER_BOOKING), scene);
	scene->tick.items = items;
	scene->tick.n = tenants;
	for (unsigned i = 0; i < tenants; i++) {
		snprintf(names[i], sizeof(names[i]), "tenant-%05u@example", i);
		items[i] = (struct ledger_item){ names[i], i + 1, NOON - 60, "appengine", { 0xab } };
	}
	begun = now();
	for (unsigned tick = 0; tick < days * ticks; tick++) {
		for (unsigned i = 0; i < tenants; i++)
			send_bytes(&items[i], SW_BILLABLE, 1000 + i);
		must(book_after(scene, 86400 / ticks), scene);
	}
	begun = (now() - begun) / (days * ticks);
	return begun;
}

static void none(const struct interval *interval, void *data)
{
	(void)interval;
	++*(unsigned *)data;
}

static double time_usage(struct scene *scene, const struct ledger_query *query)
{
	struct usages usages = { 0 };
	double begun = now();
	unsigned n = 0;

	must(reopen(scene, LEDGER_READING), scene);
	must(query ? ledger_usage(scene->ledger, query, &usages, &scene->fault)
		   : ledger_intervals(scene->ledger, asked(NULL, NOON, NOON + 86400, -1), none, &n, &scene->fault),
	     scene);
	free(usages.rows.v);
	return now() - begun;
}

static void compare(struct scene *scene, const char *name, const struct ledger_query *query)
{
	double best[2] = { 1e9, 1e9 };
	__u64 sum = 0;

	for (int turn = 0; turn < 2 * TURNS; turn++) {
		double took = time_usage(scene, query);

		if (took < best[turn % 2])
			best[turn % 2] = took;
		set_sum(scene, &sum);
	}
	printf("%-28s with sums %8.1f ms, without %8.1f ms, ratio %.3f\n", name, best[0] * 1e3, best[1] * 1e3,
	       best[0] / best[1]);
}

/* Of all tenants, one by one: each on its own, or all at once. */
static double time_spent(struct scene *scene, unsigned tenants, __s64 now_s, enum sw_period period, bool at_once)
{
	double begun = now();

	if (at_once)
		must(ledger_begin(scene->ledger, &scene->fault), scene);
	for (unsigned i = 0; i < tenants; i++) {
		char name[32];
		__u64 bytes;

		snprintf(name, sizeof(name), "tenant-%05u@example", i);
		must(ledger_spent(scene->ledger, name, period, now_s, &bytes, &scene->fault), scene);
	}
	ledger_end(scene->ledger);
	return now() - begun;
}

static void compare_spent(struct scene *scene, unsigned tenants, const char *name, __s64 at, enum sw_period period)
{
	double each, all;

	must(reopen(scene, LEDGER_BOOKING), scene);
	each = time_spent(scene, tenants, at, period, false);
	all = time_spent(scene, tenants, at, period, true);
	printf("%-28s one by one %10.1f ms, at once %8.1f ms, ratio %.3f\n", name, each * 1e3, all * 1e3, each / all);
}

/* Bookings while another process checks all of it, once: how long the longest took, and how many were put off. */
static void beside_check(struct scene *scene, struct ledger_item *items, unsigned tenants)
{
	unsigned ticks = 0, busy = 0;
	double longest = 0;
	int status;
	pid_t pid;

	must(reopen(scene, LEDGER_BOOKING), scene);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct ledger_checked checked;
		struct ledger *ledger;
		struct timespec begun, end;
		int err = ledger_open(&ledger, scene->path, LEDGER_READING, &scene->fault);

		clock_gettime(CLOCK_MONOTONIC, &begun);
		if (!err)
			err = ledger_check(ledger, NULL, NULL, &checked, &scene->fault);
		clock_gettime(CLOCK_MONOTONIC, &end);
		must(err, scene);
		printf("a check of %llu rows takes %.1f s\n", checked.rows,
		       end.tv_sec - begun.tv_sec + (end.tv_nsec - begun.tv_nsec) / 1e9);
		fflush(stdout);
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		struct timespec begun, end;
		double took;
		int err;

		for (unsigned i = 0; i < tenants; i++)
			send_bytes(&items[i], SW_BILLABLE, 1);
		clock_gettime(CLOCK_MONOTONIC, &begun);
		err = book_after(scene, 1);
		clock_gettime(CLOCK_MONOTONIC, &end);
		took = end.tv_sec - begun.tv_sec + (end.tv_nsec - begun.tv_nsec) / 1e9;
		ticks++;
		busy += err == -EBUSY;
		must(err == -EBUSY ? 0 : err, scene);
		longest = took > longest ? took : longest;
		usleep(200000);
	}
	printf("beside it %u ticks of %u rows: %u put off, the longest %.0f ms, status %d\n", ticks, tenants, busy,
	       longest * 1e3, status);
}

int main(int argc, char **argv)
{
	unsigned tenants = argc > 1 ? atoi(argv[1]) : 10000, days = argc > 2 ? atoi(argv[2]) : 30;
	unsigned ticks = argc > 3 ? atoi(argv[3]) : 4;
	struct scene *scene;

	scene_begin((void **)&scene);
	printf("a tick of %u rows takes %.1f ms\n", tenants, 1e3 * make(scene, tenants, days, ticks));
	compare(scene, "usage", asked(NULL, 0, INT64_MAX, -1));
	compare(scene, "usage --by day", asked(NULL, 0, INT64_MAX, CALENDAR_DAY));
	compare(scene, "usage --by month", asked(NULL, 0, INT64_MAX, CALENDAR_MONTH));
	compare(scene, "usage of a day", asked(NULL, NOON / 86400 * 86400, NOON / 86400 * 86400 + 86400, -1));
	compare(scene, "usage --tenant", asked("tenant-00007@example", 0, INT64_MAX, -1));
	compare(scene, "usage --by hour", asked(NULL, 0, INT64_MAX, CALENDAR_HOUR));
	compare(scene, "cloudevents of a day", NULL);
	compare_spent(scene, tenants, "budgets, a new day", NOON + (days + 1) * 86400, SW_DAY);
	compare_spent(scene, tenants, "budgets, in a day", NOON + days / 2 * 86400, SW_DAY);
	compare_spent(scene, tenants, "budgets, in a month", NOON + days * 86400, SW_MONTH);
	beside_check(scene, (struct ledger_item *)scene->tick.items, 100);
	scene_end((void **)&scene);
	return 0;
}
