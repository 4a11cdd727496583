// SPDX-License-Identifier: GPL-2.0-only
/* What nobody uses any more goes. The life of an image is in publish.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "slots.h"

/*
 * No program finds them any more. The hash goes first: what is not whole must not be found by it; and the number last.
 */
static int take_out(struct host *host, struct batch *batch, struct fault *fault)
{
	int err = 0;

	for (__u32 i = 0; i < batch->n && !err; i++)
		err = settings_write(host, batch->number[i],
				     &(struct sw_settings){ .serial = host->settings[batch->number[i]].serial }, fault);
	if (!err && batch->n)
		err = batch_empty(host, batch, fault);
	for (__u32 i = 0; i < batch->n && !err; i++) {
		inner_unpin(host, host->settings[batch->number[i]].serial);
		err = settings_write(host, batch->number[i], &(struct sw_settings){ 0 }, fault);
	}
	batch->n = 0;
	return err;
}

/* Which images tenants point to. When one cannot be told, none may be taken out. */
static int mark_used(const struct host *host, bool *used, struct fault *fault)
{
	for_each_slot_of(slot, host, SLOTS_HELD) {
		struct sw_tenant tenant;
		int err = host_storage(host, host->records[slot].cgroup, &tenant);

		if (!err)
			used[tenant.image] = true;
		else if (err != -ENOENT)
			return fault_set(fault, -err, "cannot read the storage of tenant %s: %s",
					 host->records[slot].name, strerror(-err));
	}
	return 0;
}

/* Unused, and no program reads it: out it goes, or its name only. */
static int put_away(struct host *host, struct batch *batch, __u32 number, struct fault *fault)
{
	const struct sw_settings *settings = &host->settings[number];

	if (settings->prefixes > INNER_PIECE)
		return !settings_whole(settings) ? 0
						 : settings_write(host, number,
								  &(struct sw_settings){ .serial = settings->serial,
											 .prefixes = settings->prefixes,
											 .left = 1 },
								  fault);
	batch->number[batch->n++] = number;
	return 0;
}

int publish_collect(struct host *host, __u32 max, __u64 newest, struct fault *fault)
{
	bool *used = mem_alloc(SW_IMAGES_MAX, sizeof(*used));
	struct batch batch = { 0 };
	bool waited = false, more = false, young = false;
	int err = mark_used(host, used, fault);

	for (__u32 i = 1; i < SW_IMAGES_MAX && !err; i++) {
		if (used[i] || !host->settings[i].serial)
			continue;
		if (host->settings[i].serial > newest) {
			young = true;
			continue;
		}
		more = batch.n == max || batch.n == PUBLISH_BATCH;
		if (more)
			break;
		if (!waited && !host->settled)
			err = host_synchronize(host, fault);
		waited = true;
		if (!err)
			err = put_away(host, &batch, i, fault);
	}
	if (!err)
		err = take_out(host, &batch, fault);
	free(used);
	return err ? err : more ? COLLECT_MORE : young ? COLLECT_YOUNG : 0;
}

/* It is empty: the next publish_collect() takes it out as any other. With the lock, that none may be under way. */
static void mark_empty(struct host *host, __u32 number, __u64 serial)
{
	struct fault ignored;

	if (host_lock(host, HOST_PATIENCE, &ignored))
		return;
	if (host->settings[number].serial == serial && !settings_whole(&host->settings[number]))
		settings_write(host, number, &(struct sw_settings){ .serial = serial }, &ignored);
	publish_collect(host, PUBLISH_BATCH, COLLECT_ALL, &ignored);
	host_unlock(host);
}

/* What the mark says, and not what it lacks: another's image may just be put in place. */
static bool is_left(const struct sw_settings *settings)
{
	return settings->serial && settings->left;
}

bool publish_drain(struct host *host)
{
	for (__u32 i = 1; i < SW_IMAGES_MAX; i++) {
		__u64 serial = host->settings[i].serial;
		int trie, n;

		if (!is_left(&host->settings[i]))
			continue;
		trie = inner_open_trie(host, serial);
		n = trie < 0 ? (errno == ENOENT ? 0 : -errno) : inner_empty(trie);
		if (!n)
			mark_empty(host, i, serial);
		if (trie >= 0)
			close(trie);
		return n >= 0; /* what failed is tried again when it is looked for again */
	}
	return false;
}

#define LEFT_MAX 8

bool publish_may_wait(const struct host *host)
{
	bool *used = mem_alloc(SW_IMAGES_MAX, sizeof(*used));
	struct fault ignored;
	__u32 n = host->settled || mark_used(host, used, &ignored) ? LEFT_MAX + 1 : 0;

	for (__u32 i = 1; i < SW_IMAGES_MAX && n <= LEFT_MAX; i++)
		if (!used[i] && host->settings[i].serial)
			n += settings_whole(&host->settings[i]) && host->settings[i].prefixes <= INNER_PIECE
				     ? 1
				     : LEFT_MAX + 1;
	free(used);
	return n <= LEFT_MAX;
}

void publish_tidy(struct host *host)
{
	const struct timespec pause = { .tv_nsec = PUBLISH_PAUSE * 1000000L };
	struct fault ignored;

	if (host->lock < 0)
		return;
	if (host_booked()) {
		host_unlock(host);
		return;
	}
	while (publish_collect(host, PUBLISH_BATCH, COLLECT_ALL, &ignored) == COLLECT_MORE)
		;
	host_unlock(host);
	while (publish_drain(host))
		nanosleep(&pause, NULL);
}
