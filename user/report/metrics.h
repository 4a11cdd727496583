/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A writer of the Prometheus text format, 0.0.4 or OpenMetrics 1.0, which refuses what a scraper would reject or
 * misread: names out of form or reserved, a family twice, a series twice, labels out of form, a counter that does
 * not end in _total, samples before their family. The first mistake is kept and nothing is written after it.
 */
#ifndef SW_METRICS_H
#define SW_METRICS_H

#include <stdio.h>

#include <linux/types.h>

#include "fault.h"

enum metrics_format { METRICS_TEXT, METRICS_OPENMETRICS };
enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_INFO };

struct metrics;

struct metrics *metrics_new(FILE *out, enum metrics_format format);

/*
 * Counters are named with their _total, infos with their _info; OpenMetrics calls the family by what is before it.
 * `unit` is NULL, or what the name without these ends in.
 */
void metrics_family(struct metrics *metrics, const char *name, enum metrics_type type, const char *unit,
		    const char *help);

#define METRICS_LABELS 8 /* at most, of one series */

struct label {
	const char *name;  /* a literal; NULL ends the list */
	const char *value; /* any UTF-8; bytes that are none are replaced */
};

/*
 * Of the family begun last. Integers are written as integers, exactly; an info's is 1. Labels are written in order
 * of their names. One without a value is left out: to a scraper that is the same. `labels` NULL: none.
 */
void metrics_sample(struct metrics *metrics, const struct label *labels, __u64 value);
void metrics_sample_seconds(struct metrics *metrics, const struct label *labels, __u64 milliseconds);
void metrics_sample_nanoseconds(struct metrics *metrics, const struct label *labels,
				__u64 nanoseconds); /* as seconds */

/* Ends the text and frees the writer. 0, -EINVAL with the mistake in `fault`, or -EIO: `out` could not be written. */
int metrics_end(struct metrics *metrics, struct fault *fault);

#endif
