// SPDX-License-Identifier: GPL-2.0-only
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "census.h"
#include "storage.h"
#include "walk.h"

static void add_task(void *data, const void *record)
{
	const struct sw_task *task = record;
	struct census *census = data;

	if (task->files)
		*list_add(&census->tables.of) = (struct census_item){
			.id = task->files,
			.slot = task->slot,
			.number = task->thread,
		};
	if (task->netns)
		*list_add(&census->spaces.of) = (struct census_item){
			.id = task->netns,
			.slot = task->slot,
			.number = task->inode,
			.thread = task->thread,
		};
}

static int order(__u64 a, __u64 b)
{
	return (a > b) - (a < b);
}

static int by_owner(const void *a, const void *b)
{
	const struct census_item *x = a, *y = b;

	return order(x->slot, y->slot);
}

static int by_id(const void *a, const void *b)
{
	const struct census_item *x = a, *y = b;

	return order(x->id, y->id);
}

static int by_number(const void *a, const void *b)
{
	const struct census_item *x = a, *y = b;

	return order(x->number, y->number);
}

static int by_owner_id(const void *a, const void *b)
{
	int order = by_owner(a, b);

	return order ? order : by_id(a, b);
}

static int by_owner_number(const void *a, const void *b)
{
	int order = by_owner(a, b);

	return order ? order : by_number(a, b);
}

static int by_id_owner(const void *a, const void *b)
{
	int order = by_id(a, b);

	return order ? order : by_owner(a, b);
}

typedef int compare_fn(const void *a, const void *b);

static void sort(struct census_list *list, compare_fn *compare)
{
	if (list->of.n)
		qsort(list->of.v, list->of.n, sizeof(*list->of.v), compare);
}

/* In that order; of those that are alike by `same` the first stays. */
static void keep_first(struct census_list *list, compare_fn *compare, compare_fn *same)
{
	size_t n = 0;

	sort(list, compare);
	for (size_t i = 0; i < list->of.n; i++)
		if (!n || same(&list->of.v[n - 1], &list->of.v[i]))
			list->of.v[n++] = list->of.v[i];
	list->of.n = n;
}

/* One tenant's items, which are in order by number: its turn comes first. */
static void rotate(struct census_item *items, size_t n, __u32 turn)
{
	struct census_item *all = mem_alloc(n, sizeof(*all));
	size_t first = 0;

	while (first < n && items[first].number < turn)
		first++;
	for (size_t i = 0; i < n; i++)
		all[i] = items[(first + i) % n];
	memcpy(items, all, n * sizeof(*all));
	free(all);
}

static void leave_out_resting(struct census_list *list, const struct shares *shares, struct census *census,
			      const struct host *host)
{
	__u32 last = 0;
	size_t n = 0;

	for (size_t i = 0; i < list->of.n; i++) {
		__u32 slot = list->of.v[i].slot;

		if (!share_rests(shares, slot))
			list->of.v[n++] = list->of.v[i];
		else if (slot != last)
			census_leave_out(census, host, slot);
		last = slot;
	}
	list->of.n = n;
}

void census_leave_out(struct census *census, const struct host *host, __u32 slot)
{
	struct sw_tenant tenant;

	if (!census->partial && storage_of_slot(host, slot, &tenant))
		census->partial = host->settings[tenant.image].transfer || host->settings[tenant.image].audit;
}

/* The list is in order by owner and number. */
static void put_in_turn(struct census_list *list, struct shares *shares, enum share_of of)
{
	size_t n = list->of.n;

	for (size_t i = 0, end; i < n; i = end) {
		__u32 slot = list->of.v[i].slot;

		for (end = i; end < n && list->of.v[end].slot == slot;)
			end++;
		rotate(&list->of.v[i], end - i, share_next(shares, slot, of));
	}
}

static bool is_listed(const struct census_list *spaces, ino_t inode)
{
	for (size_t i = 0; i < spaces->of.n; i++)
		if (spaces->of.v[i].number == inode)
			return true;
	return false;
}

/* Those that no thread lives in; only root can have mounted them here. */
static void add_mounts(struct census_list *spaces)
{
	FILE *mounts = setmntent("/proc/thread-self/mounts", "r");
	const struct mntent *mount;
	struct stat stat;

	while (mounts && (mount = getmntent(mounts)))
		if (!strcmp(mount->mnt_type, "nsfs") && !lstat(mount->mnt_dir, &stat) &&
		    !is_listed(spaces, stat.st_ino))
			*list_add(&spaces->of) = (struct census_item){
				.number = stat.st_ino,
				.mount = mem_strdup(mount->mnt_dir),
			};
	if (mounts)
		endmntent(mounts);
}

int census_take(const struct host *host, struct shares *shares, struct census *census, struct fault *fault)
{
	const struct walking walking = {
		.walk = WALK_CENSUS,
		.size = sizeof(struct sw_task),
		.each = add_task,
		.data = census,
	};
	int err;

	*census = (struct census){ 0 };
	err = walk(host, &walking, fault);
	if (err) {
		census_free(census);
		return err;
	}
	/* first of all, for a namespace that others share with who rests is theirs meanwhile */
	leave_out_resting(&census->tables, shares, census, host);
	leave_out_resting(&census->spaces, shares, census, host);
	/* a table that two tenants share is gone through for each: it matters whose process has it */
	keep_first(&census->tables, by_owner_id, by_owner_id);
	sort(&census->tables, by_owner_number);
	keep_first(&census->spaces, by_id_owner, by_id);
	sort(&census->spaces, by_owner_number);
	put_in_turn(&census->tables, shares, SHARE_TABLES);
	put_in_turn(&census->spaces, shares, SHARE_SPACES);
	add_mounts(&census->spaces);
	return 0;
}

void census_free(struct census *census)
{
	for (size_t i = 0; i < census->spaces.of.n; i++)
		free(census->spaces.of.v[i].mount);
	free(census->tables.of.v);
	free(census->spaces.of.v);
	*census = (struct census){ 0 };
}

__u32 census_thread(const struct census *census, __u64 cookie)
{
	for (size_t i = 0; i < census->spaces.of.n; i++)
		if (census->spaces.of.v[i].id == cookie)
			return census->spaces.of.v[i].thread;
	return 0;
}
