// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "feature.h"
#include "netns.h"
#include "sock_diag.h"
#include "take.h"
#include "walk.h"

#define AT_ONCE 8  /* workers */
#define FILES   64 /* descriptors by which a namespace may be looked for: any one of them will do */

/* The kernel has to be asked for it: it is a matter of how it was built. By netlink, since that goes to one socket at
 * a time and waits for no other. */
enum closing_by take_by(const struct host *host)
{
	static enum closing_by can = CLOSING_UNKNOWN;
	bool walks = host->walk[WALK_TAKE_TCP] >= 0 && host->walk[WALK_TAKE_UDP] >= 0;

	if (can == CLOSING_UNKNOWN)
		can = sock_diag_destroys() || !walks ? CLOSING_BY_NETLINK : CLOSING_BY_ITERATOR;
	return walks && feature_without("netlink-destroy") ? CLOSING_BY_ITERATOR : can;
}

/* ---- in the worker -------------------------------------------------------------------------------------- */

/* A table of descriptors. */
struct table {
	__u64 files;  /* sw_task.files */
	__u32 thread; /* one that has it */
};

struct job {
	struct take *take;
	const struct take_group *group;
	struct found_list list;
	LIST(struct table) tables; /* of descriptors: those of who called */
	__u64 until; /* ns of our processor time: then that is left to a later pass which there is no time for */
	int out;
};

static __u64 spent(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static bool has_time(const struct job *job)
{
	return spent() < job->until;
}

static void say_taken(const struct job *job, size_t at, __u32 n)
{
	worker_say(job->out, &(struct saying){ .what = SAID_TAKEN, .at = at, .n = n });
}

static void take_each(const struct job *job, size_t from, size_t to)
{
	struct fault why;
	int fd = sock_diag_open(&why);

	if (fd < 0) {
		worker_say_missed(job->out, &why);
		return;
	}
	for (size_t i = from; i < to && has_time(job); i++) {
		const struct sw_found *found = &job->list.of.v[i];

		say_taken(job, i + 1, found->bound && !sock_diag_destroy(fd, found, &why));
	}
	close(fd);
}

/* A walk that fails is told of; what there is beside it is gone through all the same. */
static void go_over(const struct job *job, const struct walking *walking)
{
	struct fault why;

	if (walk(job->take->host, walking, &why))
		worker_say_missed(job->out, &why);
}

static __u64 closed_so_far(const struct host *host)
{
	struct sw_pass pass = { 0 };
	__u32 key = SW_PASS_WHOLE;

	bpf_map_lookup_elem(host->map[MAP_pass], &key, &pass);
	return pass.closed;
}

/* Whatever is marked, be it of the list or not: there is no other way. */
static void take_all(const struct job *job, size_t to)
{
	const struct host *host = job->take->host;
	__u64 before = closed_so_far(host);

	go_over(job, &(struct walking){ .walk = WALK_TAKE_TCP, .size = 1 });
	go_over(job, &(struct walking){ .walk = WALK_TAKE_UDP, .size = 1 });
	say_taken(job, to, closed_so_far(host) - before);
}

/* The first behind `i` that is not of its namespace. */
static size_t end_of_space(const struct found_list *list, size_t i)
{
	__u64 netns = list->of.v[i].netns;

	while (i < list->of.n && list->of.v[i].netns == netns)
		i++;
	return i;
}

static __u32 where_is(const struct job *job, const struct sw_found *found)
{
	__u32 thread = job->take->census ? census_thread(job->take->census, found->netns) : 0;

	return thread ? thread : found->pid; /* who made it, mostly */
}

/* One namespace at a time, so that their number is no matter. */
static void take_in_space(const struct job *job, size_t from, size_t to)
{
	const struct sw_found *first = &job->list.of.v[from];
	__u64 files[FILES];
	struct netns space = {
		.cookie = first->netns,
		.inode = first->inode,
		.files = files,
		.n_files = to - from < FILES ? to - from : FILES,
		.thread = where_is(job, first),
	};
	struct fault why;

	for (size_t i = 0; i < space.n_files; i++)
		files[i] = job->list.of.v[from + i].file;
	if (netns_open_all(&space, 1, &why) < 0 || (space.fd >= 0 && netns_enter(&space, &why)))
		worker_say_missed(job->out, &why);
	else if (space.fd >= 0 && take_by(job->take->host) == CLOSING_BY_NETLINK)
		take_each(job, from, to);
	else if (space.fd >= 0)
		take_all(job, to);
	netns_close_all(&space, 1);
}

static void add_found(void *data, const void *record)
{
	struct job *job = data;
	struct saying saying = { .what = SAID_FOUND, .found = *(const struct sw_found *)record };

	*list_add(&job->list.of) = saying.found;
	worker_say(job->out, &saying);
}

static int by_space(const void *a, const void *b)
{
	const struct sw_found *x = a, *y = b;

	if (x->netns != y->netns)
		return x->netns < y->netns ? -1 : 1;
	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* By namespaces; begun anywhere, so that what there is no time for has its turn another time. */
static void put_in_order(struct found_list *list, __u64 turn)
{
	struct sw_found *all = list->of.v, *from;
	size_t n = list->of.n, first;

	if (!n)
		return;
	first = turn % n;
	qsort(all, n, sizeof(*all), by_space);
	from = mem_alloc(n, sizeof(*from));
	memcpy(from, all + first, (n - first) * sizeof(*all));
	memcpy(from + n - first, all, first * sizeof(*all));
	memcpy(all, from, n * sizeof(*all));
	free(from);
}

static void find_in(struct job *job, __u32 thread)
{
	const struct walking walking = {
		.walk = WALK_CALLED,
		.thread = thread,
		.size = sizeof(struct sw_found),
		.each = add_found,
		.data = job,
	};

	go_over(job, &walking);
}

static bool has_called(const struct job *job, const struct sw_task *task)
{
	for (size_t i = 0; i < job->group->n_processes; i++)
		if (job->group->processes[i] == task->caller)
			return true;
	return false;
}

static bool is_known(const struct job *job, __u64 files)
{
	for (size_t i = 0; i < job->tables.n; i++)
		if (job->tables.v[i].files == files)
			return true;
	return false;
}

/* Those who called, by the id that we know them by: each table of theirs once. */
static void note_caller(void *data, const void *record)
{
	const struct sw_task *task = record;
	struct job *job = data;

	if (!task->files || !has_called(job, task) || is_known(job, task->files))
		return;
	*list_add(&job->tables) = (struct table){ task->files, task->thread };
}

static void find(struct job *job)
{
	const struct walking walking = {
		.walk = WALK_CENSUS,
		.size = sizeof(struct sw_task),
		.each = note_caller,
		.data = job,
	};

	go_over(job, &walking);
	job->until = spent() + job->take->share;
	for (size_t i = 0; i < job->tables.n && (!i || has_time(job)); i++)
		find_in(job, job->tables.v[i].thread);
}

static void do_job(int out, void *data)
{
	struct job *job = data;

	job->out = out;
	for (size_t i = 0; i < job->group->n; i++)
		*list_add(&job->list.of) = job->group->found[i];
	if (job->group->n_processes)
		find(job);
	put_in_order(&job->list, job->take->turn);
	job->until = spent() + job->take->share;
	for (size_t i = 0, end; i < job->list.of.n && has_time(job); i = end) {
		end = end_of_space(&job->list, i);
		take_in_space(job, i, end);
	}
}

/* ---- beside them ---------------------------------------------------------------------------------------- */

struct under_way {
	struct worker worker; /* pid 0: there is none in this place */
	const struct take_group *group;
	struct found_list heard; /* of processes' */
	__u32 at;
};

/* In the order in which the worker goes through them. */
static __u64 socket_at(const struct under_way *one, __u64 turn)
{
	struct found_list list = { 0 };
	__u64 cookie = 0;

	for (size_t i = 0; i < one->group->n; i++)
		*list_add(&list.of) = one->group->found[i];
	for (size_t i = 0; i < one->heard.of.n; i++)
		*list_add(&list.of) = one->heard.of.v[i];
	put_in_order(&list, turn);
	if (one->at < list.of.n)
		cookie = list.of.v[one->at].cookie;
	free(list.of.v);
	return cookie;
}

static void begin(struct take *take, struct under_way *one, const struct take_group *group)
{
	struct job job = { .take = take, .group = group };
	struct fault why;

	*one = (struct under_way){ .group = group };
	if (worker_start(&one->worker, do_job, &job, take->not, &why) && !take->missed++)
		take->why = why;
	one->worker.patience = losses_patience(take->losses, group->slot, 0);
}

static void end(struct take *take, struct under_way *one, bool given_up)
{
	struct lost lost = { .slot = one->group->slot, .socket = given_up ? socket_at(one, take->turn) : 0 };

	worker_leave(&one->worker, take->losses, given_up, &lost);
	free(one->heard.of.v);
	one->heard.of.v = NULL;
}

static void hear(struct take *take, struct under_way *one)
{
	struct saying saying;

	if (!worker_hear(&one->worker, &saying)) {
		end(take, one, false);
		return;
	}
	switch (saying.what) {
	case SAID_FOUND:
		*list_add(&one->heard.of) = saying.found;
		take->found++;
		break;
	case SAID_TAKEN:
		one->at = saying.at;
		take->taken += saying.n;
		break;
	case SAID_MISSED:
		if (!take->missed++)
			fault_set(&take->why, 0, "%.*s", (int)sizeof(saying.why), saying.why);
		break;
	default:
		break;
	}
}

static const struct take_group *next(const struct take *take, const struct take_group *groups, size_t n, size_t *at)
{
	while (*at < n) {
		const struct take_group *group = &groups[(*at)++];

		if (!losses_are_full(take->losses, group->slot))
			return group;
	}
	return NULL;
}

static void wait_for(struct take *take, struct under_way ways[AT_ONCE])
{
	struct pollfd fds[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++)
		fds[i] = (struct pollfd){ .fd = ways[i].worker.pid ? ways[i].worker.says : -1, .events = POLLIN };
	poll(fds, AT_ONCE, WORKER_PATIENCE_AGAIN / 4);
	for (int i = 0; i < AT_ONCE; i++) {
		if (!ways[i].worker.pid)
			continue;
		if (fds[i].revents)
			hear(take, &ways[i]);
		else if (worker_is_held(&ways[i].worker))
			end(take, &ways[i], true);
	}
}

void take(struct take *take, const struct take_group *groups, size_t n)
{
	struct under_way ways[AT_ONCE] = { 0 };
	size_t at = 0;
	bool busy;

	take->turn = clock_ns(CLOCK_MONOTONIC);
	losses_check(take->losses);
	do {
		busy = false;
		for (int i = 0; i < AT_ONCE; i++) {
			const struct take_group *group = ways[i].worker.pid ? NULL : next(take, groups, n, &at);

			if (group)
				begin(take, &ways[i], group);
			busy = busy || ways[i].worker.pid;
		}
		if (busy)
			wait_for(take, ways);
	} while (busy);
}
