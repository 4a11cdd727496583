// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "carry.h"
#include "counts.h"
#include "host_state.h"
#include "loader.h"
#include "pins.h"
#include "publish.h"
#include "relink.h"
#include "renew.h"
#include "slots.h"
#include "upgrade.h"
#include "watch.h"

struct upgrade_ways upgrade_ways;

/* ---- what there is to do --------------------------------------------------------------------------------------- */

static const void *view(int fd, size_t n, size_t size)
{
	void *at = mmap(NULL, n * size, PROT_READ, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void unview(const void *at, size_t n, size_t size)
{
	if (at)
		munmap((void *)at, n * size);
}

static __u32 count_tenants(const struct sw_record *records)
{
	__u32 n = 0;

	for_each_slot(slot, records, SW_TENANTS_MAX, SLOTS_HELD)
		n++;
	return n;
}

/* Which of ours would have to be theirs, and is not. */
static int check_carried(const struct layout *layout, struct fault *fault)
{
	char text[LAYOUT_BUILD];

	for (int i = 0; i < MAP_COUNT; i++)
		if (layout_kind[i] == MAP_CARRIED && !layout->same[i])
			return fault_set(fault, ESTALE,
					 "this build cannot take over from build %s, whose map '%s' is laid out "
					 "otherwise: its tenants stay as they are, and 'sockwarden detach' ends them",
					 layout_build(layout, text), pins_map[i]);
	return 0;
}

static int open_theirs(const struct layout *layout, struct loader_from *out, struct fault *fault)
{
	memset(out, -1, sizeof(*out));
	for (int i = 0; i < MAP_COUNT; i++) {
		if (!layout->same[i])
			continue;
		out->kept[i] = pins_open(PINS_HOST, pins_map[i]);
		if (out->kept[i] < 0)
			return fault_set(fault, errno, PINS_HOST "/%s: %s", pins_map[i], strerror(errno));
	}
	if (!layout->same[MAP_socks])
		out->socks = pins_open(PINS_HOST, pins_map[MAP_socks]);
	return 0;
}

int upgrade_plan(struct upgrade *out, struct fault *fault)
{
	const struct sw_record *records;
	int err, fd;

	*out = (struct upgrade){ .loaded = pins_has(PINS_HOST) };
	if (!out->loaded)
		return 0;
	err = layout_read(&out->layout, fault);
	if (!err)
		err = check_carried(&out->layout, fault);
	if (err)
		return err;
	fd = pins_open(PINS_HOST, pins_map[MAP_records]);
	records = fd < 0 ? NULL : view(fd, SW_TENANTS_MAX, sizeof(*records));
	if (records)
		out->tenants = count_tenants(records);
	else
		err = fault_set(fault, errno, PINS_HOST "/records: %s", strerror(errno));
	unview(records, SW_TENANTS_MAX, sizeof(*records));
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- doing it -------------------------------------------------------------------------------------------------- */

static bool images_new(const struct layout *layout)
{
	for (int i = 0; i < MAP_COUNT; i++)
		if (layout_kind[i] == MAP_IMAGE && !layout->same[i])
			return true;
	return false;
}

static int view_next(struct host *next, struct fault *fault)
{
	next->records = view(next->map[MAP_records], SW_TENANTS_MAX, sizeof(*next->records));
	next->blocks = view(next->map[MAP_blocks], SW_TENANTS_MAX, sizeof(*next->blocks));
	next->settings = view(next->map[MAP_settings], SW_IMAGES_MAX, sizeof(*next->settings));
	if (next->records && next->blocks && next->settings)
		return 0;
	return fault_set(fault, errno, "cannot map the state in the kernel: %s", strerror(errno));
}

/* What is in the kernel, as the new programs will have it. `pins`: where they are pinned, or NULL. */
static int open_next(const struct sockwarden *loaded, const char *pins, struct host *next, struct fault *fault)
{
	*next = host_closed;
	next->pins = pins;
	for (int i = 0; i < MAP_COUNT; i++)
		next->map[i] = loader_map(loaded, i);
	return view_next(next, fault);
}

static void close_next(const struct host *next)
{
	unview(next->records, SW_TENANTS_MAX, sizeof(*next->records));
	unview(next->blocks, SW_TENANTS_MAX, sizeof(*next->blocks));
	unview(next->settings, SW_IMAGES_MAX, sizeof(*next->settings));
}

/* The images are made anew, or pinned beside the new programs as they are. All that can fail without a trace. */
static int prepare(const struct upgrade *upgrade, const struct sockwarden *loaded, const char *pins,
		   struct fault *fault)
{
	struct host next;
	int err = open_next(loaded, pins, &next, fault);

	if (!err && images_new(&upgrade->layout)) {
		err = renew_images(&next, fault);
	} else if (!err && pins) {
		next.pins = PINS_HOST;
		err = publish_pin_again(&next, pins, fault);
	}
	if (!err && !upgrade->layout.same[MAP_counts])
		err = counts_copy(&next, fault);
	close_next(&next);
	return err;
}

/* Lets go of what open_theirs() opened. */
static void close_theirs(const struct loader_from *theirs)
{
	for (int i = 0; i < MAP_COUNT; i++)
		if (theirs->kept[i] >= 0)
			close(theirs->kept[i]);
	if (theirs->socks >= 0)
		close(theirs->socks);
}

/* The last step before the others: what is noted on sockets from here on may be lost. */
static int mark(const struct sockwarden *loaded, const struct loader_from *theirs, struct fault *fault)
{
	int err, map[MAP_COUNT];

	for (int i = 0; i < MAP_COUNT; i++)
		map[i] = loader_map(loaded, i);
	watch_prepare(map);
	err = carry_sockets(loaded, theirs->socks, fault);
	return err ? err : pins_rename(PINS_LOADING, PINS_NEXT, fault);
}

/*
 * Sockets that were made, or sent to others, since they were carried over: what is sent from now on our egress notes, so
 * what theirs noted until then is carried over once more, before our ingress looks for it. What fails here is said by
 * who finishes.
 */
static void carry_again(const struct sockwarden *loaded, const struct loader_from *theirs)
{
	struct fault ignored;

	if (theirs->socks >= 0 && !relink_egress(&ignored))
		carry_sockets(loaded, theirs->socks, &ignored);
}

static int take_over(const struct upgrade *upgrade, struct fault *fault)
{
	struct sockwarden *loaded = NULL;
	struct loader_from theirs;
	int err = open_theirs(&upgrade->layout, &theirs, fault);

	if (!err)
		err = loader_load(&theirs, &loaded, fault);
	if (!err)
		err = loader_pin(loaded, fault);
	if (!err)
		err = prepare(upgrade, loaded, PINS_LOADING, fault);
	if (!err)
		err = mark(loaded, &theirs, fault);
	if (err) {
		pins_remove(PINS_LOADING);
		watch_discard();
	} else {
		carry_again(loaded, &theirs);
		err = upgrade_resume(fault);
	}
	loader_free(loaded);
	close_theirs(&theirs);
	return err;
}

/* The daemon has the state open, and would go on with maps that nobody writes any more. */
static int claim(struct host *host, const struct layout *layout, struct fault *fault)
{
	char text[LAYOUT_BUILD];
	int err = host_claim(host, fault);

	if (err != -EBUSY)
		return err;
	return fault_set(fault, EBUSY,
			 "the programs are of build %s, whose daemon is running: restart it ('systemctl restart "
			 "sockwarden'), and it takes over",
			 layout_build(layout, text));
}

/* What serves nobody need not be carried: its place is taken, in one step, for half of it is no state to be in. */
static int replace(struct fault *fault)
{
	int err;

	if (rmdir(PINS_TENANTS))
		return -ENOTEMPTY;
	pins_remove(PINS_LOADING);
	err = pins_rename(PINS_HOST, PINS_LOADING, fault);
	if (!err) {
		pins_remove(PINS_LOADING);
		err = pins_prepare(fault);
	}
	return err ? err : loader_install(fault);
}

int upgrade_run(struct host *host, struct fault *fault)
{
	struct upgrade upgrade;
	struct fault ignored;
	int plan = upgrade_plan(&upgrade, fault), err;

	if (!upgrade.loaded || (plan && plan != -ESTALE))
		return plan;
	if (upgrade.layout.same_build)
		return 0;
	err = claim(host, &upgrade.layout, plan ? &ignored : fault);
	if (!err)
		err = plan ? replace(&ignored) : take_over(&upgrade, fault);
	host_disclaim(host);
	if (plan)
		return err ? plan : 0;
	if (!err && upgrade_ways.tell)
		upgrade_ways.tell(&upgrade);
	return err;
}

int upgrade_try(struct host *host, struct fault *fault)
{
	struct sockwarden *loaded = NULL;
	struct loader_from theirs;
	struct upgrade upgrade;
	int err = upgrade_plan(&upgrade, fault);

	if (err || !upgrade.loaded || upgrade.layout.same_build)
		return err;
	err = claim(host, &upgrade.layout, fault);
	host_disclaim(host);
	if (err)
		return err;
	err = open_theirs(&upgrade.layout, &theirs, fault);
	if (!err)
		err = loader_load(&theirs, &loaded, fault);
	if (!err)
		err = prepare(&upgrade, loaded, NULL, fault);
	loader_free(loaded);
	close_theirs(&theirs);
	return err;
}

bool upgrade_pending(void)
{
	return pins_has(PINS_NEXT);
}

/*
 * Builds that pinned no identity know their state by what sw_host.unused says, and may still be running (sockwarden
 * run): they must not take this for theirs.
 */
static int disown(struct host *next, struct fault *fault)
{
	struct sw_host state;
	int err = state_read(next, &state, fault);

	if (err)
		return err;
	memset(state.unused, 0, sizeof(state.unused));
	return state_write(next, &state, fault);
}

static __u32 map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* The map is not the one that was there before. */
static bool is_new(const struct host *next, enum sw_map map)
{
	int was = pins_open(PINS_HOST, pins_map[map]);
	bool differs = map_id(was) != map_id(next->map[map]);

	if (was >= 0)
		close(was);
	return differs;
}

/* What only this build can do, which made it. */
static int settle_mine(struct host *next, bool counts_new, struct fault *fault)
{
	int err = view_next(next, fault);

	if (!err && counts_new)
		err = counts_settle(next, fault);
	if (!err && is_new(next, MAP_settings))
		err = renew_serials(next, fault);
	if (!err)
		err = disown(next, fault);
	close_next(next);
	return err;
}

/* Once all links have the new programs. May be done again. */
static int settle(struct fault *fault)
{
	struct host next = host_closed;
	bool counts_new;
	int err = 0;

	next.pins = PINS_NEXT;
	for (int i = 0; i < MAP_COUNT; i++)
		next.map[i] = pins_open(PINS_NEXT, pins_map[i]);
	counts_new = is_new(&next, MAP_counts);
	if (counts_new) {
		err = host_synchronize(&next, fault);
		if (!err)
			err = counts_pay(fault);
	}
	if (!err && layout_is_mine(PINS_NEXT))
		err = settle_mine(&next, counts_new, fault);
	for (int i = 0; i < MAP_COUNT; i++)
		if (next.map[i] >= 0)
			close(next.map[i]);
	return err;
}

static int finish(struct fault *fault)
{
	int err = 0;

	if (pins_has(PINS_HOST)) {
		err = relink_tenants(fault);
		if (!err)
			err = settle(fault);
		if (!err) {
			watch_switch();
			pins_remove(PINS_LOADING);
			err = pins_rename(PINS_HOST, PINS_LOADING, fault);
		}
	}
	return err ? err : pins_rename(PINS_NEXT, PINS_HOST, fault);
}

int upgrade_resume(struct fault *fault)
{
	int err = 0;

	if (pins_has(PINS_NEXT))
		err = finish(fault);
	if (err)
		return err;
	watch_discard(); /* of who was killed before there was a `next` */
	if (pins_has(PINS_LOADING))
		pins_remove(PINS_LOADING);
	return 0;
}
