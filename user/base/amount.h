/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes, times and money as people write them. All in integers: a sum of amounts is the amount of the sum's lines. */
#ifndef SW_AMOUNT_H
#define SW_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* "1 rule", "2 rules": what follows the noun. */
static inline const char *plural(__u64 n)
{
	return n == 1 ? "" : "s";
}

#define BYTES_TEXT 16
/* 4210 -> "4.1 KiB" */
const char *bytes_format(__u64 bytes, char text[BYTES_TEXT]);

/* "500", "10GiB", "10 GB", "1.5TiB": a whole number of bytes below 2^63, or false. */
bool bytes_parse(const char *text, __u64 *bytes);

/* Shortest form that bytes_parse() reads as the same number: 10737418240 -> "10GiB", 1001 -> "1001". */
const char *bytes_canonical(__u64 bytes, char text[24]);

#define TIMEOUT_TEXT 16
/* As a policy has it, in one unit: 90 -> "90s", 600 -> "10m", 7200 -> "2h", 0 -> "0". */
const char *timeout_canonical(__u32 seconds, char text[TIMEOUT_TEXT]);

/* "90s", "10m", "2h", or "0": false for anything else, and beyond a million of a unit. */
bool timeout_parse(const char *text, __u32 *seconds);

#define DURATION_TEXT 24
/* 1530 ms -> "1.5s", 602000 -> "10m2s", 7200000 -> "2h" */
const char *duration_format(__u64 ms, char text[DURATION_TEXT]);

#define QUOTIENT_TEXT 40
/* 1536 of 1024 -> "1.5": cut after 18 decimals, which is more than any price has. */
const char *quotient_format(__u64 number, __u64 of, char text[QUOTIENT_TEXT]);

/* A price for a number of bytes, as "0.12/GiB" says it. */
struct price {
	__u64 nano; /* billionths of the currency's unit, for `per` bytes */
	__u64 per;  /* bytes of the unit, never 0; 2^30 for GiB */
};

/* At most nine decimals and 1,000,000 a unit, or false. */
bool price_parse(const char *text, struct price *price);

#define PRICE_TEXT 64
/* As price_parse() reads it: "0.12/GiB" */
const char *price_format(const struct price *price, char text[PRICE_TEXT]);

/* Millionths of the currency's unit, rounded half up. False when it does not fit in 63 bits. */
bool price_amount(const struct price *price, __u64 bytes, __u64 *micro);

#define MONEY_TEXT 32
/* 1234500 -> "1.234500" */
const char *money_format(__u64 micro, char text[MONEY_TEXT]);

/*
 * For people: rounded half up to two decimals, or to the first that is not 0 when there would be nothing to see.
 * 1234500 -> "1.23", 5000 -> "0.01", 460 -> "0.0005", 0 -> "0.00"
 */
const char *money_short(__u64 micro, char text[MONEY_TEXT]);

#endif
