// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calendar.h"

#define HOUR      3600
#define DAY       86400
#define LAST_TIME 253402300799 /* 9999-12-31T23:59:59Z: a year of five digits is no RFC 3339 */

enum calendar_unit calendar_unit_of(enum sw_period period)
{
	return period == SW_MONTH ? CALENDAR_MONTH : CALENDAR_DAY;
}

const char *calendar_name(enum calendar_unit unit)
{
	static const char *const names[] = { "hour", "day", "month" };

	return unit < CALENDAR_UNITS ? names[unit] : "?";
}

bool calendar_unit_parse(const char *text, enum calendar_unit *unit)
{
	for (*unit = 0; *unit < CALENDAR_UNITS; ++*unit)
		if (!strcmp(text, calendar_name(*unit)))
			return true;
	return false;
}

/* The time within the years we serve, broken down. */
static struct tm break_down(__s64 time)
{
	time_t within = time < 0 ? 0 : time > LAST_TIME ? LAST_TIME : time;
	struct tm tm;

	gmtime_r(&within, &tm);
	return tm;
}

static __s64 begin(struct tm tm, enum calendar_unit unit)
{
	tm.tm_sec = 0;
	tm.tm_min = 0;
	if (unit >= CALENDAR_DAY)
		tm.tm_hour = 0;
	if (unit == CALENDAR_MONTH)
		tm.tm_mday = 1;
	return timegm(&tm);
}

__s64 calendar_floor(__s64 time, enum calendar_unit unit)
{
	return begin(break_down(time), unit);
}

__s64 calendar_next(__s64 time, enum calendar_unit unit)
{
	struct tm tm = break_down(time);

	if (unit != CALENDAR_MONTH)
		return begin(tm, unit) + (unit == CALENDAR_DAY ? DAY : HOUR);
	tm.tm_mon++;
	return begin(tm, unit); /* timegm() knows the thirteenth month */
}

/* Exactly `n` digits; behind them, or NULL. */
static const char *read_digits(const char *at, int n, int *value)
{
	*value = 0;
	for (; at && n; n--, at++) {
		if (*at < '0' || *at > '9')
			return NULL;
		*value = *value * 10 + *at - '0';
	}
	return at;
}

/* The same after a separator; NULL if that is not there. */
static const char *read_part(const char *at, char separator, int *value)
{
	return at && *at == separator ? read_digits(at + 1, 2, value) : NULL;
}

/* What local time is ahead of UTC; none is UTC. */
static const char *read_offset(const char *at, __s64 *seconds)
{
	int sign = *at == '-' ? -1 : 1, hours = 0, minutes = 0;

	if (*at == 'Z')
		at++;
	else if (*at)
		at = read_part(read_part(at, sign < 0 ? '-' : '+', &hours), ':', &minutes);
	*seconds = sign * (hours * HOUR + minutes * 60);
	return hours < 24 && minutes < 60 ? at : NULL;
}

static bool read_clock(const char *at, struct tm *tm, __s64 *offset)
{
	at = read_part(at, 'T', &tm->tm_hour);
	at = read_part(at, ':', &tm->tm_min);
	if (at && *at == ':')
		at = read_part(at, ':', &tm->tm_sec);
	if (at)
		at = read_offset(at, offset);
	return at && !*at && tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

bool calendar_parse(const char *text, __s64 *time)
{
	struct tm tm = { .tm_mday = 1 }, again;
	__s64 offset = 0;
	int year, month;
	const char *at = read_digits(text, 4, &year);

	at = read_part(at, '-', &month);
	if (at && *at)
		at = read_part(at, '-', &tm.tm_mday);
	if (!at || (*at && !read_clock(at, &tm, &offset)))
		return false;
	if (year < 1970 || month < 1 || month > 12)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	again = tm;
	*time = timegm(&again) -
		offset; /* which makes February 30 March 2, and the day before the first another month's */
	return again.tm_mon == tm.tm_mon && *time >= 0 && *time <= LAST_TIME;
}

/* "-7d" and "7 days ago" */
static bool read_ago(const char *text, __s64 *seconds)
{
	static const struct {
		char letter;
		const char *word;
		__s64 seconds;
	} spans[] = { { 's', "second", 1 },
		      { 'm', "minute", 60 },
		      { 'h', "hour", HOUR },
		      { 'd', "day", DAY },
		      { 'w', "week", 7 * DAY } };
	const char *number = text + (*text == '-');
	size_t digits = strspn(number, "0123456789");
	const char *unit = number + digits;

	for (size_t i = 0; digits && digits <= 6 && i < sizeof(spans) / sizeof(*spans); i++) {
		size_t len = strlen(spans[i].word);

		*seconds = atoi(number) * spans[i].seconds;
		if (*text == '-' && unit[0] == spans[i].letter && !unit[1])
			return true;
		if (*text != '-' && *unit == ' ' && !strncmp(unit + 1, spans[i].word, len) &&
		    !strcmp(unit + 1 + len + (unit[1 + len] == 's'), " ago"))
			return true;
	}
	return false;
}

bool calendar_parse_from(const char *text, __s64 now, __s64 *time)
{
	__s64 today = calendar_floor(now, CALENDAR_DAY), ago;

	if (!strcmp(text, "now"))
		*time = now;
	else if (!strcmp(text, "today"))
		*time = today;
	else if (!strcmp(text, "yesterday"))
		*time = today > DAY ? today - DAY : 0;
	else if (read_ago(text, &ago))
		*time = now > ago ? now - ago : 0;
	else
		return calendar_parse(text, time);
	return true;
}

static const char *write_time(__s64 time, const char *format, char text[CALENDAR_TEXT])
{
	struct tm tm = break_down(time);

	strftime(text, CALENDAR_TEXT, format, &tm);
	return text;
}

const char *calendar_format(__s64 time, char text[CALENDAR_TEXT])
{
	return write_time(time, "%Y-%m-%dT%H:%M:%SZ", text);
}

const char *calendar_format_ms(__s64 ms, char text[CALENDAR_TEXT])
{
	char *end;

	write_time(ms / 1000, "%Y-%m-%dT%H:%M:%S", text);
	end = text + strlen(text);
	snprintf(end, CALENDAR_TEXT - (end - text), ".%03dZ", ms < 0 ? 0 : (int)(ms % 1000));
	return text;
}

const char *calendar_label(__s64 time, enum calendar_unit unit, char text[CALENDAR_TEXT])
{
	static const char *const formats[] = { "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m" };

	return unit < CALENDAR_UNITS ? write_time(time, formats[unit], text) : calendar_format(time, text);
}
