// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cgroup.h"
#include "links.h"
#include "mem.h"
#include "standing.h"

/* A watch of 0: the kernel is to be asked. */
struct standing {
	__u64 tenancy; /* what follows is of no other */
	int above;     /* watch of the folder that its cgroup is in, which is said to have lost it */
	int links;     /* of the folder of its links */
	__u32 name;    /* hash of what the cgroup is called there */
};

struct standings {
	int inotify;
	struct standing of[SW_TENANTS_MAX];
};

struct standings *standings_new(void)
{
	struct standings *standings = mem_alloc(1, sizeof(*standings));

	standings->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return standings;
}

void standings_free(struct standings *standings)
{
	if (standings && standings->inotify >= 0)
		close(standings->inotify);
	free(standings);
}

/* ---- what is watched ----------------------------------------------------------------------------------------- */

static __u32 hash_of(const char *name)
{
	__u32 hash = 0x811c9dc5;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 0x01000193;
	return hash;
}

/* A watch, or 0. */
static int watch(const struct standings *standings, const char *folder, __u32 what)
{
	int number = inotify_add_watch(standings->inotify, folder, what | IN_ONLYDIR);

	return number < 0 ? 0 : number;
}

/* A folder that was removed stays in memory for as long as it is watched, and cgroups never say that they were. */
static void leave(struct standings *standings, struct standing *standing)
{
	int above = standing->above;

	standing->above = 0;
	for (__u32 slot = 1; above && slot < SW_TENANTS_MAX; slot++)
		if (standings->of[slot].above == above)
			return;
	if (above)
		inotify_rm_watch(standings->inotify, above);
}

static void forget(struct standings *standings, struct standing *standing)
{
	leave(standings, standing);
	*standing = (struct standing){ 0 };
}

/* What is known of it; NULL: the kernel is to be asked. */
static struct standing *find(struct standings *standings, struct tenancy of)
{
	struct standing *standing = standings ? &standings->of[of.slot] : NULL;

	if (!standing || standings->inotify < 0)
		return NULL;
	if (standing->tenancy != of.number)
		forget(standings, standing);
	standing->tenancy = of.number;
	return standing;
}

/* ---- what is said -------------------------------------------------------------------------------------------- */

static void hear_one(struct standings *standings, const struct inotify_event *event)
{
	__u32 name = event->len ? hash_of(event->name) : 0;

	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++) {
		struct standing *standing = &standings->of[slot];

		if (standing->links == event->wd)
			standing->links = 0;
		if (standing->above == event->wd && (!event->len || standing->name == name))
			leave(standings, standing);
	}
}

static void forget_all(struct standings *standings)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		forget(standings, &standings->of[slot]);
}

static void hear_all(struct standings *standings, const char *at, const char *end)
{
	const struct inotify_event *event;

	for (; at < end; at += sizeof(*event) + event->len) {
		event = (const struct inotify_event *)at;
		if (event->mask & IN_Q_OVERFLOW)
			forget_all(standings);
		else
			hear_one(standings, event);
	}
}

void standings_hear(struct standings *standings)
{
	char events[65536] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while (standings->inotify >= 0 && (n = read(standings->inotify, events, sizeof(events))) > 0)
		hear_all(standings, events, events + n);
}

/* ---- what is asked ------------------------------------------------------------------------------------------- */

/* The watch comes first: what is removed from then on is heard of. By its path, if that leads to it from here. */
static bool begin_above(struct standings *standings, struct standing *standing, const struct sw_record *record)
{
	char above[SW_PATH_MAX];
	char *name;

	memcpy(above, record->path, sizeof(above));
	name = strrchr(above, '/');
	if (!name || name == above)
		return false;
	*name++ = '\0';
	standing->name = hash_of(name);
	standing->above = watch(standings, above, IN_DELETE);
	if (standing->above && cgroup_id(record->path) == record->cgroup)
		return true;
	leave(standings, standing);
	return false;
}

bool standing_lives(struct standings *standings, const struct host *host, struct tenancy of)
{
	const struct sw_record *record = tenancy_record(host, of);
	struct standing *standing = find(standings, of);

	if (standing && (standing->above || begin_above(standings, standing, record)))
		return true;
	return cgroup_alive(host->cgroups, record->cgroup) != 0;
}

/* Whatever happens to them is said once, and the watch is gone. */
#define LINKS_CHANGE (IN_DELETE | IN_MOVED_FROM | IN_MOVE_SELF | IN_ONESHOT)

bool standing_whole(struct standings *standings, const struct host *host, struct tenancy of)
{
	const struct sw_record *record = tenancy_record(host, of);
	struct standing *standing = find(standings, of);
	char path[256];

	if (standing && standing->links)
		return true;
	if (standing)
		standing->links = watch(standings, links_folder(path, record), LINKS_CHANGE);
	if (links_whole(host, record))
		return true;
	if (standing)
		standing->links = 0;
	return false;
}
