/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What two builds have in common of a map's value: members of the same name, kind and size, wherever they lie. A member
 * that changes its meaning must change its name.
 */
#ifndef SW_FIELDS_H
#define SW_FIELDS_H

#include "host.h"
#include "mem.h"

struct fields {
	LIST(struct sw_move) of;
};

/* From the value of the map `fd`, whose BTF the kernel has, to that of this build's map. 0 or -errno. */
int fields_match(int fd, enum sw_map map, struct fields *out, struct fault *fault);

/* The same between two maps that the kernel has, of whichever builds. */
int fields_between(int theirs, int next, enum sw_map map, struct fields *out, struct fault *fault);
void fields_free(struct fields *fields);

/* Theirs to ours; and ours over theirs. */
void fields_copy(const struct fields *fields, const void *theirs, void *ours);
void fields_paste(const struct fields *fields, const void *ours, void *theirs);

#endif
