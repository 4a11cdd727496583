// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "amount.h"
#include "calendar.h"
#include "cli.h"
#include "health.h"
#include "layout.h"
#include "ledger.h"
#include "load.h"
#include "named.h"
#include "plain.h"
#include "reap.h"
#include "take.h"

#define DAY         86400
#define SETS_OLD    (30 * DAY) /* the alert fires then, too; Google publishes new ones every few days */
#define PASSES_OLD  300        /* seconds; the alert fires then, too */
#define TICKS_OLD   3          /* intervals */
#define NAMES_SHOWN 3

#define add health_add

void health_add(struct health *health, const char *what, enum health_state state, const char *format, ...)
{
	struct check *check = list_add(&health->checks);
	va_list args;

	*check = (struct check){ .what = what, .state = state };
	va_start(args, format);
	check->text = mem_vprintf(format, args);
	va_end(args);
	health->wrong += state == HEALTH_WRONG;
}

/* ---- the daemon -------------------------------------------------------------------------------------------- */

static const char *ago(__s64 ms, char text[DURATION_TEXT])
{
	__s64 now = time(NULL) * 1000LL;

	return duration_format(ms < now ? now - ms : 0, text);
}

static void check_booking(struct health *health, const struct daemon_state *daemon)
{
	__s64 late = time(NULL) - daemon->ticked / 1000;
	char text[DURATION_TEXT];

	if (!daemon->ticked)
		add(health, "booking", HEALTH_LOOK, "nothing has been booked yet since the daemon started");
	else if (!daemon->booking || late > (__s64)daemon->interval * TICKS_OLD)
		add(health, "booking", HEALTH_WRONG,
		    "the last was %s ago, and should be every %u s; nothing is lost. See the daemon's log",
		    ago(daemon->ticked, text), daemon->interval);
	else
		add(health, "booking", HEALTH_OK, "the last was %s ago, every %u s", ago(daemon->ticked, text),
		    daemon->interval);
}

static void check_held(struct health *health, const struct reaper_state *reaper)
{
	char text[DURATION_TEXT];

	for (__u64 i = 0; i < reaper->n_held && i < SW_HELD_NOTES; i++) {
		const struct held_note *held = &reaper->held[i];

		if (held->tenant[0])
			add(health, "passes", HEALTH_LOOK,
			    "tenant %s has held %llu of its closed sockets locked for %s, so that they stay in the "
			    "kernel's "
			    "tables: end its processes (cgroup.kill)",
			    held->tenant, (unsigned long long)held->sockets, ago(held->since, text));
		else
			add(health, "passes", HEALTH_LOOK,
			    "a process holds a socket locked in a network namespace, so that sockets there which no "
			    "process "
			    "has are not looked at");
	}
}

static void check_passes(struct health *health, const struct daemon_state *daemon)
{
	const struct reaper_state *reaper = &daemon->reaper;
	__s64 since = reaper->passed ? reaper->passed : daemon->started;
	char text[DURATION_TEXT];

	if (time(NULL) - since / 1000 > PASSES_OLD)
		add(health, "passes", HEALTH_WRONG,
		    "no pass over the sockets has ended well for %s: idle ones stay open. See the daemon's log",
		    ago(since, text));
	else if (reaper->stuck)
		add(health, "passes", HEALTH_LOOK,
		    "the last was %s ago; %llu sockets are closed for their tenants, but still in the kernel's tables",
		    ago(since, text), (unsigned long long)reaper->stuck);
	else
		add(health, "passes", HEALTH_OK, "the last was %s ago, over %llu socket%s", ago(since, text),
		    (unsigned long long)reaper->seen, reaper->seen == 1 ? "" : "s");
}

static void check_daemon(struct health *health, const struct health_sources *from)
{
	char text[DURATION_TEXT];

	if (!from->daemon) {
		add(health, "daemon", HEALTH_WRONG,
		    "%s. Until it runs nothing is booked, no socket is closed, no budget renewed, and no tenant "
		    "attached again; rules hold",
		    from->silence);
		return;
	}
	add(health, "daemon", HEALTH_OK, "has been running for %s", ago(from->daemon->daemon.started, text));
	check_booking(health, &from->daemon->daemon);
	check_passes(health, &from->daemon->daemon);
	check_held(health, &from->daemon->daemon.reaper);
}

/* ---- tenants ----------------------------------------------------------------------------------------------- */

static size_t count_state(const struct reports *reports, enum tenant_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < reports->of.n; i++)
		n += reports->of.v[i].state == state;
	return n;
}

/* The first few, to be freed. */
static char *name_some(const struct reports *reports, enum tenant_state state)
{
	char *names = mem_strdup("");
	size_t n = 0;

	for (size_t i = 0; i < reports->of.n && n <= NAMES_SHOWN; i++) {
		char *longer;

		if (reports->of.v[i].state != state)
			continue;
		longer = mem_printf("%s%s%s", names, n ? ", " : "",
				    n == NAMES_SHOWN ? "..." : reports->of.v[i].record.name);
		n++;
		free(names);
		names = longer;
	}
	return names;
}

static void check_state(struct health *health, const struct reports *reports, enum tenant_state state,
			const char *meaning)
{
	size_t n = count_state(reports, state);
	char *names;

	if (!n)
		return;
	names = name_some(reports, state);
	add(health, "tenants", HEALTH_WRONG, "%zu %s: %s. %s", n, tenant_state_name(state), names, meaning);
	free(names);
}

static void check_tenants(struct health *health, const struct reports *reports)
{
	size_t wrong = health->wrong,
	       held = count_state(reports, TENANT_ENFORCED) + count_state(reports, TENANT_AUDITED);

	check_state(
		health, reports, TENANT_UNPROTECTED,
		"Attached again by the daemon when the cgroup is there; 'sockwarden detach' if it is not to come back");
	check_state(health, reports, TENANT_INCOMPLETE,
		    "Everything is refused to them: attach them again, or detach them");
	if (wrong == health->wrong)
		add(health, "tenants", HEALTH_OK, "%zu, each under its policy", held);
}

/* ---- what changes with time -------------------------------------------------------------------------------- */

#define WRITE_ANEW                                                                                                     \
	"have it written anew every day with 'systemctl enable --now sockwarden-ranges.timer', or once with "          \
	"'sockwarden ranges update' and 'sockwarden reload'"

static void check_sets(struct health *health)
{
	__s64 published = set_published(policy_path(), "google"), age = time(NULL) - published;
	char text[CALENDAR_TEXT];

	if (!published)
		add(health, "Google", HEALTH_LOOK, "the set google has no date: " WRITE_ANEW);
	else
		add(health, "Google", age > SETS_OLD ? HEALTH_LOOK : HEALTH_OK, "the sets are of %s, %lld days old%s",
		    calendar_label(published, CALENDAR_DAY, text), (long long)age / DAY,
		    age > SETS_OLD ? ": " WRITE_ANEW : "");
}

static void check_clock(struct health *health, const struct host *host)
{
	char path[SW_PATH_MAX], text[CALENDAR_TEXT];
	struct ledger *ledger;
	struct fault fault;
	__s64 last = 0;

	if (host_ledger(host, path, &fault) || !*path)
		return;
	if (ledger_open(&ledger, path, LEDGER_READING, &fault)) {
		add(health, "ledger", HEALTH_WRONG, "%s", fault.text);
		return;
	}
	if (ledger_last(ledger, &last, &fault))
		add(health, "ledger", HEALTH_WRONG, "%s", fault.text);
	else if (last / 1000 > time(NULL))
		add(health, "clock", HEALTH_WRONG,
		    "it stands before the last row of the ledger, which ended %s: set it right",
		    calendar_format(last / 1000, text));
	else
		add(health, "ledger", HEALTH_OK, "%s", path);
	ledger_close(ledger);
}

static void check_kernel(struct health *health, const struct host *host)
{
	struct utsname kernel = { 0 };

	uname(&kernel);
	if (reap_sees_all(host))
		add(health, "kernel", HEALTH_OK, "%.40s; sockets are closed by %s", kernel.release,
		    closing_by_name(take_by(host)));
	else
		add(health, "kernel", HEALTH_LOOK,
		    "%.40s refuses an iterator: a socket that no process holds, in a network namespace without any, "
		    "stays out of sight; sockets are closed by %s",
		    kernel.release, closing_by_name(take_by(host)));
}

/* The programs in the kernel, and this one. */
static void check_build(struct health *health)
{
	char theirs[LAYOUT_BUILD], mine[LAYOUT_BUILD];
	struct layout layout;
	struct fault fault;

	layout_my_build(mine);
	if (layout_read(&layout, &fault))
		add(health, "build", HEALTH_LOOK, "%s here; of the programs in the kernel: %s", mine, fault.text);
	else if (layout.same_build)
		add(health, "build", HEALTH_OK, "%s, here and in the kernel", mine);
	else
		add(health, "build", HEALTH_LOOK,
		    "%s here, %s in the kernel: restart the daemon, or if there is none, run 'sockwarden upgrade'",
		    mine, layout_build(&layout, theirs));
}

/* ---- all of it --------------------------------------------------------------------------------------------- */

void health_read(const struct health_sources *from, struct health *out)
{
	*out = (struct health){ 0 };
	check_daemon(out, from);
	check_tenants(out, from->reports);
	if (from->daemon)
		health_memory(from->daemon->daemon.pid, out);
	if (from->host) {
		health_outside(from->host, out);
		health_units(from->host, out);
		check_build(out);
		if (from->host->map[MAP_tries] >= 0) /* else they are another build's */
			health_names(from->host, out);
		check_clock(out, from->host);
		check_kernel(out, from->host);
	}
	check_sets(out);
}

void health_free(struct health *health)
{
	for (size_t i = 0; i < health->checks.n; i++)
		free(health->checks.v[i].text);
	free(health->checks.v);
}

static const char *state_name(enum health_state state)
{
	static const char *const names[] = { "ok", "look", "WRONG" };

	return names[state];
}

#define WIDTH 80
#define LEFT  16 /* columns of state and what */

/* Words, as many to a line as fit. */
static void print_words(const char *text, FILE *out)
{
	size_t column = LEFT;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > LEFT && column + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", LEFT, "");
			column = LEFT;
		}
		fprintf(out, "%s%.*s", column > LEFT ? " " : "", (int)len, text);
		column += len + (column > LEFT);
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

void health_print(const struct health *health, bool briefly, FILE *out)
{
	for (size_t i = 0; i < health->checks.n; i++) {
		const struct check *check = &health->checks.v[i];
		char *text;

		if (briefly && check->state != HEALTH_WRONG)
			continue;
		fprintf(out, "%-6s%-10s", state_name(check->state), check->what);
		text = plain(mem_strdup(check->text));
		print_words(text, out);
		free(text);
	}
}

void health_json(const struct health *health, struct json *json)
{
	json_open(json, "checks", '[');
	for (size_t i = 0; i < health->checks.n; i++) {
		json_open(json, NULL, '{');
		json_string(json, "check", health->checks.v[i].what);
		json_string(json, "state", state_name(health->checks.v[i].state));
		json_string(json, "text", health->checks.v[i].text);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_number(json, "wrong", health->wrong);
}
