/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Periods of time in UTC. Times are seconds since 1970; nothing here reads a clock. What is before 1970 counts as its
 * first second, what is after 9999 as its last.
 */
#ifndef SW_CALENDAR_H
#define SW_CALENDAR_H

#include <stdbool.h>

#include "abi.h"

enum calendar_unit { CALENDAR_HOUR, CALENDAR_DAY, CALENDAR_MONTH, CALENDAR_UNITS };

enum calendar_unit calendar_unit_of(enum sw_period period);
const char *calendar_name(enum calendar_unit unit); /* "hour", "day", "month" */
bool calendar_unit_parse(const char *text, enum calendar_unit *unit);

/* The beginning of the unit that `time` is in, and of the one after that. */
__s64 calendar_floor(__s64 time, enum calendar_unit unit);
__s64 calendar_next(__s64 time, enum calendar_unit unit);

/*
 * 2026-11 (its first day), 2026-11-22, 2026-11-22T10:00 or 2026-11-22T10:00:00; the latter two are UTC unless an offset
 * follows, Z, +01:00 or -05:00.
 */
bool calendar_parse(const char *text, __s64 *time);

/* Also "now", "today" and "yesterday" (when they begin), "-90m", "-12h", "-7d", "7 days ago": as seen from `now`. */
bool calendar_parse_from(const char *text, __s64 now, __s64 *time);

#define CALENDAR_TEXT 32
/* 2026-11-22T10:00:00Z */
const char *calendar_format(__s64 time, char text[CALENDAR_TEXT]);
/* Of milliseconds: 2026-11-22T10:00:00.250Z */
const char *calendar_format_ms(__s64 ms, char text[CALENDAR_TEXT]);
/* As short as the unit allows: "2026-11-22 10:00", "2026-11-22", "2026-11". */
const char *calendar_label(__s64 time, enum calendar_unit unit, char text[CALENDAR_TEXT]);

#endif
