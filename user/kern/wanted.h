/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tenants that are to be attached whenever their cgroups exist, whether they are now or not. They are in the map
 * `wanted`, which is changed with the host's lock held.
 */
#ifndef SW_WANTED_H
#define SW_WANTED_H

#include "host.h"
#include "mem.h"

struct wanted {
	struct sw_name name;
	struct sw_wanted is;
};

struct wanted_list {
	LIST(struct wanted) of; /* by name */
};

/* All of them, to be freed with wanted_free(), also after an error. 0 or -errno. */
int wanted_read(const struct host *host, struct wanted_list *out, struct fault *fault);
void wanted_free(struct wanted_list *list);

/* The same for who has no host open; none if nothing was ever loaded. */
int wanted_all(struct wanted_list *out, struct fault *fault);

/* The one of that name, or NULL. */
struct wanted *wanted_find(const struct wanted_list *list, const char *name);

/* Exactly that: its path and policy have not changed since it was read. */
bool wanted_is(const struct host *host, const struct wanted *one);

/* The tenant of that name is to be attached, and at that path: a run's of the same name is not meant. */
bool wanted_at(const struct host *host, const char *name, const char *path);

bool wanted_has(const struct host *host, const char *name);

/*
 * Many tenants at once: each directory that the pattern `path` matches is to be attached, while it is there, and named
 * after itself. Such an entry is called by its file, with a mark before it that no tenant's name begins with.
 */
#define WANTED_MANY '*'

static inline bool wanted_is_many(const struct wanted *one)
{
	return *one->name.text == WANTED_MANY;
}

/* Notes it, or notes it anew. 0 or -errno. */
int wanted_put(struct host *host, const char *name, const struct sw_wanted *is, struct fault *fault);

/* The same as the record of its tenancy says. 0 or -errno. */
int wanted_note(struct host *host, const struct sw_record *record, struct fault *fault);

/* Strikes it out. 0, -ENOENT when it was not there, or -errno. */
int wanted_drop(struct host *host, const char *name, struct fault *fault);

#endif
