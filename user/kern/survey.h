/* SPDX-License-Identifier: GPL-2.0-only */
/* Every tenant at once, with as few system calls as the kernel allows. */
#ifndef SW_SURVEY_H
#define SW_SURVEY_H

#include "host.h"
#include "report.h"

/* One more than the last slot that is not free. */
__u32 survey_end(const struct host *host);

/* How many slots have ended and were not released yet. */
__u32 survey_ended(const struct host *host);

/*
 * The meters of slots 0 to n - 1, the CPUs summed: free(). A read that fails is an error, never a zero: then
 * there are none. 0 or -errno.
 */
int survey_meters(const struct host *host, __u32 n, struct sw_meter **out, struct fault *fault);

/* A report of every tenant that is attached, in the order of their slots; free with reports_free(). 0 or -errno. */
int survey_reports(const struct host *host, struct reports *out, struct fault *fault);

#endif
