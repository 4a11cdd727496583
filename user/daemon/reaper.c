// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes over the sockets, in a process of their own: a pass may take longer than a tick may wait, and needs rights
 * that whoever talks to others should not have. It talks to nobody. What it closes is in the kernel's counters and in
 * its log; how it fares, in memory that it shares with the daemon. And a second one, for what the programs call for.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "reap.h"
#include "say.h"
#include "take.h"

/*
 * A socket goes at most a tenth of its timeout late. That its data moved is seen in the next pass, and that it is idle
 * in the next but one, so two passes must fit in that, and their own time.
 */
#define PASSES_IN_TIMEOUT 32
#define PERIOD_MAX        10000 /* ms: strays have no timeout */

/* Milliseconds. */
static __u64 period(__u32 timeout)
{
	__u64 ms = timeout * 1000ULL / PASSES_IN_TIMEOUT;

	return ms && ms < PERIOD_MAX ? ms : PERIOD_MAX;
}

/* Says that passes fail, and that they no longer do, once each. */
static void tell(struct reaper_state *state, bool *failing, int err, const struct fault *fault)
{
	if (err && !*failing)
		warn("sockets are not closed for now: %s", fault->text);
	else if (!err && *failing)
		warn("sockets are closed again");
	*failing = err;
	state->errors += err != 0;
}

/* The same of network namespaces that passes cannot go to. */
static void tell_missed(const struct reap_result *result)
{
	static bool missing;

	if (result->missed && !missing)
		warn("a network namespace is passed over, so sockets there may stay though they are closed: %s",
		     result->why.text);
	else if (!result->missed && missing)
		warn("no network namespace is passed over any more");
	missing = result->missed;
}

static struct held_note *held_by(struct reaper_state *state, const char *tenant, __u32 *n)
{
	for (__u32 i = 0; i < *n; i++)
		if (!strcmp(state->held[i].tenant, tenant))
			return &state->held[i];
	if (*n == SW_HELD_NOTES)
		return NULL;
	state->held[*n] = (struct held_note){ 0 };
	memccpy(state->held[*n].tenant, tenant, '\0', SW_NAME_MAX - 1);
	return &state->held[(*n)++];
}

/* Who holds sockets locked. Said once for each. */
static void note_held(struct reaper *reaper, struct reaper_state *state)
{
	__u32 n = 0;

	for (size_t i = 0; i < reaper->losses.of.n; i++) {
		struct lost *lost = &reaper->losses.of.v[i];
		const char *tenant = lost->slot ? reaper->host->records[lost->slot].name : "";
		struct held_note *note = lost_is_held(lost) ? held_by(state, tenant, &n) : NULL;

		if (!note)
			continue;
		if (!note->sockets++)
			note->since = lost->since;
		if (!lost->told && lost->slot && lost->socket)
			warn("tenant %s holds a socket locked in the kernel, which is closed for it but cannot be "
			     "taken out until it lets go or its processes are ended",
			     tenant);
		lost->told = true;
	}
	state->n_held = n;
}

static void make_pass(struct reaper *reaper, struct reaper_state *state, struct reap_result *result)
{
	const struct reap_options options = { .idle = SW_NO_LIMIT };
	static bool failing;
	struct fault fault;
	int err;

	state->began = clock_ms(CLOCK_BOOTTIME);
	err = reap_pass(reaper, &options, NULL, NULL, result, &fault);
	state->began = 0;
	tell(state, &failing, err, &fault);
	state->passes++;
	state->cpu_ns += result->cpu;
	if (result->longest > state->longest_ns)
		state->longest_ns = result->longest;
	note_held(reaper, state);
	if (err)
		return;
	tell_missed(result);
	state->missed += result->missed;
	state->seen = result->seen;
	state->stuck = result->stuck;
	state->passed = clock_ms(CLOCK_REALTIME);
}

/*
 * After a pass comes a rest of what it cost, not of what it waited: passes never take more than their share. Tenants
 * that had more than others rest for that themselves (share.h).
 */
static void rest(int changes, __u64 ms, __u64 cost)
{
	const __u64 least = cost * SHARE_REST / 1000000;
	const struct timespec pause = { least / 1000, least % 1000 * 1000000 };
	struct pollfd wake = { .fd = changes, .events = POLLIN };
	char events[4096];

	nanosleep(&pause, NULL);
	if (ms > least)
		poll(&wake, 1, ms - least);
	while (read(changes, events, sizeof(events)) > 0)
		;
}

static int reap_on(struct daemon *daemon, struct fault *fault)
{
	int changes = host_changes(fault);
	struct reaper reaper;

	if (changes < 0)
		return changes;
	reaper_open(&reaper, &daemon->host, false);
	for (;;) {
		struct reap_result result;

		make_pass(&reaper, daemon->reaping, &result);
		rest(changes, period(result.timeout), result.cpu - result.charged);
	}
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

#define PROCESSES_AT_ONCE 16 /* of a tenant: what it calls for beyond that is left to the next pass */

struct caller {
	__u32 slot;
	__u32 processes[PROCESSES_AT_ONCE];
	size_t n;
};

struct callers {
	LIST(struct caller) of;
};

static struct caller *caller_of(struct callers *callers, __u32 slot)
{
	struct caller *caller;

	for (size_t i = 0; i < callers->of.n; i++)
		if (callers->of.v[i].slot == slot)
			return &callers->of.v[i];
	caller = list_add(&callers->of);
	caller->slot = slot;
	return caller;
}

static int on_call(void *data, void *record, size_t len)
{
	const struct sw_call *call = record;
	struct caller *caller;

	if (len < sizeof(*call))
		return 0;
	caller = caller_of(data, call->slot);
	for (size_t i = 0; i < caller->n; i++)
		if (caller->processes[i] == call->process)
			return 0;
	if (caller->n < PROCESSES_AT_ONCE)
		caller->processes[caller->n++] = call->process;
	return 0;
}

static void answer(const struct host *host, const struct callers *callers, struct losses *losses)
{
	struct take taking = { .host = host, .losses = losses, .share = SHARE_MAX, .not = -1 };
	LIST(struct take_group) groups = { 0 };

	for (size_t i = 0; i < callers->of.n; i++)
		*list_add(&groups) = (struct take_group){
			.slot = callers->of.v[i].slot,
			.processes = callers->of.v[i].processes,
			.n_processes = callers->of.v[i].n,
		};
	take(&taking, groups.v, groups.n);
	free(groups.v);
}

/* What a hook has closed is taken out at once, whatever a pass is at. */
static int answer_on(struct daemon *daemon, struct fault *fault)
{
	struct callers callers = { 0 };
	struct ring_buffer *calls = ring_buffer__new(daemon->host.map[MAP_calls], on_call, &callers, NULL);
	const struct sw_pass pass = { .pause = SW_PASS_STEP };
	struct losses losses = { 0 };
	__u32 key = SW_PASS_CALLED;

	if (!calls || bpf_map_update_elem(daemon->host.map[MAP_pass], &key, &pass, BPF_ANY))
		return fault_set(fault, errno, "cannot read the ring of calls: %s", strerror(errno));
	while (ring_buffer__poll(calls, -1) >= 0 || errno == EINTR) {
		answer(&daemon->host, &callers, &losses);
		callers.of.n = 0;
	}
	return fault_set(fault, errno, "cannot read the ring of calls: %s", strerror(errno));
}

/* ---- both ----------------------------------------------------------------------------------------------- */

int reaper_start(struct daemon *daemon, struct fault *fault)
{
	void *shared = mmap(NULL, sizeof(*daemon->reaping), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	if (shared == MAP_FAILED)
		return fault_set(fault, errno, "cannot map memory: %s", strerror(errno));
	daemon->reaping = shared;
	daemon->reaper = (struct child){
		.source.fd = -1,
		.name = "sockwarden-reap",
		.keep_rights = rights_keep_reaper,
		.run = reap_on,
	};
	daemon->answerer = (struct child){
		.source.fd = -1,
		.name = "sockwarden-call",
		.keep_rights = rights_keep_reaper,
		.run = answer_on,
	};
	err = child_start(daemon, &daemon->reaper, fault);
	return err ? err : child_start(daemon, &daemon->answerer, fault);
}

#define PASS_MAX (5 * 60 * 1000) /* ms */

/* It looks at processes of others, and there are ways to make who does that wait. */
int reaper_check(const struct daemon *daemon, struct fault *fault)
{
	__s64 began = daemon->reaping->began;

	if (!began || clock_ms(CLOCK_BOOTTIME) - began < PASS_MAX)
		return 0;
	return fault_set(fault, ECHILD, "a pass over the sockets does not come to an end");
}

void reaper_stop(struct daemon *daemon)
{
	child_stop(&daemon->reaper);
	child_stop(&daemon->answerer);
	if (daemon->reaping)
		munmap(daemon->reaping, sizeof(*daemon->reaping));
}
