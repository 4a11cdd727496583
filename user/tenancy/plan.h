/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What it takes to make the host as the tenants' files say (tenant_set.h): a step for each tenant that is to change.
 * What a file has attached is known by its policy, which is that file; all else on the host is somebody's who did it by
 * hand, and is left alone, but for a tenant of the same name and cgroup, which becomes the file's.
 */
#ifndef SW_PLAN_H
#define SW_PLAN_H

#include "publish.h"
#include "slots.h"
#include "tenant_set.h"
#include "wanted.h"

enum change {
	CHANGE_FORGET,  /* it is awaited, or many are, and are not to be any more */
	CHANGE_ATTACH,  /* its cgroup is there */
	CHANGE_REPLACE, /* it is attached, under another policy, or by hand */
	CHANGE_DETACH,
	CHANGE_AWAIT, /* its cgroup is not there: it is attached when it is made */
	CHANGE_WATCH, /* each directory that a pattern matches is attached, also when it is made later */
};

struct step {
	enum change change;
	char name[SW_NAME_MAX]; /* the tenant's; of many, what they are called in `wanted` */
	char path[SW_PATH_MAX]; /* its cgroup; of many, their pattern */
	char file[SW_PATH_MAX];
	const struct image *image; /* what it is to be under; the set's. NULL: nothing */
	const struct image *was; /* what it is under, for CHANGE_REPLACE; the plan's. NULL: not asked for, or unknown */
	bool wanted;             /* it is to be noted by itself, for its cgroup may be made anew */
	bool same;               /* what is in force is that already, for CHANGE_REPLACE */
	bool after;              /* something else must be detached before it is attached */
	struct tenancy of;       /* that is to be replaced or detached */
	struct wanted noted;     /* what is noted by its name now; an empty name: nothing */
	struct sw_record record; /* of `of`, */
	struct sw_tenant storage; /* and what the programs know of it; all zeroes: nothing */
};

struct known_image {
	__u64 serial;
	struct image *image; /* NULL: it could not be read */
};

struct plan {
	LIST(struct step) of;
	LIST(struct known_image) images; /* by `compare` */
	LIST(char *) left_out; /* directories that a pattern matches, and why they cannot be tenants, a line each */
	size_t tenants;        /* that files have, and a pattern's match */
	void (*warn)(const char *format, ...)
		__attribute__((format(printf, 1, 2))); /* set before: is told what is odd */
	bool compare; /* set before: read what is in the kernel, to tell what changes in a policy */
};

/*
 * With the lock held, if it is to be carried out. `host` NULL: nothing was ever loaded. What stands in the way, and
 * whose fault in which file that is, goes to `diags`; then, and after an error, the plan is good for nothing. plan_free() in
 * any case. 0 or -errno.
 */
int plan_make(const struct host *host, const struct tenant_set *set, struct plan *plan, struct diags *diags,
	      struct fault *fault);
void plan_free(struct plan *plan);

/* "attach" and so on, for programs. */
const char *step_word(const struct step *step);
bool step_is_many(const struct step *step);

/* A step in a line for people, to be freed; `done`, or what would be done. */
char *step_line(const struct step *step, bool done);

#endif
