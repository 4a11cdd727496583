/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that make a plan share: the tenants that files want, and what the host has. */
#ifndef SW_GOALS_H
#define SW_GOALS_H

#include "plan.h"

/* What a file wants: one tenant, or all that a pattern matches. */
struct goal {
	const struct tenant *from;
	char name[SW_NAME_MAX];
	char path[SW_PATH_MAX];
	bool pattern; /* many, and not one of them */
	bool by_name; /* noted by itself: it is not one of many */
	__u64 cgroup; /* 0: it is not there */
	bool after;
	bool out; /* one of many that cannot be, and is left out */
};

/* A cgroup that is or will be some tenant's. */
struct claim {
	const char *path, *name;
	struct goal *goal; /* NULL: it is so now, */
	bool leaves;       /* and a file's that has it no more */
};

struct planning {
	const struct host *host;
	const struct tenant_set *set;
	struct plan *plan;
	struct diags *diags;
	char root[SW_PATH_MAX];
	LIST(struct goal) goals;
	LIST(struct goal *) by_name;
	LIST(__u32) slots; /* of what is attached, by name */
	struct wanted_list wanted;
	bool *noted;               /* of each of `wanted`: a goal has it, or a step */
	bool kept[SW_TENANTS_MAX]; /* a goal has what is in the slot */
	LIST(struct claim) claims;
};

/* ---- goals.c ----------------------------------------------------------------------------------------------- */

/* Goals for all files, in their order; what is wrong with one alone is told. */
void goals_find(struct planning *p);

/* One of the directories that a pattern matches. */
bool goal_is_match(const struct goal *goal);

/*
 * Why what a file wants cannot be. It is the file's mistake, and then nothing is changed. But directories that a
 * pattern matches are made by others, maybe by who would like nothing to be changed: one that cannot be is left out,
 * and said to be so.
 */
void goal_refuse(struct planning *p, struct goal *goal, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- goals_check.c ------------------------------------------------------------------------------------------- */

/* What cannot be beside other goals, or beside what the host has. */
void goals_check(struct planning *p);

/* ---- plan.c -------------------------------------------------------------------------------------------------- */

/* The tenancy that is attached by that name. */
struct tenancy plan_attached_as(const struct planning *p, const char *name);

/* It is a file's, so not attached by hand. */
bool plan_is_ours(const struct planning *p, const char *policy);

#endif
