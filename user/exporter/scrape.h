/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's answer as metrics. */
#ifndef SW_SCRAPE_H
#define SW_SCRAPE_H

#include "metrics.h"
#include "snapshot.h"

#define SCRAPE_ALL (~(size_t)0)

/*
 * `snapshot` NULL: the daemon does not answer. Of the tenants, the `tenants` that sent most billable bytes are shown
 * each for itself; if that may be fewer than all, sums over all of them are shown besides.
 */
int scrape_write(const struct snapshot *snapshot, size_t tenants, enum metrics_format format, FILE *out,
		 struct fault *fault);

#endif
