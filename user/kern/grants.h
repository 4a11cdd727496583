/* SPDX-License-Identifier: GPL-2.0-only */
/* What tenants have learned from answers to their questions: the maps `grants`, `turns` and `namings`. */
#ifndef SW_GRANTS_H
#define SW_GRANTS_H

#include "report.h"
#include "slots.h"

/* Adds the addresses that are open for a tenancy now, by name and then by address. 0 or -errno. */
int grants_read(const struct host *host, struct tenancy of, struct report *report, struct fault *fault);

/* What became of the tenancy's questions. All zeroes where it asked none. 0 or -errno. */
int grants_counts(const struct host *host, struct tenancy of, struct sw_naming_counts *out, struct fault *fault);

/*
 * Forgets what whoever had the slot last has learned, and what was counted. With the lock held, when a tenancy ends,
 * and again when the slot is given to another, for programs that ran meanwhile. 0 or -errno.
 */
int grants_clear(struct host *host, __u32 slot, struct fault *fault);

#endif
