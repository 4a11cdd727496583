// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "host.h"
#include "sha256.h"
#include "sockwarden.skel.h"

#define LOADING SW_PINS "/loading"
#define HOST    SW_PINS "/host"
#define TENANTS SW_PINS "/tenants"

#define BTF "/sys/kernel/btf/vmlinux"

static const char *const map_name[] = {
#define X(name) [MAP_##name] = #name,
	SW_MAPS(X)
#undef X
};

static const char *const prog_name[] = {
#define X(id, name, type) [SW_HOOK_##id] = "sw_" #name,
	SW_HOOKS(X)
#undef X
};

static const char *const walk_name[] = {
#define X(id, name, over) [WALK_##id] = "sw_" #name,
	SW_WALKS(X)
#undef X
};

static const char *const walk_over[] = {
#define X(id, name, over) [WALK_##id] = #over,
	SW_WALKS(X)
#undef X
};

const struct host host_closed = {
	.lock = -1,
	.booking = -1,
	.cgroups = -1,
	.map = { [0 ... MAP_COUNT - 1] = -1 },
	.prog = { [0 ... SW_HOOK_COUNT - 1] = -1 },
	.walk = { [0 ... WALK_COUNT - 1] = -1 },
};

static const char *pin_path(char buf[256], const char *folder, const char *name)
{
	snprintf(buf, 256, "%s/%s", folder, name);
	return buf;
}

/* What this program would load. */
static void build_hash(__u8 hash[32])
{
	struct sha256 sha;
	size_t len;
	const void *elf = sockwarden__elf_bytes(&len);

	sha256_init(&sha);
	sha256_add(&sha, elf, len);
	sha256_end(&sha, hash);
}

static int check_rights(struct fault *fault)
{
	if (!geteuid())
		return 0;
	return fault_set(fault, EPERM, NEEDS_ROOT);
}

static bool is_bpffs(void)
{
	struct statfs fs;

	return !statfs(SW_BPFFS, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static int make_folders(struct fault *fault)
{
	if (!is_bpffs() && mount("bpf", SW_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return fault_set(fault, errno, "cannot mount bpffs: %s; try mount -t bpf bpf " SW_BPFFS,
				 strerror(errno));
	if ((mkdir(SW_PINS, 0700) && errno != EEXIST) || (mkdir(TENANTS, 0700) && errno != EEXIST))
		return fault_set(fault, errno, "cannot make " TENANTS ": %s", strerror(errno));
	return 0;
}

#define PAUSE 20 /* ms between two tries */

int host_lock(struct host *host, unsigned ms, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000 };

	host->lock = open(SW_PINS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (host->lock < 0)
		return fault_set(fault, errno, SW_PINS ": %s", strerror(errno));
	for (unsigned waited = 0; waited <= ms; waited += PAUSE) {
		if (!flock(host->lock, LOCK_EX | LOCK_NB))
			return 0;
		nanosleep(&pause, NULL);
	}
	host_unlock(host);
	return fault_set(fault, EBUSY,
			 "another sockwarden has been changing the state for %u s: try again when it is done",
			 ms / 1000);
}

void host_unlock(struct host *host)
{
	if (host->lock >= 0)
		close(host->lock);
	host->lock = -1;
}

/* Whatever build put it there. */
static void remove_pins(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *pin;

	while (dir && (pin = readdir(dir)))
		unlinkat(dirfd(dir), pin->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(folder);
}

static int pin(int fd, const char *name, struct fault *fault)
{
	char path[256];

	if (!bpf_obj_pin(fd, pin_path(path, LOADING, name)))
		return 0;
	return fault_set(fault, errno, "cannot pin %s: %s", path, strerror(errno));
}

static int pin_all(struct sockwarden *skel, struct fault *fault)
{
	int err = 0;

	for (int i = 0; i < MAP_COUNT && !err; i++)
		err = pin(bpf_object__find_map_fd_by_name(skel->obj, map_name[i]), map_name[i], fault);
	for (int i = 0; i < SW_HOOK_COUNT && !err; i++)
		err = pin(bpf_program__fd(bpf_object__find_program_by_name(skel->obj, prog_name[i])), prog_name[i],
			  fault);
	for (int i = 0; i < WALK_COUNT && !err; i++) {
		struct bpf_program *walk = bpf_object__find_program_by_name(skel->obj, walk_name[i]);

		err = bpf_program__autoload(walk) ? pin(bpf_program__fd(walk), walk_name[i], fault) : 0;
	}
	return err;
}

static int another_build(struct fault *fault)
{
	return fault_set(fault, ESTALE,
			 "the programs in this kernel are of another build of sockwarden: detach the tenants "
			 "with that build and let its daemon book them, or remove " SW_PINS
			 " to give up their policies and what is not booked");
}

/* The kernel writes as many bytes as the map's values have, which may be more than ours in another build's. */
static int read_state(int map, struct sw_host *state, struct fault *fault)
{
	struct bpf_map_info info = { 0 };
	__u32 zero = 0, len = sizeof(info);

	if (bpf_obj_get_info_by_fd(map, &info, &len))
		return fault_set(fault, errno, "cannot read the map 'host': %s", strerror(errno));
	if (info.value_size != sizeof(*state))
		return another_build(fault);
	if (!bpf_map_lookup_elem(map, &zero, state))
		return 0;
	return fault_set(fault, errno, "cannot read the map 'host': %s", strerror(errno));
}

static int write_state(int map, const struct sw_host *state, struct fault *fault)
{
	__u32 zero = 0;

	if (!bpf_map_update_elem(map, &zero, state, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the map 'host': %s", strerror(errno));
}

/* The object was read and accepted: make it the host's, whole or not at all. */
static int install(struct sockwarden *skel, struct fault *fault)
{
	struct sw_host mine = { 0 };
	int err;

	build_hash(mine.build);
	if (getrandom(&mine.epoch, sizeof(mine.epoch), 0) != sizeof(mine.epoch))
		return fault_set(fault, errno, "cannot draw a random number: %s", strerror(errno));
	err = write_state(bpf_map__fd(skel->maps.host), &mine, fault);
	if (err)
		return err;
	remove_pins(LOADING); /* of someone who was killed here; we have the lock */
	if (mkdir(LOADING, 0700))
		return fault_set(fault, errno, "cannot make " LOADING ": %s", strerror(errno));
	err = pin_all(skel, fault);
	if (!err && rename(LOADING, HOST))
		err = fault_set(fault, errno, "cannot rename " LOADING ": %s", strerror(errno));
	if (err)
		remove_pins(LOADING);
	return err;
}

/* Kernels are built that refuse some iterators, whoever asks (EPERM). Tried with one that does nothing: what else is
 * wrong is left to the loading to say. */
static bool is_allowed(enum walk walk)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, how, .expected_attach_type = BPF_TRACE_ITER);
	int id = libbpf_find_vmlinux_btf_id(walk_over[walk], BPF_TRACE_ITER), fd;

	how.attach_btf_id = id;
	if (id <= 0)
		return false;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "sw_nothing", "GPL", nothing, 2, &how);
	if (fd < 0)
		return errno != EPERM;
	close(fd);
	return true;
}

static bool has_sock_destroy(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, "bpf_sock_destroy", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return has;
}

/* Enforcement needs none of the iterators: one that the kernel does not take must not keep the rest out. */
static void leave_out_missing(struct sockwarden *skel)
{
	bool destroys = has_sock_destroy();

	for (int i = 0; i < WALK_COUNT; i++) {
		struct bpf_program *walk = bpf_object__find_program_by_name(skel->obj, walk_name[i]);
		bool takes = i == WALK_TAKE_TCP || i == WALK_TAKE_UDP;

		bpf_program__set_autoload(walk, (!takes || destroys) && is_allowed(i));
	}
}

static int load(struct fault *fault)
{
	struct sockwarden *skel;
	int err;

	if (access(BTF, R_OK))
		return fault_set(fault, ENOTSUP,
				 "this kernel has no " BTF ": boot one built with "
				 "CONFIG_DEBUG_INFO_BTF=y");
	skel = sockwarden__open();
	if (!skel)
		return fault_set(fault, errno, "cannot read the BPF object: %s", strerror(errno));
	skel->rodata->may_copy =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_probe_read_kernel, NULL) == 1;
	leave_out_missing(skel);
	err = sockwarden__load(skel);
	if (err)
		fault_set(fault, -err,
			  "the kernel refuses the BPF programs: %s; Linux 6.1 or later, without a lockdown that "
			  "keeps BPF out, is needed",
			  strerror(-err));
	else
		err = install(skel, fault);
	sockwarden__destroy(skel);
	return err;
}

static int open_pins(struct host *host, struct fault *fault)
{
	char path[256];

	for (int i = 0; i < MAP_COUNT; i++) {
		host->map[i] = bpf_obj_get(pin_path(path, HOST, map_name[i]));
		if (host->map[i] < 0)
			return fault_set(fault, errno, "%s: %s", path, strerror(errno));
	}
	for (int i = 0; i < SW_HOOK_COUNT; i++) {
		host->prog[i] = bpf_obj_get(pin_path(path, HOST, prog_name[i]));
		if (host->prog[i] < 0)
			return fault_set(fault, errno, "%s: %s", path, strerror(errno));
	}
	for (int i = 0; i < WALK_COUNT; i++) {
		host->walk[i] = bpf_obj_get(pin_path(path, HOST, walk_name[i]));
		if (host->walk[i] < 0 && errno != ENOENT)
			return fault_set(fault, errno, "%s: %s", path, strerror(errno));
	}
	return 0;
}

/*
 * State that another build wrote may have another layout: it is neither read nor changed. 0, -ESTALE when it is
 * of another build, or -errno.
 */
static int check_build(struct fault *fault)
{
	int fd = bpf_obj_get(HOST "/host"), err;
	struct sw_host theirs;
	__u8 mine[32];

	if (fd < 0)
		return fault_set(fault, errno, HOST "/host: %s", strerror(errno));
	build_hash(mine);
	err = read_state(fd, &theirs, fault);
	if (!err && memcmp(mine, theirs.build, sizeof(mine)))
		err = another_build(fault);
	close(fd);
	return err;
}

/* Loads what is missing; takes the place of another build's programs if they serve no tenant. */
static int load_if_needed(struct fault *fault)
{
	int err = access(HOST, F_OK) ? -ENOENT : check_build(fault);

	if (err == -ESTALE && !rmdir(TENANTS)) {
		remove_pins(LOADING);
		if (rename(HOST, LOADING)) /* in one step: half of it could not be told from a whole one */
			return fault_set(fault, errno, "cannot rename " HOST ": %s", strerror(errno));
		remove_pins(LOADING);
		if (mkdir(TENANTS, 0700))
			return fault_set(fault, errno, "cannot make " TENANTS ": %s", strerror(errno));
		err = -ENOENT;
	}
	return err == -ENOENT ? load(fault) : err;
}

static const void *view(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* Maps of which user space sees the elements where the kernel has them. */
#define VIEWS(X)                                                                                                       \
	X(settings, SW_IMAGES_MAX)                                                                                     \
	X(records, SW_TENANTS_MAX)                                                                                     \
	X(counts, SW_TENANTS_MAX)                                                                                      \
	X(blocks, SW_TENANTS_MAX)                                                                                      \
	X(hits, SW_HITS_MAX)

static int open_views(struct host *host, struct fault *fault)
{
	bool whole = true;

#define X(name, n)                                                                                                     \
	host->name = view(host->map[MAP_##name], (n) * sizeof(*host->name));                                           \
	whole = whole && host->name;
	VIEWS(X)
#undef X
	return whole ? 0 : fault_set(fault, errno, "cannot map the state in " HOST ": %s", strerror(errno));
}

static int read_epoch(struct host *host, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = read_state(host->map[MAP_host], &state, fault);

	host->epoch = err ? 0 : state.epoch;
	return err;
}

int host_open(struct host *host, enum host_for purpose, struct fault *fault)
{
	char root[SW_PATH_MAX];
	struct fault ignored;
	int err = check_rights(fault);

	*host = host_closed;
	libbpf_set_print(NULL);
	if (!err && purpose == HOST_LOADING)
		err = make_folders(fault);
	if (!err && purpose != HOST_LOADING && access(HOST, F_OK))
		err = fault_set(fault, ENOENT, "no tenant was ever attached on this host: see sockwarden attach");
	if (!err && purpose != HOST_READING)
		err = host_lock(host, HOST_PATIENCE, fault);
	if (!err)
		err = purpose == HOST_LOADING ? load_if_needed(fault) : check_build(fault);
	if (!err)
		err = open_pins(host, fault);
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

static void close_view(const void *at, size_t size)
{
	if (at)
		munmap((void *)at, size);
}

void host_close(struct host *host)
{
#define X(name, n) close_view(host->name, (n) * sizeof(*host->name));
	VIEWS(X)
#undef X
	for (int i = 0; i < MAP_COUNT; i++)
		if (host->map[i] >= 0)
			close(host->map[i]);
	for (int i = 0; i < SW_HOOK_COUNT; i++)
		if (host->prog[i] >= 0)
			close(host->prog[i]);
	for (int i = 0; i < WALK_COUNT; i++)
		if (host->walk[i] >= 0)
			close(host->walk[i]);
	host_unlock(host);
	if (host->booking >= 0)
		close(host->booking);
	if (host->cgroups >= 0)
		close(host->cgroups);
	*host = host_closed;
}

int host_storage(const struct host *host, __u64 cgroup, struct sw_tenant *out)
{
	return bpf_map_lookup_elem(host->map[MAP_tenants], &cgroup, out) ? -errno : 0;
}

int host_next_serial(struct host *host, __u64 *serial, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = read_state(host->map[MAP_host], &state, fault);

	if (err)
		return err;
	*serial = ++state.serial;
	return write_state(host->map[MAP_host], &state, fault);
}

int host_changes(struct fault *fault)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd >= 0 && inotify_add_watch(fd, TENANTS, IN_ATTRIB | IN_ONLYDIR) >= 0)
		return fd;
	fault_set(fault, errno, "cannot watch " TENANTS ": %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -EIO;
}

/* What the folder of the tenants' links is touched for says nothing of them, and nothing depends on it. */
void host_announce(void)
{
	(void)utimensat(AT_FDCWD, TENANTS, NULL, 0);
}

/* host_booked() holds it for a moment. */
#define CLAIM_TRIES 10

int host_claim(struct host *host, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000 };

	host->booking = open(TENANTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (host->booking < 0)
		return fault_set(fault, errno, TENANTS ": %s", strerror(errno));
	for (int i = 0; i < CLAIM_TRIES; i++) {
		if (!flock(host->booking, LOCK_EX | LOCK_NB))
			return 0;
		nanosleep(&pause, NULL);
	}
	return fault_set(fault, EBUSY, "another sockwarden daemon books on this host: end that one first");
}

bool host_booked(void)
{
	int fd = open(TENANTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool booked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB);

	if (fd >= 0)
		close(fd);
	return booked;
}

int host_book(struct host *host, __u64 ledger, const char *path, bool adopt, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = read_state(host->map[MAP_host], &state, fault);

	if (err)
		return err;
	if (state.ledger && state.ledger != ledger && !adopt)
		return fault_set(
			fault, EINVAL,
			"since the programs were loaded, %.180s was booked in, and %.180s is another ledger: give the "
			"first, or --adopt, with which all that it has is booked again",
			state.path, path);
	state.ledger = ledger;
	snprintf(state.path, sizeof(state.path), "%s", path);
	return write_state(host->map[MAP_host], &state, fault);
}

/* No tenant's name has a comma. */
const char *host_kept(char path[256], __u64 tenancy)
{
	snprintf(path, 256, TENANTS "/,ended-%llu", tenancy);
	return path;
}

int host_keep(const char *folder, __u64 tenancy, struct fault *fault)
{
	char path[256];

	if (!rename(folder, host_kept(path, tenancy)) || (errno == ENOENT && !mkdir(path, 0700)) || errno == EEXIST)
		return 0;
	return fault_set(fault, errno, "cannot rename %s to %s: %s", folder, path, strerror(errno));
}

int host_let_go(__u64 tenancy, struct fault *fault)
{
	char path[256];

	if (!rmdir(host_kept(path, tenancy)) || errno == ENOENT)
		return 0;
	return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
}

int host_ledger(const struct host *host, char path[SW_PATH_MAX], struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = read_state(host->map[MAP_host], &state, fault);

	snprintf(path, SW_PATH_MAX, "%s", err ? "" : state.path);
	return err;
}

int host_ledger_id(const struct host *host, __u64 *id, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = read_state(host->map[MAP_host], &state, fault);

	*id = state.ledger;
	return err;
}

int host_resolvers(const struct host *host, __u64 *hash, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = read_state(host->map[MAP_host], &state, fault);

	*hash = state.resolvers;
	return err;
}

int host_set_resolvers(struct host *host, __u64 hash, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = read_state(host->map[MAP_host], &state, fault);

	if (err || state.resolvers == hash)
		return err;
	state.resolvers = hash;
	return write_state(host->map[MAP_host], &state, fault);
}

int host_current(const struct host *host, struct fault *fault)
{
	int fd = bpf_obj_get(HOST "/host"), err;
	struct sw_host state = { 0 };

	if (fd < 0)
		return fault_set(fault, ESTALE, HOST " was removed: %s", strerror(errno));
	err = read_state(fd, &state, fault);
	close(fd);
	if (!err && state.epoch != host->epoch)
		err = fault_set(fault, ESTALE, "another build of sockwarden put its own programs in the place of ours");
	return err;
}

/*
 * An update of a map of maps returns only when no program can still be reading what was there before. Image 0
 * is nobody's: what is put there for the wait may stay.
 */
int host_synchronize(struct host *host, struct fault *fault)
{
	LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = BPF_F_INNER_MAP);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "nothing", sizeof(__u32), sizeof(struct sw_row), 1, &create);
	__u32 nobody = 0;
	int err = 0;

	if (fd < 0)
		return fault_set(fault, errno, "cannot make a map: %s", strerror(errno));
	if (bpf_map_update_elem(host->map[MAP_tables], &nobody, &fd, BPF_ANY))
		err = fault_set(fault, errno, "cannot write the map 'tables': %s", strerror(errno));
	close(fd);
	return err;
}
