/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of tenants so far, as the kernel has it now. */
#ifndef SW_REPORTS_H
#define SW_REPORTS_H

#include "report.h"
#include "slots.h"
#include "standing.h"

/* All of one: report_free(), also after an error. 0 or -errno. */
int tenancy_report(const struct host *host, struct tenancy of, struct report *report, struct fault *fault);

/*
 * Of every tenant that is attached, lingers or is to be attached again, without the peers that were refused and what was
 * learned; with as few system calls as the kernel allows. What `known` has (standing.h) is not asked again; NULL: all is. In the order of
 * their slots; reports_free(), also after an error. 0 or -errno.
 */
int reports_read(const struct host *host, struct standings *known, struct reports *out, struct fault *fault);

/* Adds to one of these what its tenant has learned, as far as it can be read: some 2,000 system calls. */
void reports_learned(const struct host *host, struct report *report);

#endif
