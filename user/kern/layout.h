/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two builds: which of the maps that one left can the other use? Made at build time (bpf/identity.c), a hash of a map's
 * definition says so; it is pinned beside the maps. Builds before that left none: of those a map is the same when the
 * kernel says of it what it would say of ours.
 */
#ifndef SW_LAYOUT_H
#define SW_LAYOUT_H

#include "host.h"

/* What becomes of a map when another build takes over: SW_MAPS. */
enum map_kind {
	MAP_CARRIED, /* tenancies and invoices need it: it is kept, or the build cannot take over */
	MAP_COPIED,  /* counters for people, and what was spent of budgets: kept, or made anew, copied member by member,
			and given what was counted meanwhile */
	MAP_IMAGE,   /* compiled policies: all of these are kept, or all made anew from the policies' sources */
	MAP_OTHER,   /* kept, or begun anew */
};

extern const enum map_kind layout_kind[MAP_COUNT];

/* What is pinned, as this build sees it. */
struct layout {
	bool known;           /* there is an identity */
	bool same_build;      /* as ours, hence all maps are */
	__u8 build[32];       /* if it is known */
	bool same[MAP_COUNT]; /* of MAP_IMAGE all or none */
};

/* Of what is pinned as PINS_HOST. 0, or -errno. */
int layout_read(struct layout *out, struct fault *fault);

/* What is pinned in the folder is of this very build. */
bool layout_is_mine(const char *folder);

/* The identity of this build, as a pin of the folder. */
int layout_pin(const char *folder, struct fault *fault);

/* What is pinned, and this program, in eight digits; "unknown" where there is no identity. */
#define LAYOUT_BUILD 12
const char *layout_build(const struct layout *layout, char text[LAYOUT_BUILD]);
const char *layout_my_build(char text[LAYOUT_BUILD]);

#endif
