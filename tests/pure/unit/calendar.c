// SPDX-License-Identifier: GPL-2.0-only
/* Periods of UTC: their ends, and times read and written. */
#include "calendar.h"
#include "test.h"

static __s64 at(const char *text)
{
	__s64 time;

	if (!calendar_parse(text, &time))
		fail_msg("'%s' was not read", text);
	return time;
}

static void assert_time(__s64 time, const char *want)
{
	char text[CALENDAR_TEXT];

	assert_string_equal(calendar_format(time, text), want);
}

static void forms_of_a_time(void **state)
{
	(void)state;
	assert_int_equal(at("1970-01-01"), 0);
	assert_int_equal(at("2026-11"), 1793491200);
	assert_int_equal(at("2026-11-22"), 1795305600);
	assert_int_equal(at("2026-11-22T10:05"), 1795341900);
	assert_int_equal(at("2026-11-22T10:05Z"), 1795341900);
	assert_int_equal(at("2026-11-22T10:05:07"), 1795341907);
	assert_int_equal(at("2026-11-22T10:05:07Z"), 1795341907);
	assert_int_equal(at("9999-12-31T23:59:59Z"), 253402300799);
}

static void an_offset_is_taken_off(void **state)
{
	(void)state;
	assert_int_equal(at("2026-11-22T10:05+01:00"), at("2026-11-22T09:05"));
	assert_int_equal(at("2026-11-22T10:05:07-05:30"), at("2026-11-22T15:35:07"));
	assert_int_equal(at("2026-11-22T10:05+00:00"), at("2026-11-22T10:05"));
	assert_int_equal(at("2026-01-01T00:30+01:00"), at("2025-12-31T23:30"));
	assert_int_equal(at("1970-01-01T01:00+01:00"), 0);
	assert_int_equal(at("9999-12-31T23:59:59+23:59"), 253402300799 - 86340);
}

static __s64 from(const char *text, const char *now)
{
	__s64 time;

	if (!calendar_parse_from(text, at(now), &time))
		fail_msg("'%s' was not read", text);
	return time;
}

static void times_by_the_clock(void **state)
{
	static const struct {
		const char *text, *time;
	} cases[] = {
		{ "now", "2026-03-01T00:30:07" },
		{ "today", "2026-03-01" },
		{ "yesterday", "2026-02-28" },
		{ "-7s", "2026-03-01T00:30:00" },
		{ "-31m", "2026-02-28T23:59:07" },
		{ "-1h", "2026-02-28T23:30:07" },
		{ "-7d", "2026-02-22T00:30:07" },
		{ "-2w", "2026-02-15T00:30:07" },
		{ "-0h", "2026-03-01T00:30:07" },
		{ "1 hour ago", "2026-02-28T23:30:07" },
		{ "7 days ago", "2026-02-22T00:30:07" },
		{ "1 days ago", "2026-02-28T00:30:07" },
		{ "-999999w", "1970-01-01" },
		{ "2026-11-22", "2026-11-22" },
		{ "2026-11-22T10:05+01:00", "2026-11-22T09:05" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(from(cases[i].text, "2026-03-01T00:30:07"), at(cases[i].time));
}

static void what_is_no_time_by_the_clock(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"-1",
		"-d",
		"-1y",
		"-1M",
		"-1hh",
		"-1 h",
		"--1h",
		"+1h",
		"1h",
		"-1.5h",
		"- 1h",
		"-1000000d",
		"-1h ",
		" -1h",
		"Today",
		"todays",
		"tomorrow",
		"monday",
		"ago",
		"days ago",
		"7 days",
		"7 day s ago",
		"7  days ago",
		"7 dayss ago",
		"-7 days ago",
		"7 d ago",
		"7 fortnights ago",
		"-99999999999999999999d",
		"2026-13",
		"now ",
	};
	__s64 time;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (calendar_parse_from(bad[i], 1795341907, &time))
			fail_msg("'%s' was read as %lld", bad[i], (long long)time);
}

static void what_is_no_time(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-",
		"2026-13",
		"2026-00",
		"2026-1",
		"2026-02-30",
		"2026-02-29",
		"2100-02-29",
		"2026-04-31",
		"2026-11-00",
		"2026-11-32",
		"2026-11-99",
		"2026-11-2",
		"2026-11-22Z",
		"2026-11Z",
		"2026-11-22T",
		"2026-11-22T10",
		"2026-11-22T10Z",
		"2026-11-22T24:00",
		"2026-11-22T10:60",
		"2026-11-22T10:00:60",
		"2026-11-22T10:00:00+01",
		"2026-11-22T10:00:00+0100",
		"2026-11-22T10:00+01:60",
		"2026-11-22T10:00+24:00",
		"2026-11-22T10:00+01:00Z",
		"2026-11-22T10:00Z+01:00",
		"2026-11-22+01:00",
		"2026-11-22T10:00 +01:00",
		"1970-01-01T00:00+00:01",
		"9999-12-31T23:59-00:01",
		"2026-11-22T10:00:00.5Z",
		"2026-11-22T10:00:00ZZ",
		"2026-11-22T10:00:00z",
		"2026-11-22 10:00",
		" 2026-11-22",
		"2026-11-22 ",
		"2026-11-22T10:00:",
		"2026-11T10:00",
		"+026-11-22",
		"-026-11-22",
		"1969-12-31",
		"0000-01-01",
		"10000-01-01",
		"20261122",
		"yesterday",
	};
	__s64 time;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (calendar_parse(bad[i], &time))
			fail_msg("'%s' was read as %lld", bad[i], (long long)time);
}

static void begins_and_ends(void **state)
{
	static const struct {
		const char *time;
		enum calendar_unit unit;
		const char *floor, *next;
	} cases[] = {
		{ "2026-11-22T10:05:07", CALENDAR_HOUR, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z" },
		{ "2026-11-22T10:00:00", CALENDAR_HOUR, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z" },
		{ "2026-12-31T23:59:59", CALENDAR_HOUR, "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z" },
		{ "2026-11-22T10:05:07", CALENDAR_DAY, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z" },
		{ "2024-02-28T23:59:59", CALENDAR_DAY, "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z" },
		{ "2026-02-28T23:59:59", CALENDAR_DAY, "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z" },
		{ "2026-01-31T12:00:00", CALENDAR_MONTH, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z" },
		{ "2024-02-29T12:00:00", CALENDAR_MONTH, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z" },
		{ "2026-12-01T00:00:00", CALENDAR_MONTH, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_time(calendar_floor(at(cases[i].time), cases[i].unit), cases[i].floor);
		assert_time(calendar_next(at(cases[i].time), cases[i].unit), cases[i].next);
	}
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Every month from 1970 to 9999, counted without the library. */
static void every_month(void **state)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	char text[CALENDAR_TEXT], want[80];
	__s64 time = 0;

	(void)state;
	for (int year = 1970; year < 10000; year++) {
		for (int month = 0; month < 12; month++) {
			__s64 next = time + (days[month] + (month == 1 && is_leap(year))) * 86400LL;

			assert_int_equal(calendar_next(time, CALENDAR_MONTH), next);
			assert_int_equal(calendar_floor(next - 1, CALENDAR_MONTH), time);
			assert_int_equal(calendar_next(next - 1, CALENDAR_DAY), next);
			snprintf(want, sizeof(want), "%04d-%02d", year, month + 1);
			assert_int_equal(at(want), time);
			assert_string_equal(calendar_label(time, CALENDAR_MONTH, text), want);
			assert_int_equal(at(calendar_format(next - 1, text)), next - 1);
			time = next;
		}
	}
	assert_int_equal(time, 253402300800);
}

/* The year 2000 was a leap year, 2100 will be none. */
static void leap_days(void **state)
{
	(void)state;
	assert_int_equal(at("2000-02-29") + 86400, at("2000-03-01"));
	assert_int_equal(at("2100-02-28") + 86400, at("2100-03-01"));
	assert_int_equal(at("2024-02-29T23:59:59") + 1, at("2024-03-01"));
}

static void labels(void **state)
{
	__s64 time = at("2026-11-22T10:00:00");
	char text[CALENDAR_TEXT];

	(void)state;
	assert_string_equal(calendar_label(time, CALENDAR_HOUR, text), "2026-11-22 10:00");
	assert_string_equal(calendar_label(time, CALENDAR_DAY, text), "2026-11-22");
	assert_string_equal(calendar_label(time, CALENDAR_MONTH, text), "2026-11");
}

static void milliseconds(void **state)
{
	char text[CALENDAR_TEXT];

	(void)state;
	assert_string_equal(calendar_format_ms(1795341907007, text), "2026-11-22T10:05:07.007Z");
	assert_string_equal(calendar_format_ms(1795341907999, text), "2026-11-22T10:05:07.999Z");
	assert_string_equal(calendar_format_ms(0, text), "1970-01-01T00:00:00.000Z");
	assert_string_equal(calendar_format_ms(-1, text), "1970-01-01T00:00:00.000Z");
}

static void times_out_of_range(void **state)
{
	(void)state;
	assert_time(-1, "1970-01-01T00:00:00Z");
	assert_time(INT64_MIN, "1970-01-01T00:00:00Z");
	assert_time(253402300800, "9999-12-31T23:59:59Z");
	assert_time(INT64_MAX, "9999-12-31T23:59:59Z");
	for (enum calendar_unit unit = 0; unit < CALENDAR_UNITS; unit++) {
		assert_int_equal(calendar_floor(INT64_MIN, unit), 0);
		assert_int_equal(calendar_next(INT64_MAX, unit), 253402300800);
	}
}

static void units(void **state)
{
	enum calendar_unit unit;

	(void)state;
	for (enum calendar_unit i = 0; i < CALENDAR_UNITS; i++) {
		assert_true(calendar_unit_parse(calendar_name(i), &unit));
		assert_int_equal(unit, i);
	}
	assert_string_equal(calendar_name(CALENDAR_UNITS), "?");
	assert_false(calendar_unit_parse("week", &unit));
	assert_false(calendar_unit_parse("", &unit));
	assert_false(calendar_unit_parse("?", &unit));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_a_time),
		cmocka_unit_test(what_is_no_time),
		cmocka_unit_test(an_offset_is_taken_off),
		cmocka_unit_test(times_by_the_clock),
		cmocka_unit_test(what_is_no_time_by_the_clock),
		cmocka_unit_test(begins_and_ends),
		cmocka_unit_test(every_month),
		cmocka_unit_test(leap_days),
		cmocka_unit_test(labels),
		cmocka_unit_test(milliseconds),
		cmocka_unit_test(times_out_of_range),
		cmocka_unit_test(units),
	};

	return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
