// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes over the sockets, in a process of their own: a pass may take longer than a tick may wait, and needs rights
 * that whoever talks to others should not have. It talks to nobody. What it closes is in the kernel's counters and in
 * its log; how it fares, in memory that it shares with the daemon.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "reap.h"
#include "say.h"

/*
 * A socket goes at most a tenth of its timeout late. That its data moved is seen in the next pass, and that it is idle
 * in the next but one, so two passes must fit in that, and their own time.
 */
#define PASSES_IN_TIMEOUT 25
#define PERIOD_MAX        10000 /* ms: strays have no timeout */
#define SHARE             10    /* after a pass there is a pause of so many times what it took */

/* Milliseconds. */
static __u64 period(__u32 timeout)
{
	__u64 ms = timeout * 1000ULL / PASSES_IN_TIMEOUT;

	return ms && ms < PERIOD_MAX ? ms : PERIOD_MAX;
}

static void ignore(const struct sw_found *found, void *data)
{
	(void)found;
	(void)data;
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

static int make_pass(struct host *host, struct reaper_state *state, struct reap_result *result)
{
	const struct reap_options options = { .idle = SW_NO_LIMIT };
	static bool failing;
	struct fault fault;
	int err;

	state->began = clock_ms(CLOCK_BOOTTIME);
	err = reap_pass(host, &options, ignore, NULL, result, &fault);
	state->began = 0;
	tell(state, &failing, err, &fault);
	state->passes++;
	state->cpu_ns += result->cpu;
	if (result->longest > state->longest_ns)
		state->longest_ns = result->longest;
	if (err)
		return err == -ENOTRECOVERABLE ? err : 0;
	tell_missed(result);
	state->missed += result->missed;
	state->seen = result->seen;
	state->stuck = result->stuck;
	state->passed = clock_ms(CLOCK_REALTIME);
	return 0;
}

static int on_call(void *data, void *record, size_t len)
{
	(void)data;
	(void)record;
	(void)len;
	return 0;
}

/* What a program or a new policy has to say is done at once, if passes do not take more than their share already. */
struct sleeper {
	struct ring_buffer *calls;
	int changes;
};

static int open_sleeper(struct sleeper *sleeper, const struct host *host, struct fault *fault)
{
	sleeper->changes = host_changes(fault);
	if (sleeper->changes < 0)
		return sleeper->changes;
	sleeper->calls = ring_buffer__new(host->map[MAP_calls], on_call, NULL, NULL);
	return sleeper->calls ? 0 : fault_set(fault, errno, "cannot read the ring of calls: %s", strerror(errno));
}

static void sleep_for(const struct sleeper *sleeper, __u64 ms, __u64 lasted)
{
	const __u64 rest = lasted * SHARE / 1000000;
	const struct timespec pause = { rest / 1000, rest % 1000 * 1000000 };
	struct pollfd wake[] = {
		{ .fd = ring_buffer__epoll_fd(sleeper->calls), .events = POLLIN },
		{ .fd = sleeper->changes, .events = POLLIN },
	};
	char events[4096];

	nanosleep(&pause, NULL);
	if (ms > rest)
		poll(wake, 2, ms - rest);
	ring_buffer__consume(sleeper->calls);
	while (read(sleeper->changes, events, sizeof(events)) > 0)
		;
}

static int reap_on(struct daemon *daemon, struct fault *fault)
{
	struct sleeper sleeper;
	int err = open_sleeper(&sleeper, &daemon->host, fault);

	while (!err) {
		struct reap_result result;

		err = make_pass(&daemon->host, daemon->reaping, &result);
		if (err)
			return fault_set(fault, -err, "a pass ended in a network namespace of others");
		sleep_for(&sleeper, period(result.timeout), result.lasted);
	}
	return err;
}

int reaper_start(struct daemon *daemon, struct fault *fault)
{
	void *shared = mmap(NULL, sizeof(*daemon->reaping), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return fault_set(fault, errno, "cannot map memory: %s", strerror(errno));
	daemon->reaping = shared;
	daemon->reaper = (struct child){
		.source.fd = -1,
		.name = "sockwarden-reap",
		.keep_rights = rights_keep_reaper,
		.run = reap_on,
	};
	return child_start(daemon, &daemon->reaper, fault);
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
	if (daemon->reaping)
		munmap(daemon->reaping, sizeof(*daemon->reaping));
}
