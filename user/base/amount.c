// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"

#define NANO      1000000000ULL
#define PRICE_MAX (1000000 * NANO)
#define CENT      10000 /* in millionths */
#define DECIMALS  18    /* ten to the power of which fits in 64 bits */

typedef unsigned __int128 wide; /* what 64 bits by 64 bits can come to */

static const struct unit {
	const char *name;
	__u64 bytes;
} units[] = {
	{ "B", 1 },
	{ "KB", 1000 },
	{ "kB", 1000 }, /* also read */
	{ "KiB", 1ULL << 10 },
	{ "MB", 1000000 },
	{ "MiB", 1ULL << 20 },
	{ "GB", 1000000000 },
	{ "GiB", 1ULL << 30 },
	{ "TB", 1000000000000 },
	{ "TiB", 1ULL << 40 },
	{ "PB", 1000000000000000 },
	{ "PiB", 1ULL << 50 },
	{ "EB", 1000000000000000000 },
	{ "EiB", 1ULL << 60 },
};

#define UNITS (sizeof(units) / sizeof(*units))

const char *bytes_format(__u64 bytes, char text[BYTES_TEXT])
{
	static const char letters[] = "KMGTPE";
	double value = bytes;
	int letter = -1;

	while (value >= 1023.95 && letter < 5) { /* what would be rounded to 1024.0 is 1.0 of the next */
		value /= 1024;
		letter++;
	}
	if (letter < 0)
		snprintf(text, BYTES_TEXT, "%" PRIu64 " B", (uint64_t)bytes);
	else
		snprintf(text, BYTES_TEXT, "%.1f %ciB", value, letters[letter]);
	return text;
}

/* 12.50 is 1250 in hundredths. */
struct decimal {
	__u64 digits;
	__u64 scale; /* a power of ten */
};

/* Behind the number, or NULL when there is none, or it has too many digits. */
static const char *read_decimal(const char *at, struct decimal *out)
{
	bool point = false, digit = false; /* seen; the last character was one */

	*out = (struct decimal){ .scale = 1 };
	for (;; at++) {
		if (*at == '.' && digit && !point) {
			point = true;
			digit = false;
			continue;
		}
		if (*at < '0' || *at > '9')
			return digit ? at : NULL;
		digit = true;
		if (__builtin_mul_overflow(out->digits, 10, &out->digits) ||
		    __builtin_add_overflow(out->digits, *at - '0', &out->digits) ||
		    (point && __builtin_mul_overflow(out->scale, 10, &out->scale)))
			return NULL;
	}
}

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < UNITS; i++)
		if (!strcmp(name, units[i].name))
			return &units[i];
	return NULL;
}

bool bytes_parse(const char *text, __u64 *bytes)
{
	const struct unit *unit = &units[0];
	struct decimal decimal;
	wide product;

	text = read_decimal(text, &decimal);
	if (text && *text)
		unit = find_unit(*text == ' ' ? text + 1 : text);
	if (!text || !unit)
		return false;
	product = (wide)decimal.digits * unit->bytes;
	if (product % decimal.scale || product / decimal.scale >> 63)
		return false;
	*bytes = product / decimal.scale;
	return true;
}

const char *timeout_canonical(__u32 seconds, char text[TIMEOUT_TEXT])
{
	if (!seconds)
		strcpy(text, "0");
	else if (seconds % 3600 == 0)
		snprintf(text, TIMEOUT_TEXT, "%uh", seconds / 3600);
	else if (seconds % 60 == 0)
		snprintf(text, TIMEOUT_TEXT, "%um", seconds / 60);
	else
		snprintf(text, TIMEOUT_TEXT, "%us", seconds);
	return text;
}

/* The second of two units is left out when it would be 0. */
static void two_units(__u64 number, const char *unit, unsigned rest, const char *rest_unit, char text[DURATION_TEXT])
{
	int len = snprintf(text, DURATION_TEXT, "%" PRIu64 "%s", (uint64_t)number, unit);

	if (rest)
		snprintf(text + len, DURATION_TEXT - len, "%u%s", rest, rest_unit);
}

bool timeout_parse(const char *text, __u32 *seconds)
{
	static const struct {
		char unit;
		unsigned seconds;
	} times[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*seconds = 0;
	if (!strcmp(text, "0"))
		return true;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (*text < '1' || *text > '9' || value > 1000000 || end[0] != times[i].unit || end[1])
			continue;
		*seconds = value * times[i].seconds;
		return true;
	}
	return false;
}

const char *duration_format(__u64 ms, char text[DURATION_TEXT])
{
	__u64 seconds = ms / 1000;

	if (seconds < 60)
		snprintf(text, DURATION_TEXT, "%u.%us", (unsigned)seconds, (unsigned)(ms % 1000 / 100));
	else if (seconds < 3600)
		two_units(seconds / 60, "m", seconds % 60, "s", text);
	else if (seconds < 86400)
		two_units(seconds / 3600, "h", seconds % 3600 / 60, "m", text);
	else
		two_units(seconds / 86400, "d", seconds % 86400 / 3600, "h", text);
	return text;
}

const char *quotient_format(__u64 number, __u64 of, char text[QUOTIENT_TEXT])
{
	int len = snprintf(text, QUOTIENT_TEXT, "%" PRIu64, (uint64_t)(number / of));
	wide rest = number % of;

	if (rest)
		text[len++] = '.';
	for (int i = 0; i < DECIMALS && rest; i++) {
		text[len++] = '0' + rest * 10 / of;
		rest = rest * 10 % of;
	}
	text[len] = '\0';
	return text;
}

const char *bytes_canonical(__u64 bytes, char text[24])
{
	char quotient[QUOTIENT_TEXT], longer[QUOTIENT_TEXT + 8];
	__u64 again;

	snprintf(text, 24, "%" PRIu64, (uint64_t)bytes);
	for (size_t i = 0; i < UNITS && units[i].bytes <= bytes; i++) {
		snprintf(longer, sizeof(longer), "%s%s", quotient_format(bytes, units[i].bytes, quotient),
			 units[i].name);
		if (strcmp(units[i].name, "kB") && strlen(longer) <= strlen(text) && bytes_parse(longer, &again) &&
		    again == bytes)
			strcpy(text, longer);
	}
	return text;
}

bool price_parse(const char *text, struct price *price)
{
	const char *slash = strchr(text, '/');
	const struct unit *unit = slash ? find_unit(slash + 1) : NULL;
	struct decimal decimal;

	if (!unit || read_decimal(text, &decimal) != slash || decimal.scale > NANO)
		return false;
	if (__builtin_mul_overflow(decimal.digits, NANO / decimal.scale, &price->nano) || price->nano > PRICE_MAX)
		return false;
	price->per = unit->bytes;
	return true;
}

const char *price_format(const struct price *price, char text[PRICE_TEXT])
{
	char quotient[QUOTIENT_TEXT];

	quotient_format(price->nano, NANO, quotient);
	for (size_t i = 0; i < UNITS; i++) {
		if (units[i].bytes == price->per) {
			snprintf(text, PRICE_TEXT, "%s/%s", quotient, units[i].name);
			return text;
		}
	}
	snprintf(text, PRICE_TEXT, "%s/%" PRIu64 " B", quotient, (uint64_t)price->per);
	return text;
}

bool price_amount(const struct price *price, __u64 bytes, __u64 *micro)
{
	wide nano = (wide)bytes * price->nano, micros = (wide)price->per * 1000, amount = nano / micros;

	amount += nano % micros >= micros - nano % micros;
	if (amount >> 63)
		return false;
	*micro = amount;
	return true;
}

const char *money_format(__u64 micro, char text[MONEY_TEXT])
{
	snprintf(text, MONEY_TEXT, "%" PRIu64 ".%06" PRIu64, (uint64_t)micro / 1000000, (uint64_t)micro % 1000000);
	return text;
}

const char *money_short(__u64 micro, char text[MONEY_TEXT])
{
	__u64 unit = CENT; /* of the last decimal */

	while (micro && micro < CENT / 2 && micro < unit)
		unit /= 10;
	money_format((micro + unit / 2) / unit * unit, text);
	for (; unit > 1; unit /= 10)
		text[strlen(text) - 1] = '\0';
	return text;
}
