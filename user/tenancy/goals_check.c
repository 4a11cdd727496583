// SPDX-License-Identifier: GPL-2.0-only
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "goals.h"
#include "state.h"

/* ---- two of one name ---------------------------------------------------------------------------------------- */

static int by_goal_name(const void *a, const void *b)
{
	const struct goal *x = *(struct goal *const *)a, *y = *(struct goal *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x > y) - (x < y); /* as the files came */
}

static const struct goal *goal_named(const struct planning *p, const char *name)
{
	size_t low = 0, high = p->by_name.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(p->by_name.v[middle]->name, name);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < p->by_name.n && p->by_name.v[low]->out && !strcmp(p->by_name.v[low]->name, name))
		low++;
	return low < p->by_name.n && !strcmp(p->by_name.v[low]->name, name) ? p->by_name.v[low] : NULL;
}

/* It is so already. */
static bool is_in_place(const struct planning *p, const struct goal *goal)
{
	struct tenancy of = plan_attached_as(p, goal->name);

	return of.number && !strcmp(tenancy_record(p->host, of)->path, goal->path);
}

/* Of two of which one must be left out: what is in place stays, and a file's own tenant. */
static struct goal *loser_of(const struct planning *p, struct goal *a, struct goal *b)
{
	if (goal_is_match(a) != goal_is_match(b))
		return goal_is_match(a) ? a : b;
	return goal_is_match(b) && is_in_place(p, b) && !is_in_place(p, a) ? a : b;
}

static void sort_goals(struct planning *p)
{
	struct goal *before = NULL;

	for (size_t i = 0; i < p->goals.n; i++)
		*list_add(&p->by_name) = &p->goals.v[i];
	if (p->by_name.n)
		qsort(p->by_name.v, p->by_name.n, sizeof(*p->by_name.v), by_goal_name);
	for (size_t i = 0; i < p->by_name.n; i++) {
		struct goal *goal = p->by_name.v[i], *loser, *other;

		if (goal->out)
			continue;
		if (!before || strcmp(before->name, goal->name) || !strcmp(before->path, goal->path)) {
			before = goal;
			continue;
		}
		loser = loser_of(p, before, goal);
		other = loser == goal ? before : goal;
		goal_refuse(p, loser, "tenant %s is %s, of %s", loser->name, other->path, other->from->file.file);
		before = other;
	}
}

/* ---- two for one cgroup ------------------------------------------------------------------------------------- */

/* What is below a path comes right behind it. */
static int by_path(const void *a, const void *b)
{
	const unsigned char *x = (const unsigned char *)((const struct claim *)a)->path,
			    *y = (const unsigned char *)((const struct claim *)b)->path;

	for (; *x && *x == *y; x++, y++)
		;
	if (*x == *y)
		return 0;
	return (*x == '/' ? 1 : *x ? *x + 1 : 0) - (*y == '/' ? 1 : *y ? *y + 1 : 0);
}

static const char *owner_of(const struct claim *claim)
{
	return claim->goal ? claim->goal->from->file.file : claim->name;
}

/* `below` is in the cgroup of `above`, or in the same. */
static void meet(struct planning *p, struct claim *above, struct claim *below)
{
	struct goal *goal = !above->goal   ? below->goal
			    : !below->goal ? above->goal
					   : loser_of(p, above->goal, below->goal);
	const struct claim *other = goal == below->goal ? above : below;
	const char *kind = other->goal ? "" : "tenant ", *owner = owner_of(other);

	if (!goal || goal->out || (other->goal && other->goal->out))
		return;
	if (other->leaves)
		goal->after = true;
	else if (!strcmp(above->path, below->path))
		goal_refuse(p, goal, "%s is the cgroup of %s%s already: a cgroup has one tenant", goal->path, kind,
			    owner);
	else
		goal_refuse(p, goal, "%s is %s %s, the cgroup of %s%s: a tenant has one policy for all of it",
			    goal->path, goal == below->goal ? "inside" : "around", other->path, kind, owner);
}

static void add_claims(struct planning *p)
{
	for (size_t i = 0; i < p->goals.n; i++)
		if (!p->goals.v[i].pattern && !p->goals.v[i].out)
			*list_add(&p->claims) =
				(struct claim){ p->goals.v[i].path, p->goals.v[i].name, &p->goals.v[i] };
	for (size_t i = 0; i < p->slots.n; i++) {
		const struct sw_record *record = &p->host->records[p->slots.v[i]];
		const struct goal *goal = goal_named(p, record->name);

		if ((goal && !strcmp(goal->path, record->path)) ||
		    tenancy_state(p->host, tenancy_in(p->host, p->slots.v[i])) == TENANT_GONE)
			continue;
		*list_add(&p->claims) =
			(struct claim){ record->path, record->name, .leaves = plan_is_ours(p, record->policy) };
	}
}

#define LEVELS_MAX (SW_PATH_MAX / 2)

static void check_claims(struct planning *p)
{
	struct claim *around[LEVELS_MAX + 1];
	size_t depth = 0;

	add_claims(p);
	if (p->claims.n)
		qsort(p->claims.v, p->claims.n, sizeof(*p->claims.v), by_path);
	for (size_t i = 0; i < p->claims.n; i++) {
		struct claim *claim = &p->claims.v[i];

		while (depth && !cgroup_is_below(claim->path, around[depth - 1]->path))
			depth--;
		for (size_t k = 0; k < depth; k++)
			meet(p, around[k], claim);
		if (!depth || strcmp(around[depth - 1]->path, claim->path))
			around[depth++] = claim;
	}
}

/* A name that somebody has by hand, elsewhere. */
static void check_name(struct planning *p, struct goal *goal)
{
	struct tenancy of = plan_attached_as(p, goal->name);
	const struct sw_record *record = of.number ? tenancy_record(p->host, of) : NULL;
	const struct wanted *noted = wanted_find(&p->wanted, goal->name);

	if (record && strcmp(record->path, goal->path) && tenancy_state(p->host, of) != TENANT_GONE) {
		goal->after = true;
		if (!plan_is_ours(p, record->policy))
			goal_refuse(p, goal,
				    "tenant %s is attached already, to %s: give the file another name, or 'sockwarden "
				    "detach "
				    "%s'",
				    goal->name, record->path, goal->name);
	} else if (noted && strcmp(noted->is.path, goal->path) && !plan_is_ours(p, noted->is.policy)) {
		goal_refuse(p, goal,
			    "tenant %s is to be attached to %s when that is there: give the file another name, or "
			    "'sockwarden "
			    "detach %s'",
			    goal->name, noted->is.path, goal->name);
	}
}

/* One pattern twice, or a tenant that is one of a pattern's, whether it is there or not. */
static void check_pattern(struct planning *p, const struct goal *many)
{
	for (size_t i = 0; i < p->goals.n; i++) {
		struct goal *one = &p->goals.v[i];

		if (one->pattern
			    ? one > many && !strcmp(one->path, many->path)
			    : one->by_name && !fnmatch(many->path, one->path, FNM_PATHNAME | FNM_NOESCAPE | FNM_PERIOD))
			goal_refuse(p, one, "%s is the cgroup of %s already: a cgroup has one tenant", one->path,
				    many->from->file.file);
	}
}

static void check_goals(struct planning *p)
{
	for (size_t i = 0; i < p->goals.n; i++) {
		if (p->goals.v[i].pattern)
			check_pattern(p, &p->goals.v[i]);
		else if (!p->goals.v[i].out)
			check_name(p, &p->goals.v[i]);
	}
}

void goals_check(struct planning *p)
{
	sort_goals(p);
	check_claims(p);
	check_goals(p);
}
