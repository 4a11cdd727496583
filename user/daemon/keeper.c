// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was attached is attached again: when its cgroup was removed and is made anew (a service that restarts), and
 * after a boot. What a file of a tenant names is attached when it is made. Which tenants that are the kernel's state
 * says (user/kern/wanted.h), and over a boot a file beside the ledger. inotify says when a cgroup is made or removed;
 * every few seconds all is looked at again, for what inotify missed.
 *
 * A process of its own: attaching needs rights that whoever talks to others should not have, and must not wait for a
 * pass over the sockets.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "daemon.h"
#include "named.h"
#include "notes.h"
#include "say.h"
#include "state.h"
#include "wanted.h"

#define LOOK_AGAIN   10000 /* ms */
#define TRY_AGAIN    10000 /* ms until what failed is tried again; doubled each time, */
#define TRY_AGAIN_AT 60000 /* but no longer than this */

/* A tenancy that the last look found. */
struct known {
	__u64 tenancy;
	char name[SW_NAME_MAX];
	char path[SW_PATH_MAX];
	char policy[SW_PATH_MAX];
};

struct known_list {
	LIST(struct known) of; /* by tenancy */
};

/* A tenant that could not be attached again. */
struct trouble {
	char name[SW_NAME_MAX];
	__u64 cgroup; /* the one that it was tried with: another is tried at once */
	__s64 next;   /* when it is tried again, milliseconds of the boot clock */
	__s64 wait;   /* milliseconds */
};

/* The last policy that was needed: many tenants may have one. */
struct compiled {
	char *source;        /* NULL: none was */
	struct image *image; /* NULL: it has mistakes */
};

struct keeper {
	struct host *host;
	struct notes notes;
	int go;      /* eventfd: all is to be tried at once, whatever failed before */
	int tenants; /* the daemon asks for the files of tenants to be applied */
	int made;    /* inotify: directories of cgroups are made and removed */
	int changes; /* tenants are attached and detached */
	struct known_list known;
	LIST(struct trouble) troubles;
	struct compiled compiled;
	bool untidy;  /* there may be policies that nobody uses */
	__u32 pace;   /* how many of them are taken out at once */
	__u64 old;    /* serials up to it were given out long ago: what has one is not about to be used */
	__u64 recent; /* the last serial when that was noted, */
	__s64 noted;  /* which was then */
	__s64 tidied; /* when they were last looked for, milliseconds of the boot clock */
};

/* ---- what has ended or changed, in a line each --------------------------------------------------------------------- */

static int by_tenancy(const void *a, const void *b)
{
	__u64 x = ((const struct known *)a)->tenancy, y = ((const struct known *)b)->tenancy;

	return x < y ? -1 : x > y;
}

static struct known_list list_known(const struct host *host)
{
	struct known_list list = { 0 };

	for_each_slot_of(slot, host, SLOTS(ATTACHED)) {
		const struct sw_record *record = &host->records[slot];
		struct known *known;

		if (!cgroup_alive(host->cgroups, record->cgroup))
			continue;
		known = list_add(&list.of);
		known->tenancy = record->tenancy;
		memcpy(known->name, record->name, sizeof(known->name));
		memcpy(known->path, record->path, sizeof(known->path));
		memcpy(known->policy, record->policy, sizeof(known->policy));
	}
	if (list.of.n)
		qsort(list.of.v, list.of.n, sizeof(*list.of.v), by_tenancy);
	return list;
}

static const struct known *find_known(const struct known_list *list, const struct known *known)
{
	return list->of.n ? bsearch(known, list->of.v, list->of.n, sizeof(*known), by_tenancy) : NULL;
}

static void tell_ended(const struct known *known, const struct wanted_list *wanted)
{
	struct about about = { JOURNAL_ENDED, JOURNAL_NOTICE, known->name, known->policy, NULL, known->path };

	if (!wanted_find(wanted, known->name))
		warn_about(&about, "tenant %s has ended: it was detached, or its command has ended", known->name);
	else if (!cgroup_id(known->path))
		warn_about(&about, "tenant %s has ended: %s was removed; it is attached again when that is made anew",
			   known->name, known->path);
	else
		warn_about(&about, "tenant %s has ended: %s was removed, and made anew", known->name, known->path);
}

static void tell_policy(const struct known *before, const struct known *now)
{
	struct about about = { JOURNAL_POLICY, JOURNAL_NOTICE, now->name, now->policy, before->policy, now->path };

	if (strcmp(before->policy, now->policy) != 0)
		warn_about(&about, "tenant %s has another policy: %s, and had %s", now->name, now->policy,
			   before->policy);
}

static void look_for_changes(struct keeper *keeper, const struct wanted_list *wanted)
{
	struct known_list now = list_known(keeper->host);

	for (size_t i = 0; i < keeper->known.of.n; i++) {
		const struct known *before = &keeper->known.of.v[i], *after = find_known(&now, before);

		if (after)
			tell_policy(before, after);
		else
			tell_ended(before, wanted);
	}
	free(now.of.v);
}

/* ---- attaching again ------------------------------------------------------------------------------------- */

static struct trouble *find_trouble(struct keeper *keeper, const char *name)
{
	for (size_t i = 0; i < keeper->troubles.n; i++)
		if (!strcmp(keeper->troubles.v[i].name, name))
			return &keeper->troubles.v[i];
	return NULL;
}

static bool is_due(struct keeper *keeper, const char *name, __u64 cgroup)
{
	const struct trouble *trouble = find_trouble(keeper, name);

	return !trouble || trouble->cgroup != cgroup || clock_ms(CLOCK_BOOTTIME) >= trouble->next;
}

static void note_trouble(struct keeper *keeper, const char *name, __u64 cgroup)
{
	struct trouble *trouble = find_trouble(keeper, name);

	if (!trouble) {
		trouble = list_add(&keeper->troubles);
		snprintf(trouble->name, sizeof(trouble->name), "%s", name);
	}
	if (trouble->cgroup != cgroup)
		trouble->wait = TRY_AGAIN / 2;
	trouble->cgroup = cgroup;
	trouble->wait = trouble->wait < TRY_AGAIN_AT / 2 ? 2 * trouble->wait : TRY_AGAIN_AT;
	trouble->next = clock_ms(CLOCK_BOOTTIME) + trouble->wait;
}

static void forget_trouble(struct keeper *keeper, const char *name)
{
	struct trouble *trouble = find_trouble(keeper, name);

	if (trouble)
		*trouble = keeper->troubles.v[--keeper->troubles.n];
}

/* Whole, and in the cgroup that is there now. */
static bool is_attached(const struct host *host, const struct wanted *wanted)
{
	struct tenancy of = tenancy_named(host, wanted->name.text);

	return of.number && !strcmp(tenancy_record(host, of)->path, wanted->is.path) && tenancy_is_whole(host, of);
}

/*
 * What was read before the lock was there may be so no more: someone may have detached it, or attached it himself; then
 * `*done` is false. `by` is the note that it is attached for: its own, or that of many.
 */
static int attach_again(struct host *host, const struct wanted *by, const struct wanted *wanted,
			const struct cgroup *cgroup, const struct image *image, bool *done, struct fault *fault)
{
	const struct attachment as = {
		.name = wanted->name.text,
		.policy = wanted->is.policy,
		.image = image,
		.wanted = by == wanted,
	};
	struct tenancy of;
	int err = host_lock(host, HOST_PATIENCE, fault);

	*done = !err && wanted_is(host, by) && !is_attached(host, wanted);
	if (*done)
		err = tenancy_attach(host, cgroup, &as, &of, fault);
	host_unlock(host);
	return err;
}

static void forget_compiled(struct keeper *keeper)
{
	free(keeper->compiled.source);
	image_free(keeper->compiled.image);
	keeper->compiled = (struct compiled){ 0 };
}

static const struct image *policy_of(struct keeper *keeper, const char *source)
{
	struct compiled *compiled = &keeper->compiled;
	char *resolved = policy_resolve(source);

	if (!compiled->source || strcmp(compiled->source, resolved)) {
		forget_compiled(keeper);
		compiled->image = policy_compile(resolved, false, stderr);
		compiled->source = mem_strdup(resolved);
	}
	free(resolved);
	return compiled->image;
}

static int protect(struct keeper *keeper, const struct wanted *by, const struct wanted *wanted,
		   const struct cgroup *cgroup, const char *wrong)
{
	const struct image *image = wrong ? NULL : policy_of(keeper, wanted->is.policy);
	struct about about = { JOURNAL_ATTACHED,  JOURNAL_NOTICE, wanted->name.text,
			       wanted->is.policy, NULL,           wanted->is.path };
	struct fault fault;
	bool done = false;
	int err = image   ? attach_again(keeper->host, by, wanted, cgroup, image, &done, &fault)
		  : wrong ? fault_set(&fault, EINVAL, "%.400s", wrong)
			  : fault_set(&fault, EINVAL, "its policy has mistakes");

	if (err && cgroup_id(wanted->is.path) != cgroup->id)
		return 0; /* it was removed meanwhile, or made anew: that is looked at next */
	if (err) {
		about.message = JOURNAL_UNPROTECTED;
		about.priority = JOURNAL_ALERT;
		warn_about(&about, "tenant %s is UNPROTECTED: %s is there, but cannot be attached: %s",
			   wanted->name.text, wanted->is.path, fault.text);
	} else if (done) {
		warn_about(&about, "tenant %s is attached%s: %s, policy %s", wanted->name.text,
			   by == wanted ? " again" : "", wanted->is.path, wanted->is.policy);
		tenancy_warn_of_place(wanted->name.text, cgroup, warn);
	}
	return err;
}

/* Its directory, or the nearest above it that there is, says when something is made in it. */
static void watch_for(struct keeper *keeper, const char *path)
{
	char above[SW_PATH_MAX];
	char *slash;

	snprintf(above, sizeof(above), "%s", path);
	while ((slash = strrchr(above, '/')) && slash != above) {
		*slash = '\0';
		if (inotify_add_watch(keeper->made, above, IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR) >= 0)
			return;
	}
}

static void watch_folder(const char *path, void *data)
{
	const struct keeper *keeper = data;

	inotify_add_watch(keeper->made, path, IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR);
}

/* Likewise all that match what stands before one of the pattern's slashes. */
static void watch_for_many(struct keeper *keeper, const char *pattern)
{
	const char *first = strpbrk(pattern, "*?[");
	char folder[SW_PATH_MAX];

	watch_for(keeper, pattern);
	for (const char *slash = first ? strchr(first, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - pattern), pattern);
		cgroup_match(folder, watch_folder, keeper);
	}
}

/* `wrong`: why it cannot be; NULL: it can. */
static void keep(struct keeper *keeper, const struct wanted *by, const struct wanted *wanted, const char *wrong)
{
	struct cgroup cgroup;
	struct fault ignored, why;

	if (is_attached(keeper->host, wanted)) {
		forget_trouble(keeper, wanted->name.text);
		return;
	}
	if (cgroup_open(&cgroup, wanted->is.path, &ignored))
		return;
	if (by != wanted && !wrong && cgroup_keeps(&cgroup, &why) == -EPERM)
		wrong = why.text; /* whoever may make directories there would make as many tenants as he likes */
	if (is_due(keeper, wanted->name.text, cgroup.id)) {
		if (protect(keeper, by, wanted, &cgroup, wrong))
			note_trouble(keeper, wanted->name.text, cgroup.id);
		else
			forget_trouble(keeper, wanted->name.text);
	}
	cgroup_close(&cgroup);
}

struct matching {
	struct keeper *keeper;
	const struct wanted *by;
};

static void keep_match(const char *path, void *data)
{
	const struct matching *of = data;
	struct wanted one = *of->by;
	char *name = tenant_name_of(path);
	const char *wrong;

	snprintf(one.name.text, sizeof(one.name.text), "%s", name);
	snprintf(one.is.path, sizeof(one.is.path), "%s", path);
	wrong = tenant_name_check(name);
	keep(of->keeper, of->by, &one, wrong ? "its directory cannot name a tenant" : NULL);
	free(name);
}

/* A watch is set before we look, or something may be made in between. */
static void keep_wanted(struct keeper *keeper, const struct wanted *wanted)
{
	if (!wanted_is_many(wanted)) {
		watch_for(keeper, wanted->is.path);
		keep(keeper, wanted, wanted, NULL);
		return;
	}
	watch_for_many(keeper, wanted->is.path);
	cgroup_match(wanted->is.path, keep_match, &(struct matching){ keeper, wanted });
}

/* ---- the process ------------------------------------------------------------------------------------------ */

static void look(struct keeper *keeper)
{
	struct wanted_list wanted;
	struct fault fault;

	if (wanted_read(keeper->host, &wanted, &fault)) {
		warn("%s", fault.text);
	} else {
		look_for_changes(keeper, &wanted);
		for (size_t i = 0; i < wanted.of.n; i++)
			keep_wanted(keeper, &wanted.of.v[i]);
		forget_compiled(keeper);
		notes_save(&keeper->notes, keeper->host->epoch, &wanted);
	}
	wanted_free(&wanted);
	free(keeper->known.of.v);
	keeper->known = list_known(keeper->host);
}

static void drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
}

#define SPARE  5000 /* ms after it was put there that a policy may not be used yet */
#define SETTLE 1000 /* ms after the last change until what nobody uses any more is taken out */

/* Policies read anew are in the kernel some seconds before tenants are moved to them. */
static void note_age(struct keeper *keeper, __s64 now)
{
	struct fault ignored;

	if (now - keeper->noted < SPARE)
		return;
	keeper->old = keeper->recent;
	keeper->noted = now;
	host_last_serial(keeper->host, &keeper->recent, &ignored);
}

/*
 * Policies that nobody uses are taken out, and freed in pieces: the commands that left them, and the daemon, need not
 * wait for the grace periods. Returns how long to wait for more of it, in ms.
 */
static int tidy(struct keeper *keeper)
{
	__s64 began = clock_ms(CLOCK_BOOTTIME);
	struct fault ignored;
	int more = 0;

	note_age(keeper, began);
	if (keeper->untidy && !host_lock(keeper->host, 0, &ignored)) {
		more = publish_collect(keeper->host, keeper->pace, keeper->old, &ignored);
		host_unlock(keeper->host);
		keeper->untidy = more != 0;
		keeper->pace = publish_pace(keeper->pace, clock_ms(CLOCK_BOOTTIME) - began);
	}
	keeper->tidied = clock_ms(CLOCK_BOOTTIME);
	return publish_drain(keeper->host) || more == COLLECT_MORE ? PUBLISH_PAUSE
	       : keeper->untidy                                    ? SETTLE
								   : LOOK_AGAIN;
}

/* Sleeps until tenants, policies or cgroups have changed, or it is time to look again in any case. */
static void sleep_until_changed(struct keeper *keeper)
{
	struct pollfd wake[] = {
		{ .fd = keeper->go, .events = POLLIN },
		{ .fd = keeper->made, .events = POLLIN },
		{ .fd = keeper->changes, .events = POLLIN },
		{ .fd = keeper->tenants, .events = POLLIN },
	};
	__s64 began = clock_ms(CLOCK_BOOTTIME);
	int pause = SETTLE;

	keeper->untidy = true;
	if (began - keeper->tidied > LOOK_AGAIN) /* it never comes to rest */
		pause = tidy(keeper);
	while (poll(wake, 4, pause) == 0 && pause < LOOK_AGAIN && clock_ms(CLOCK_BOOTTIME) - began < LOOK_AGAIN)
		pause = tidy(keeper);
	if (wake[0].revents)
		keeper->troubles.n = 0;
	drain(keeper->go);
	drain(keeper->made);
	drain(keeper->changes);
	if (wake[3].revents)
		tenants_answer(keeper->host, keeper->tenants);
}

static int begin(struct keeper *keeper, struct fault *fault)
{
	struct pollfd go = { .fd = keeper->go, .events = POLLIN };
	int err;

	if (poll(&go, 1, -1) < 0)
		return fault_set(fault, errno, "cannot wait for the daemon: %s", strerror(errno));
	drain(keeper->go);
	keeper->changes = host_changes(fault);
	if (keeper->changes < 0)
		return keeper->changes;
	keeper->made = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (keeper->made < 0)
		return fault_set(fault, errno, "cannot watch cgroups: %s", strerror(errno));
	err = host_lock(keeper->host, HOST_PATIENCE, fault);
	if (!err)
		err = notes_load(&keeper->notes, keeper->host, fault);
	host_unlock(keeper->host);
	if (!err)
		tenants_apply(keeper->host, false, stderr); /* what is wrong is said, and we go on */
	return err;
}

static int run(struct daemon *daemon, struct fault *fault)
{
	struct keeper keeper = {
		.pace = PUBLISH_PACE,
		.host = &daemon->host,
		.notes = notes_beside(daemon->options.ledger),
		.go = daemon->go,
		.tenants = daemon->tenants[1],
	};
	int err = begin(&keeper, fault);

	while (!err) {
		look(&keeper);
		sleep_until_changed(&keeper);
		err = host_current(keeper.host, fault);
	}
	return err;
}

int keeper_start(struct daemon *daemon, struct fault *fault)
{
	daemon->go = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (daemon->go < 0)
		return fault_set(fault, errno, "cannot make an eventfd: %s", strerror(errno));
	if (tenants_open(daemon, fault))
		return -EIO;
	daemon->keeper = (struct child){
		.source.fd = -1,
		.name = "sockwarden-keep",
		.keep_rights = rights_keep_keeper,
		.run = run,
	};
	return child_start(daemon, &daemon->keeper, fault);
}

void keeper_go(const struct daemon *daemon)
{
	eventfd_write(daemon->go, 1);
}
