/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of a tenant so far: read from the kernel in one go, printed, and sent to whoever may not read it there.
 */
#ifndef SW_REPORT_H
#define SW_REPORT_H

#include <stdio.h>

#include "abi.h"
#include "fault.h"
#include "json.h"
#include "mem.h"

enum tenant_state {
	TENANT_ENFORCED,
	TENANT_AUDITED,
	TENANT_INCOMPLETE, /* attach or detach was cut short: everything is refused */
	TENANT_GONE,       /* its cgroup was removed, and the programs with it; the counters are still here */
	TENANT_STATES,
};

const char *tenant_state_name(enum tenant_state state);

struct rule_hits {
	__u32 rule; /* index or SW_RULE_DEFAULT */
	__u64 hits;
	struct sw_text text;
};

struct report {
	struct sw_record record;
	enum tenant_state state;
	struct sw_settings settings; /* zero when the tenant has no policy in force */
	__u64 limit;                 /* of sw_counts.spent; SW_NO_LIMIT: no budget */
	struct sw_counts counts;
	struct sw_meter meter;
	LIST(struct rule_hits) rules; /* those that decided something */
};

struct reports {
	LIST(struct report) of;
};

void report_free(struct report *report);
void reports_free(struct reports *reports);

__u64 report_denied(const struct report *report); /* sum over the reasons */

/* Bytes out that are left of the budget; SW_NO_LIMIT when there is none. */
__u64 report_budget_left(const struct report *report);

/* The tables for people: allowed, denied by reason and rule, bytes each way. */
void report_print(const struct report *report, FILE *out);

/* An object inside an array, or at the top. */
void report_json(const struct report *report, struct json *json);

#endif
