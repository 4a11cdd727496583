// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "feature.h"
#include "mem.h"
#include "netns.h"
#include "reap.h"
#include "slots.h"
#include "sock_diag.h"
#include "storage.h"

#define FOLDER   SW_PINS "/pass"
#define PATIENCE 10000 /* ms that another's pass is waited for */
#define PAUSE    10

struct found_list {
	LIST(struct sw_found) of;
};

/* A pass under way. */
struct pass {
	struct host *host;
	const struct reap_options *options;
	struct reap_result *result;
	__u32 levels;  /* as sw_pass has it */
	int schedstat; /* what the kernel says of this thread */
	struct found_list found;
};

enum closing_by reap_by(const struct host *host)
{
	bool takes = host->walk[WALK_TAKE_TCP] >= 0 && host->walk[WALK_TAKE_UDP] >= 0;

	return takes && !feature_without("sock-destroy") ? CLOSING_BY_ITERATOR : CLOSING_BY_NETLINK;
}

bool reap_sees_all(const struct host *host)
{
	return host->walk[WALK_SURVEY] >= 0 && !feature_without("survey");
}

/* One pass at a time: the programs have one place to keep its figures in. A descriptor, or -errno. */
static int lock_pass(struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000 };
	int fd;

	if (mkdir(FOLDER, 0700) && errno != EEXIST)
		return fault_set(fault, errno, "cannot make " FOLDER ": %s", strerror(errno));
	fd = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, errno, FOLDER ": %s", strerror(errno));
	for (unsigned waited = 0; waited < PATIENCE; waited += PAUSE) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return fault_set(fault, EBUSY, "another pass over the sockets has been under way for %d s: try again later",
			 PATIENCE / 1000);
}

/* ---- telling the programs whose cgroups are tenants ---------------------------------------------------- */

static bool is_same(const struct sw_tenant *a, const struct sw_tenant *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* What was said before the last pass and holds no longer. Their number is as good as always the same. */
static int forget_owners(struct host *host, const struct sw_tenant *tenants, __u32 n, struct fault *fault)
{
	__u64 key, next;
	bool more = !bpf_map_get_next_key(host->map[MAP_owners], NULL, &next);
	struct sw_tenant owner;

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(host->map[MAP_owners], &key, &next);
		if (bpf_map_lookup_elem(host->map[MAP_owners], &key, &owner))
			continue;
		if (owner.slot < n && is_same(&owner, &tenants[owner.slot]))
			continue;
		if (bpf_map_delete_elem(host->map[MAP_owners], &key) && errno != ENOENT)
			return fault_set(fault, errno, "cannot write the map 'owners': %s", strerror(errno));
	}
	return 0;
}

static void note_timeout(__u32 timeout, struct reap_result *result)
{
	if (timeout && (!result->timeout || timeout < result->timeout))
		result->timeout = timeout;
}

static int name_owners(struct pass *pass, const struct sw_tenant *tenants, __u32 n, struct fault *fault)
{
	struct host *host = pass->host;

	for (__u32 slot = 1; slot < n; slot++) {
		const struct sw_tenant *tenant = &tenants[slot];

		if (!tenant->slot)
			continue;
		pass->levels |= 1U << tenant->level;
		note_timeout(host->settings[tenant->image].idle_timeout, pass->result);
		if (bpf_map_update_elem(host->map[MAP_owners], &tenant->cgroup, tenant, BPF_ANY))
			return fault_set(fault, errno, "cannot write the map 'owners': %s", strerror(errno));
	}
	return 0;
}

/* The storage of the cgroups is what is in force; the programs of a pass cannot read it. */
static int list_owners(struct pass *pass, struct fault *fault)
{
	struct host *host = pass->host;
	__u32 n = slots_end(host);
	struct sw_tenant *tenants = mem_alloc(n, sizeof(*tenants));
	int err;

	for_each_slot(slot, host->records, n, SLOTS_HELD)
		if (!storage_of_slot(host, slot, &tenants[slot]) || tenants[slot].level >= SW_LEVELS)
			tenants[slot] = (struct sw_tenant){ 0 };
	err = forget_owners(host, tenants, n, fault);
	if (!err)
		err = name_owners(pass, tenants, n, fault);
	free(tenants);
	return err;
}

/* Jiffies a second: the clock that is read from the last tick is as coarse as a tick. */
static __u32 jiffies_per_second(void)
{
	struct timespec tick;

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return 1000000000 / tick.tv_nsec;
}

/* Should its slot be another's before the pass is over, the programs notice. */
static int find_slot(const struct pass *pass, __u32 *slot, struct fault *fault)
{
	struct tenancy only = tenancy_numbered(pass->host, pass->options->tenancy);

	*slot = only.slot;
	return pass->options->tenancy ? tenancy_check(pass->host, only, SLOTS(ATTACHED), fault) : 0;
}

static int begin(struct pass *pass, struct fault *fault)
{
	const struct reap_options *options = pass->options;
	struct sw_pass last = { 0 }, begun = {
		.hz = jiffies_per_second(),
		.dry = options->dry,
		.idle = SW_NO_LIMIT,
		.pause = SW_PASS_STEP,
	};
	__u32 zero = 0;
	int err = list_owners(pass, fault);

	if (!err)
		err = find_slot(pass, &begun.slot, fault);
	if (err)
		return err;
	begun.levels = pass->levels;
	bpf_map_lookup_elem(pass->host->map[MAP_pass], &zero, &last);
	begun.number = last.number == ~0U ? 1 : last.number + 1;
	if (options->idle != SW_NO_LIMIT)
		begun.idle = options->idle * begun.hz;
	if (!bpf_map_update_elem(pass->host->map[MAP_pass], &zero, &begun, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the map 'pass': %s", strerror(errno));
}

/* ---- walking ------------------------------------------------------------------------------------------- */

static int open_walk(const struct host *host, enum walk walk, struct fault *fault)
{
	union bpf_iter_link_info info = { .map.map_fd = host->map[MAP_socks] };
	LIBBPF_OPTS(bpf_link_create_opts, options);
	int link, fd;

	if (walk == WALK_SURVEY) {
		options.iter_info = &info;
		options.iter_info_len = sizeof(info);
	}
	link = bpf_link_create(host->walk[walk], 0, BPF_TRACE_ITER, &options);
	if (link < 0)
		return fault_set(fault, errno, "cannot attach an iterator: %s", strerror(errno));
	fd = bpf_iter_create(link);
	if (fd < 0)
		fault_set(fault, errno, "cannot make an iterator: %s", strerror(errno));
	close(link);
	return fd < 0 ? -errno : fd;
}

#define FOUNDS_AT_ONCE 256 /* what the kernel keeps for a reader: 8 pages of 4 KiB */

/* Nanoseconds that this thread has been ready and others had the processor; 0 where the kernel keeps no account. */
static __u64 kept_waiting(const struct pass *pass)
{
	unsigned long long ns = 0;
	char text[96];
	ssize_t len = pread(pass->schedstat, text, sizeof(text) - 1, 0);

	if (len > 0) {
		text[len] = '\0';
		sscanf(text, "%*u %llu", &ns);
	}
	return ns;
}

/*
 * The kernel walks in read(), until our programs say that it is enough: then it says EAGAIN. So the processor is not
 * held for longer than that lasts, less what others had of it meanwhile. Our processor time would be too little, where
 * a machine under this one takes some for itself.
 */
static ssize_t read_on(struct pass *pass, int fd, struct sw_found *found)
{
	__u64 waited = kept_waiting(pass), since = clock_ns(CLOCK_MONOTONIC), held;
	ssize_t len = read(fd, found, FOUNDS_AT_ONCE * sizeof(*found));
	int err = errno;

	held = clock_ns(CLOCK_MONOTONIC) - since;
	waited = kept_waiting(pass) - waited;
	held -= waited < held ? waited : held;
	if (held > pass->result->longest)
		pass->result->longest = held;
	errno = err;
	return len;
}

static int walk(struct pass *pass, enum walk walk, struct fault *fault)
{
	struct sw_found found[FOUNDS_AT_ONCE];
	int fd = open_walk(pass->host, walk, fault), err = 0;
	ssize_t len;

	if (fd < 0)
		return fd;
	do {
		len = read_on(pass, fd, found);
		for (ssize_t i = 0; i < len / (ssize_t)sizeof(*found); i++)
			*list_add(&pass->found.of) = found[i];
	} while (len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR)));
	if (len < 0)
		err = fault_set(fault, errno, "cannot go on over the sockets: %s", strerror(errno));
	close(fd);
	return err;
}

/* A namespace that does not let us in, or nothing out, does not keep us from the others. */
static int note_miss(struct reap_result *result, int err, const struct fault *why)
{
	if (err == -ENOTRECOVERABLE)
		return err;
	if (err && !result->missed++)
		result->why = *why;
	return 0;
}

/* ---- the survey: what is kept on sockets, and the tables of every namespace ------------------------------- */

static int survey_in(struct pass *pass, const struct netns *space, int home, struct fault *fault)
{
	struct fault back;
	int err = netns_enter(space, fault);

	if (err)
		return err;
	err = walk(pass, WALK_SURVEY_TCP, fault);
	if (!err)
		err = walk(pass, WALK_SURVEY_UDP, fault);
	if (!netns_leave(home, &back))
		return err;
	*fault = back;
	return -ENOTRECOVERABLE;
}

static int survey_tables(struct pass *pass, struct fault *fault)
{
	struct netns *spaces = NULL;
	int home = netns_home(fault), n = home < 0 ? home : netns_open_every(&spaces, fault), err = n < 0 ? n : 0;

	for (int i = 0; i < n && !err; i++)
		err = note_miss(pass->result, survey_in(pass, &spaces[i], home, fault), fault);
	if (n > 0)
		netns_close_all(spaces, n);
	free(spaces);
	if (home >= 0)
		close(home);
	return err;
}

static int survey(struct pass *pass, struct fault *fault)
{
	int err = reap_sees_all(pass->host) ? walk(pass, WALK_SURVEY, fault) : 0;

	return err ? err : survey_tables(pass, fault);
}

/* ---- taking what is closed out of the tables ------------------------------------------------------------ */

static int by_space(const void *a, const void *b)
{
	const struct sw_found *x = a, *y = b;

	if (x->netns != y->netns)
		return x->netns < y->netns ? -1 : 1;
	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* The first behind `i` that is not of its namespace. */
static size_t end_of_space(const struct found_list *found, size_t i)
{
	__u64 netns = found->of.v[i].netns;

	while (i < found->of.n && found->of.v[i].netns == netns)
		i++;
	return i;
}

/* A stray that two processes have was found twice. */
static void sort(struct found_list *found)
{
	size_t n = 0;

	if (found->of.n)
		qsort(found->of.v, found->of.n, sizeof(*found->of.v), by_space);
	for (size_t i = 0; i < found->of.n; i++)
		if (!n || found->of.v[n - 1].cookie != found->of.v[i].cookie)
			found->of.v[n++] = found->of.v[i];
	found->of.n = n;
}

/* One by one, for there is no other way; those that are gone meanwhile are none of our concern. */
static int take_by_netlink(struct pass *pass, size_t from, size_t to, bool only_unmarked, struct fault *fault)
{
	int fd = sock_diag_open(fault);

	if (fd < 0)
		return fd;
	for (size_t i = from; i < to; i++) {
		const struct sw_found *found = &pass->found.of.v[i];
		struct fault why;

		if (only_unmarked && !found->unmarked)
			continue;
		if (found->bound && !sock_diag_destroy(fd, found, &why))
			pass->result->taken++;
	}
	close(fd);
	return 0;
}

static bool any_unmarked(const struct found_list *found, size_t from, size_t to)
{
	while (from < to)
		if (found->of.v[from++].unmarked)
			return true;
	return false;
}

static int take_here(struct pass *pass, size_t from, size_t to, struct fault *fault)
{
	int err;

	if (reap_by(pass->host) == CLOSING_BY_NETLINK)
		return take_by_netlink(pass, from, to, false, fault);
	err = walk(pass, WALK_TAKE_TCP, fault);
	if (!err)
		err = walk(pass, WALK_TAKE_UDP, fault);
	if (!err && any_unmarked(&pass->found, from, to))
		err = take_by_netlink(pass, from, to, true, fault);
	return err;
}

static bool any_bound(const struct found_list *found, size_t from, size_t to)
{
	while (from < to)
		if (found->of.v[from++].bound)
			return true;
	return false;
}

#define FILES_MAX 64 /* descriptors by which a namespace may be looked for: any one of them will do */

struct spaces {
	LIST(struct netns) of;
	__u64 *files; /* one for each that was found */
};

static void list_spaces(const struct found_list *found, struct spaces *spaces)
{
	spaces->files = mem_alloc(found->of.n, sizeof(*spaces->files));
	for (size_t i = 0; i < found->of.n; i++)
		spaces->files[i] = found->of.v[i].file;
	for (size_t i = 0, end; i < found->of.n; i = end) {
		end = end_of_space(found, i);
		if (any_bound(found, i, end))
			*list_add(&spaces->of) = (struct netns){
				.cookie = found->of.v[i].netns,
				.inode = found->of.v[i].inode,
				.files = spaces->files + i,
				.n_files = end - i < FILES_MAX ? end - i : FILES_MAX,
				.fd = -1,
			};
	}
}

static int take_in(struct pass *pass, const struct netns *space, size_t from, size_t to, int home, struct fault *fault)
{
	struct fault back;
	int err = netns_enter(space, fault);

	if (err)
		return err;
	err = take_here(pass, from, to, fault);
	if (netns_leave(home, &back)) {
		*fault = back;
		return -ENOTRECOVERABLE;
	}
	return err;
}

static int take_spaces(struct pass *pass, const struct spaces *spaces, struct fault *fault)
{
	int home = netns_home(fault), err = home < 0 ? home : 0;
	size_t space = 0;

	for (size_t i = 0, end; i < pass->found.of.n && !err; i = end) {
		end = end_of_space(&pass->found, i);
		if (space == spaces->of.n || spaces->of.v[space].cookie != pass->found.of.v[i].netns)
			continue;
		if (spaces->of.v[space].fd >= 0)
			err = note_miss(pass->result, take_in(pass, &spaces->of.v[space], i, end, home, fault), fault);
		space++;
	}
	if (home >= 0)
		close(home);
	return err;
}

static int take(struct pass *pass, struct fault *fault)
{
	struct spaces spaces = { 0 };
	int err = 0;

	list_spaces(&pass->found, &spaces);
	pass->result->spaces = spaces.of.n;
	if (spaces.of.n) {
		err = netns_open_all(spaces.of.v, spaces.of.n, fault);
		err = err < 0 ? err : take_spaces(pass, &spaces, fault);
		netns_close_all(spaces.of.v, spaces.of.n);
	}
	free(spaces.of.v);
	free(spaces.files);
	return err;
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

static int finish(struct pass *pass, struct fault *fault)
{
	struct reap_result *result = pass->result;
	struct sw_pass ended;
	__u64 bound = 0;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(pass->host->map[MAP_pass], &zero, &ended))
		return fault_set(fault, errno, "cannot read the map 'pass': %s", strerror(errno));
	result->seen = ended.seen;
	result->taken += ended.closed;
	for (size_t i = 0; i < pass->found.of.n; i++)
		bound += pass->found.of.v[i].bound;
	if (!pass->options->dry && bound > result->taken)
		result->stuck = bound - result->taken;
	return 0;
}

static int make_pass(struct pass *pass, struct fault *fault)
{
	int err = begin(pass, fault);

	if (err || !pass->levels) /* there are no tenants */
		return err;
	err = walk(pass, WALK_STRAYS, fault);
	if (!err)
		err = survey(pass, fault);
	sort(&pass->found);
	if (!err && !pass->options->dry)
		err = take(pass, fault);
	return err ? err : finish(pass, fault);
}

int reap_pass(struct host *host, const struct reap_options *options,
	      void (*each)(const struct sw_found *found, void *data), void *data, struct reap_result *result,
	      struct fault *fault)
{
	struct pass pass = { .host = host, .options = options, .result = result };
	__u64 began, cpu;
	int lock = lock_pass(fault), err;

	*result = (struct reap_result){ 0 };
	if (lock < 0)
		return lock;
	began = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	pass.schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	err = make_pass(&pass, fault);
	for (size_t i = 0; i < pass.found.of.n; i++) {
		if (!pass.found.of.v[i].fresh)
			continue;
		result->found++;
		each(&pass.found.of.v[i], data);
	}
	result->lasted = clock_ns(CLOCK_MONOTONIC) - began;
	result->cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	free(pass.found.of.v);
	close(pass.schedstat);
	close(lock);
	return err;
}
