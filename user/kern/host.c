// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "host.h"
#include "host_state.h"
#include "layout.h"
#include "loader.h"
#include "pins.h"
#include "upgrade.h"
#include "values.h"

const struct host host_closed = {
	.lock = -1,
	.booking = -1,
	.cgroups = -1,
	.pins = PINS_HOST,
	.map = { [0 ... MAP_COUNT - 1] = -1 },
	.prog = { [0 ... SW_HOOK_COUNT - 1] = -1 },
	.walk = { [0 ... WALK_COUNT - 1] = -1 },
};

static int check_rights(struct fault *fault)
{
	if (!geteuid())
		return 0;
	return fault_set(fault, EPERM, NEEDS_ROOT);
}

/* The id of the egress program that is pinned: each load has its own. 0: there is none. */
static __u32 program_in(const char *folder)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = pins_open(folder, pins_program[SW_HOOK_EGRESS]);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		info.id = 0;
	if (fd >= 0)
		close(fd);
	return info.id;
}

/* `may_lack`: no pin of that name is no error. */
static int open_pin(const char *name, bool may_lack, int *fd, struct fault *fault)
{
	*fd = pins_open(PINS_HOST, name);
	if (*fd >= 0 || (may_lack && errno == ENOENT))
		return 0;
	return fault_set(fault, errno, PINS_HOST "/%s: %s", name, strerror(errno));
}

/* Of another build's, what is laid out as ours. */
static int open_pins(struct host *host, const struct layout *layout, struct fault *fault)
{
	int err = 0;

	for (int i = 0; i < MAP_COUNT && !err; i++)
		if (layout->same[i])
			err = open_pin(pins_map[i], false, &host->map[i], fault);
		else if (layout_kind[i] == MAP_CARRIED || layout_kind[i] == MAP_COPIED)
			err = values_open(host, i, fault);
	for (int i = 0; i < SW_HOOK_COUNT && !err; i++)
		err = open_pin(pins_program[i], host->foreign || i >= SW_HOOKS_OPTIONAL, &host->prog[i], fault);
	for (int i = 0; i < WALK_COUNT && !err; i++)
		err = open_pin(pins_walk[i], true, &host->walk[i], fault);
	return err;
}

/* A map that can be seen as it is, or a copy of one that another build laid out otherwise. */
static const void *view(const struct host *host, enum sw_map map, size_t n, size_t size)
{
	void *at;

	if (host->theirs[map])
		return values_copy(host, map, n, size);
	at = mmap(NULL, n * size, PROT_READ, MAP_SHARED, host->map[map], 0);
	return at == MAP_FAILED ? NULL : at;
}

static void close_view(const struct host *host, enum sw_map map, const void *at, size_t size)
{
	if (host->theirs[map])
		free((void *)at);
	else if (at)
		munmap((void *)at, size);
}

/* Policies that cannot be read: none is known, and no budget of them is renewed. */
static const struct sw_settings *unknown_settings(void)
{
	size_t size = SW_IMAGES_MAX * sizeof(struct sw_settings);
	struct sw_settings *settings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (settings == MAP_FAILED)
		return NULL;
	for (int i = 0; i < SW_IMAGES_MAX; i++)
		settings[i].budget = SW_NO_LIMIT;
	return settings;
}

static int open_views(struct host *host, struct fault *fault)
{
	host->settings = host->map[MAP_settings] < 0 ? unknown_settings()
						     : view(host, MAP_settings, SW_IMAGES_MAX, sizeof(*host->settings));
	host->records = view(host, MAP_records, SW_TENANTS_MAX, sizeof(*host->records));
	host->counts = view(host, MAP_counts, SW_TENANTS_MAX, sizeof(*host->counts));
	if (host->map[MAP_blocks] >= 0 && host->map[MAP_hits] >= 0) {
		host->blocks = view(host, MAP_blocks, SW_TENANTS_MAX, sizeof(*host->blocks));
		host->hits = view(host, MAP_hits, SW_HITS_MAX, sizeof(*host->hits));
	}
	if (host->settings && host->records && host->counts)
		return 0;
	return fault_set(fault, errno, "cannot map the state in " PINS_HOST ": %s", strerror(errno));
}

static int read_epoch(struct host *host, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	host->epoch = err ? 0 : state.epoch;
	return err;
}

bool host_sees_unix(const struct host *host)
{
	for (int hook = SW_HOOKS_OPTIONAL; hook < SW_HOOK_COUNT; hook++)
		if (host->prog[hook] < 0)
			return false;
	return true;
}

void host_refresh(struct host *host)
{
	if (host->theirs[MAP_records] && host->records)
		values_refresh(host, MAP_records, (void *)host->records, SW_TENANTS_MAX, sizeof(*host->records));
	if (host->theirs[MAP_counts] && host->counts)
		values_refresh(host, MAP_counts, (void *)host->counts, SW_TENANTS_MAX, sizeof(*host->counts));
}

static int open_once(struct host *host, struct layout *layout, struct fault *fault)
{
	int err = layout_read(layout, fault);

	host->foreign = !layout->same_build;
	host->program = program_in(PINS_HOST);
	return err ? err : open_pins(host, layout, fault);
}

static void close_pins(struct host *host)
{
	int *const fds[] = { host->map, host->prog, host->walk };
	const int n[] = { MAP_COUNT, SW_HOOK_COUNT, WALK_COUNT };

	for (int kind = 0; kind < 3; kind++)
		for (int i = 0; i < n[kind]; i++) {
			if (fds[kind][i] >= 0)
				close(fds[kind][i]);
			fds[kind][i] = -1;
		}
	values_close(host);
}

#define TRIES 500 /* of 20 ms: who has no lock may meet the moment in which `host` is replaced */

/* All of one build. */
static int open_state(struct host *host, struct layout *layout, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int err;

	for (int i = 0;; i++) {
		err = open_once(host, layout, fault);
		if (!err && host->program == program_in(PINS_HOST))
			return 0;
		if (i == TRIES || host->lock >= 0 || (err && err != -ENOENT))
			break;
		close_pins(host);
		nanosleep(&pause, NULL);
	}
	return err ? err : fault_set(fault, EBUSY, PINS_HOST " changes all the time");
}

/* While it is replaced it is called otherwise, and then `host` again. */
static bool is_loaded(void)
{
	return pins_has(PINS_HOST) || upgrade_pending() || pins_has(PINS_HOST);
}

/* With the lock held, or taken for it. */
static int finish_pending(struct host *host, struct fault *fault)
{
	bool locked = host->lock >= 0;
	int err = 0;

	if (!locked && !upgrade_pending())
		return 0;
	if (!locked)
		err = host_lock(host, HOST_PATIENCE, fault);
	if (!err)
		err = upgrade_resume(fault);
	if (!locked)
		host_unlock(host);
	return err;
}

static int make_ready(struct host *host, enum host_for purpose, struct fault *fault)
{
	bool loads = purpose == HOST_LOADING || purpose == HOST_EXAMINING;
	int err = loads ? pins_prepare(fault) : 0;

	if (err)
		return err;
	if (!loads && !is_loaded())
		return fault_set(fault, ENOENT, "no tenant was ever attached on this host: see sockwarden attach");
	if (purpose != HOST_READING && purpose != HOST_USING)
		err = host_lock(host, HOST_PATIENCE, fault);
	if (!err)
		err = finish_pending(host, fault);
	if (purpose == HOST_READING || (purpose == HOST_CHANGING && host->lock >= 0))
		err = 0; /* what is there can be shown and ended all the same */
	if (!err && loads && !pins_has(PINS_HOST))
		err = loader_install(fault);
	else if (!err && purpose == HOST_LOADING)
		err = upgrade_run(host, fault);
	return err;
}

/* For who needs a map that is of another layout. */
static int take_over(struct host *host, struct layout *layout, struct fault *fault)
{
	int err = 0;
	bool all = true;

	for (int i = 0; i < MAP_COUNT; i++)
		all &= layout->same[i];
	if (all)
		return 0;
	close_pins(host);
	err = host_lock(host, HOST_PATIENCE, fault);
	if (!err)
		err = upgrade_run(host, fault);
	host_unlock(host);
	return err ? err : open_state(host, layout, fault);
}

int host_open(struct host *host, enum host_for purpose, struct fault *fault)
{
	char root[SW_PATH_MAX];
	struct layout layout;
	struct fault ignored;
	int err = check_rights(fault);

	*host = host_closed;
	libbpf_set_print(NULL);
	if (!err)
		err = make_ready(host, purpose, fault);
	if (!err)
		err = open_state(host, &layout, fault);
	if (!err && purpose == HOST_USING)
		err = take_over(host, &layout, fault);
	if (!err)
		err = open_views(host, fault);
	if (!err)
		err = read_epoch(host, fault);
	if (!err && !cgroup_root(root, &ignored))
		host->cgroups = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (err)
		host_close(host);
	return err;
}

void host_close(struct host *host)
{
	close_view(host, MAP_settings, host->settings, SW_IMAGES_MAX * sizeof(*host->settings));
	close_view(host, MAP_records, host->records, SW_TENANTS_MAX * sizeof(*host->records));
	close_view(host, MAP_counts, host->counts, SW_TENANTS_MAX * sizeof(*host->counts));
	close_view(host, MAP_blocks, host->blocks, SW_TENANTS_MAX * sizeof(*host->blocks));
	close_view(host, MAP_hits, host->hits, SW_HITS_MAX * sizeof(*host->hits));
	close_pins(host);
	host_unlock(host);
	host_disclaim(host);
	if (host->cgroups >= 0)
		close(host->cgroups);
	*host = host_closed;
}

int host_hold(struct host *host, struct fault *fault)
{
	int err = check_rights(fault);

	*host = host_closed;
	libbpf_set_print(NULL);
	if (!err)
		err = pins_prepare(fault);
	if (!err)
		err = host_lock(host, HOST_PATIENCE, fault);
	return err ? err : upgrade_resume(fault);
}

int host_storage(const struct host *host, __u64 cgroup, struct sw_tenant *out)
{
	int err = value_read(host, MAP_tenants, &cgroup, out);

	if (!err && out->image >= SW_IMAGES_MAX) /* another build has more of them */
		out->image = 0;
	return err;
}

int host_current(const struct host *host, struct fault *fault)
{
	__u32 program = program_in(PINS_HOST);

	if (program == host->program || upgrade_pending())
		return 0;
	if (!program)
		return fault_set(fault, ESTALE, PINS_HOST " was removed");
	return fault_set(fault, ESTALE, "another build of sockwarden put its own programs in the place of ours");
}

/* An update of a map of maps returns only when no program can still be reading what was there before: of any. */
int host_synchronize(struct host *host, struct fault *fault)
{
	LIBBPF_OPTS(bpf_map_create_opts, create);
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "nothing", sizeof(__u32), sizeof(__u32), 1, NULL), outer,
	    err = 0;
	__u32 zero = 0;

	create.inner_map_fd = inner;
	outer = inner < 0
			? -1
			: bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "wait", sizeof(__u32), sizeof(__u32), 1, &create);
	if (outer < 0 || bpf_map_update_elem(outer, &zero, &inner, BPF_ANY))
		err = fault_set(fault, errno, "cannot wait for the programs: %s", strerror(errno));
	if (outer >= 0)
		close(outer);
	if (inner >= 0)
		close(inner);
	host->settled = !err;
	return err;
}
