/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of a tenant so far: read from the kernel in one go, printed, and sent to whoever may not read it there.
 */
#ifndef SW_REPORT_H
#define SW_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "abi.h"
#include "fault.h"
#include "json.h"
#include "mem.h"

enum tenant_state {
	TENANT_ENFORCED,
	TENANT_AUDITED,
	TENANT_INCOMPLETE,  /* attach or detach was cut short: everything is refused */
	TENANT_GONE,        /* its cgroup was removed, and the programs with it; the counters are still here */
	TENANT_UNPROTECTED, /* the same, and it is to be attached again when its cgroup is there again: nothing holds
			       it to its policy until then */
	TENANT_STATES,
};

const char *tenant_state_name(enum tenant_state state);

/* A peer that a rule or the default refused. */
struct refused {
	struct sw_flow flow;
	__u32 rule; /* index or SW_RULE_DEFAULT */
	__u64 times;
	bool resolver; /* it is one of this host's name servers */
};

/* An address that is open because it was the answer to a name. Times are seconds. */
struct learned {
	struct sw_addr addr;
	__u32 left;                      /* until it ends, unless it is the answer again */
	__u32 age;                       /* since the last answer that had it */
	__u32 ttl;                       /* as that answer had it */
	char asked[SW_DOMAIN_MAX + 2];   /* the name in it; a long one begins with ".." */
	char pattern[SW_DOMAIN_MAX + 2]; /* what the rule has as its name */
};

/* What is sent byte for byte tells nothing else of our memory: its padding is a named field that is zero. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct rule_hits {
	__u64 hits;
	__u32 rule; /* index or SW_RULE_DEFAULT */
	__u32 pad;
	struct sw_text text;
};

struct report {
	struct sw_record record;
	enum tenant_state state;
	__u32 pad;
	struct sw_settings settings; /* zero when the tenant has no policy in force */
	__u64 limit;                 /* of sw_counts.spent; SW_NO_LIMIT: no budget */
	struct sw_counts counts;
	struct sw_meter meter;
	struct sw_naming_counts names; /* zero when the policy has none */
	LIST(struct rule_hits) rules;  /* those that decided something */
	/* of one tenant's own report only: */
	LIST(struct refused) refused; /* most often first, while there is room for them in the kernel */
	LIST(struct learned) learned; /* by name */
};

/* What takes a socket out of the kernel's tables here. */
enum closing_by {
	CLOSING_UNKNOWN,     /* nothing was loaded yet */
	CLOSING_BY_ITERATOR, /* bpf_sock_destroy(), Linux 6.5 */
	CLOSING_BY_NETLINK,  /* SOCK_DESTROY of sock_diag(7) */
	CLOSING_BYS,
};

const char *closing_by_name(enum closing_by by);

/* What this kernel has for closing idle sockets. */
struct support {
	__u32 closing; /* enum closing_by */
	__u32 watches; /* bits 1 << enum sw_watch: those in place */
};

#pragma GCC diagnostic pop

struct reports {
	LIST(struct report) of;
	struct support support;
};

void report_free(struct report *report);
void reports_free(struct reports *reports);

__u64 report_denied(const struct report *report); /* sum over the reasons */
__u64 report_closed(const struct report *report); /* sum over the causes */

/* Bytes out that are left of the budget; SW_NO_LIMIT when there is none. */
__u64 report_budget_left(const struct report *report);

/* The tables for people: bytes each way, allowed, denied by reason and rule, closed. `support` NULL: not known, or no
 * daemon runs that would close sockets. */
void report_print(const struct report *report, const struct support *support, FILE *out);

/* An object inside an array, or at the top. */
void report_json(const struct report *report, const struct support *support, struct json *json);

#endif
