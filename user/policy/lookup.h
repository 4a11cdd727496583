/* SPDX-License-Identifier: GPL-2.0-only */
/* How the C library looks up hosts, by nsswitch.conf(5): whether it comes to ask DNS. */
#ifndef SW_LOOKUP_H
#define SW_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#define NSSWITCH_CONF "/etc/nsswitch.conf"
#define NSCD_CONF     "/etc/nscd.conf"

enum lookup_way {
	LOOKUP_DNS,     /* it does */
	LOOKUP_NO_DNS,  /* `dns` is not in the list */
	LOOKUP_STOPS,   /* at a service before `dns`, which is then not asked */
	LOOKUP_ANSWERS, /* a service before `dns` answers in its place */
};

#define LOOKUP_SERVICE 32

struct lookup {
	enum lookup_way way;
	char at[LOOKUP_SERVICE];     /* the service that is in the way; cut if longer */
	char before[LOOKUP_SERVICE]; /* the first before `dns` that may know addresses from elsewhere, or empty */
};

/* For a name that only DNS knows. `resolved`: systemd-resolved answers who asks it by `resolve`. */
struct lookup lookup_parse(const char *text, size_t len, bool resolved);

/* By nscd.conf(5), nscd answers for hosts. */
bool lookup_nscd_has_hosts(const char *text, size_t len);

#endif
