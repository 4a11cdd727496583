/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of a tenant so far: read in one go, printed by `status` and at the end of `run`. */
#ifndef SW_REPORT_H
#define SW_REPORT_H

#include <stdio.h>

#include "cli.h"
#include "json.h"
#include "tenant.h"

struct rule_hits {
	__u32 rule; /* index or SW_RULE_DEFAULT */
	__u64 hits;
	struct sw_text text;
};

struct report {
	struct sw_record record;
	enum tenant_state state;
	struct sw_settings settings; /* zero when the tenant has no policy in force */
	struct sw_counts counts;
	struct sw_meter meter;
	LIST(struct rule_hits) rules; /* those that decided something */
};

int report_read(const struct host *host, __u32 slot, struct report *report, struct fault *fault);
void report_free(struct report *report);

__u64 report_denied(const struct report *report); /* sum over the reasons */

/* The tables for people: allowed, denied by reason and rule, bytes each way. */
void report_print(const struct report *report, FILE *out);

/* An object inside an array, or at the top. */
void report_json(const struct report *report, struct json *json);

/* One of the two, as --json says. */
void report_show(const struct report *report, const struct cli *cli, FILE *out);

/* 4210 -> "4.1 KiB" */
const char *format_bytes(__u64 bytes, char buf[16]);

#endif
