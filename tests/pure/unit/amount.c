// SPDX-License-Identifier: GPL-2.0-only
/* Bytes, times, prices and money, read, computed and written. */
#include "amount.h"
#include "test.h"

#define GIB (1ULL << 30)

static void bytes_for_people(void **state)
{
	static const struct {
		__u64 bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },           { 1023, "1023 B" },        { 1024, "1.0 KiB" },
		{ 4210, "4.1 KiB" },    { 1048524, "1023.9 KiB" }, { 1048575, "1.0 MiB" }, /* not 1024.0 KiB */
		{ GIB - 1, "1.0 GiB" }, { 1ULL << 60, "1.0 EiB" }, { UINT64_MAX, "16.0 EiB" },
	};
	char text[BYTES_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(bytes_format(cases[i].bytes, text), cases[i].text);
}

static void bytes_are_read(void **state)
{
	static const struct {
		const char *text;
		__u64 bytes;
	} cases[] = {
		{ "0", 0 },
		{ "500", 500 },
		{ "500B", 500 },
		{ "500 B", 500 },
		{ "1kB", 1000 },
		{ "1KB", 1000 },
		{ "1KiB", 1024 },
		{ "10 GB", 10000000000 },
		{ "10GiB", 10 * GIB },
		{ "1.5TiB", 3 * (1ULL << 39) },
		{ "1.50 TiB", 3 * (1ULL << 39) },
		{ "0.5KiB", 512 },
		{ "0.0009765625KiB", 1 },
		{ "1.001KB", 1001 },
		{ "500.0", 500 },
		{ "7EiB", 7 * (1ULL << 60) },
		{ "9EB", 9000000000000000000 },
		{ "9223372036854775807", INT64_MAX },
	};
	__u64 bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(bytes_parse(cases[i].text, &bytes));
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void what_is_no_number_of_bytes(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"GiB",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1  GiB",
		"1 GiB ",
		"1Gib",
		"1gib",
		"1G",
		"1Gi",
		"1 KBB",
		"1,5GiB",
		"1.",
		"1.GiB",
		".5GiB",
		"1.5.5GiB",
		"0x10",
		"1e3",
		"ten",
		"0.5",
		"0.5B",
		"1.0001KB",
		"1.1KiB",
		"8EiB",
		"10EB",
		"9223372036854775808",
		"18446744073709551616",
		"18446744073709551617",
		"99999999999999999999999999",
		"100000000000000000000EiB",
		"1.00000000000000000000000000",
	};
	__u64 bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (bytes_parse(bad[i], &bytes))
			fail_msg("'%s' was read as %llu", bad[i], (unsigned long long)bytes);
}

static void assert_canonical(__u64 bytes)
{
	char text[24];
	__u64 again;

	if (!bytes_parse(bytes_canonical(bytes, text), &again) || again != bytes)
		fail_msg("%llu was written as %s", (unsigned long long)bytes, text);
}

static void canonical_bytes(void **state)
{
	static const struct {
		__u64 bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 999, "999" },
		{ 1000, "1KB" },
		{ 1001, "1001" },
		{ 1024, "1KiB" },
		{ 1500, "1500" },
		{ 10 * GIB, "10GiB" },
		{ 10000000000, "10GB" },
		{ 3 * (1ULL << 39), "1.5TiB" },
		{ 500000, "500KB" },
		{ 7 * (1ULL << 60), "7EiB" },
		{ INT64_MAX, "9223372036854775807" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char text[24];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(bytes_canonical(cases[i].bytes, text), cases[i].text);
}

static void canonical_bytes_return(void **state)
{
	__u64 random = 1;

	(void)state;
	for (__u64 bytes = 0; bytes < 20000; bytes++)
		assert_canonical(bytes);
	for (int shift = 0; shift < 63; shift++)
		for (__u64 factor = 1; factor < 64 && factor << shift >> shift == factor; factor++)
			assert_canonical((factor << shift) & INT64_MAX);
	for (int i = 0; i < 20000; i++) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		assert_canonical(random >> (1 + i % 60));
	}
}

static void quotients(void **state)
{
	char text[QUOTIENT_TEXT];

	(void)state;
	assert_string_equal(quotient_format(0, 1024, text), "0");
	assert_string_equal(quotient_format(1024, 1024, text), "1");
	assert_string_equal(quotient_format(1536, 1024, text), "1.5");
	assert_string_equal(quotient_format(1, 1024, text), "0.0009765625");
	assert_string_equal(quotient_format(2, 3, text), "0.666666666666666666");
	assert_string_equal(quotient_format(UINT64_MAX, 1, text), "18446744073709551615");
	assert_string_equal(quotient_format(UINT64_MAX - 1, UINT64_MAX, text), "0.999999999999999999");
	assert_string_equal(quotient_format(UINT64_MAX, 7, text), "2635249153387078802.142857142857142857");
}

static void prices_are_read(void **state)
{
	static const struct {
		const char *text;
		__u64 nano, per;
		const char *again;
	} cases[] = {
		{ "0.12/GiB", 120000000, GIB, "0.12/GiB" },
		{ "0.120/GB", 120000000, 1000000000, "0.12/GB" },
		{ "1/TiB", 1000000000, 1ULL << 40, "1/TiB" },
		{ "0.000000001/B", 1, 1, "0.000000001/B" },
		{ "1000000/EiB", 1000000000000000, 1ULL << 60, "1000000/EiB" },
		{ "1000000.000000000/kB", 1000000000000000, 1000, "1000000/KB" },
		{ "0/GiB", 0, GIB, "0/GiB" },
	};
	struct price price;
	char text[PRICE_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(price_parse(cases[i].text, &price));
		assert_int_equal(price.nano, cases[i].nano);
		assert_int_equal(price.per, cases[i].per);
		assert_string_equal(price_format(&price, text), cases[i].again);
	}
}

static void what_is_no_price(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"0.12",
		"/GiB",
		"0.12/",
		"0.12/G",
		"0.12/gib",
		"0.12 /GiB",
		"0.12/ GiB",
		"0.12/GiB ",
		"0.12/10GiB",
		"0.12//GiB",
		"0.12/GiB/GiB",
		"$0.12/GiB",
		"-0.12/GiB",
		"0,12/GiB",
		".12/GiB",
		"1./GiB",
		"0.0000000001/GiB",
		"0.1200000000/GiB",
		"1000000.000000001/GiB",
		"1000001/GiB",
		"18446744073709551616/GiB",
		"18446744074/GiB", /* in billionths, a little above 0 in 64 bits */
	};
	struct price price;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (price_parse(bad[i], &price))
			fail_msg("'%s' was read", bad[i]);
}

static void assert_amount(const char *price_text, __u64 bytes, const char *want)
{
	struct price price;
	char text[MONEY_TEXT];
	__u64 micro;

	assert_true(price_parse(price_text, &price));
	assert_true(price_amount(&price, bytes, &micro));
	assert_string_equal(money_format(micro, text), want);
}

static void amounts_are_rounded_half_up(void **state)
{
	(void)state;
	assert_amount("0.12/GiB", 0, "0.000000");
	assert_amount("0.12/GiB", 1, "0.000000");
	assert_amount("0.12/GiB", GIB, "0.120000");
	assert_amount("0.12/GiB", 4473, "0.000000"); /* 0.4999 millionths */
	assert_amount("0.12/GiB", 4474, "0.000001"); /* 0.50001 */
	assert_amount("0.12/GiB", 13421, "0.000001");
	assert_amount("0.12/GiB", 13422, "0.000002");
	assert_amount("0.001/KB", 499, "0.000499");
	assert_amount("0.0000005/B", 1, "0.000001"); /* exactly half */
	assert_amount("0.000000499/B", 1, "0.000000");
	assert_amount("0.0000005/B", 3, "0.000002");
	assert_amount("0.12/GiB", (1ULL << 53) + 1, "1006632.960000");
	assert_amount("1/B", 9223372036854, "9223372036854.000000");
	assert_amount("0/GiB", UINT64_MAX, "0.000000");
}

static void amounts_that_do_not_fit(void **state)
{
	struct price price, one = { 1000, 1 };
	__u64 micro = 42;

	(void)state;
	assert_true(price_parse("1/B", &price));
	assert_false(price_amount(&price, 9223372036855, &micro));
	assert_false(price_amount(&price, UINT64_MAX, &micro));
	assert_true(price_parse("1000000/B", &price));
	assert_false(price_amount(&price, UINT64_MAX, &micro));
	assert_int_equal(micro, 42);
	assert_true(price_amount(&one, INT64_MAX, &micro)); /* a millionth for each byte */
	assert_int_equal(micro, INT64_MAX);
	assert_false(price_amount(&one, (__u64)INT64_MAX + 1, &micro));
}

static void money(void **state)
{
	char text[MONEY_TEXT];

	(void)state;
	assert_string_equal(money_format(0, text), "0.000000");
	assert_string_equal(money_format(1, text), "0.000001");
	assert_string_equal(money_format(1234500, text), "1.234500");
	assert_string_equal(money_format(INT64_MAX, text), "9223372036854.775807");
}

static void money_for_people(void **state)
{
	static const struct {
		__u64 micro;
		const char *text;
	} cases[] = {
		{ 0, "0.00" },           { 1, "0.000001" },        { 10, "0.00001" },
		{ 14, "0.00001" },       { 15, "0.00002" },        { 96, "0.00010" },
		{ 449, "0.0004" },       { 450, "0.0005" },        { 4999, "0.005" },
		{ 5000, "0.01" },        { 14999, "0.01" },        { 15000, "0.02" },
		{ 1000000, "1.00" },     { 1234500, "1.23" },      { 11400000, "11.40" },
		{ 999994999, "999.99" }, { 999995000, "1000.00" }, { INT64_MAX, "9223372036854.78" },
	};
	char text[MONEY_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(money_short(cases[i].micro, text), cases[i].text);
}

static void timeouts_as_a_policy_has_them(void **state)
{
	static const struct {
		__u32 seconds;
		const char *text;
	} cases[] = { { 0, "0" },        { 1, "1s" },     { 90, "90s" },  { 60, "1m" },
		      { 3599, "3599s" }, { 5400, "90m" }, { 7200, "2h" }, { UINT32_MAX, "4294967295s" } };
	char text[TIMEOUT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(timeout_canonical(cases[i].seconds, text), cases[i].text);
}

static void times_for_people(void **state)
{
	static const struct {
		__u64 ms;
		const char *text;
	} cases[] = {
		{ 0, "0.0s" },
		{ 99, "0.0s" },
		{ 1530, "1.5s" },
		{ 59999, "59.9s" },
		{ 60000, "1m" },
		{ 602000, "10m2s" },
		{ 3599999, "59m59s" },
		{ 3600000, "1h" },
		{ 7260999, "2h1m" },
		{ 86399999, "23h59m" },
		{ 86400000, "1d" },
		{ 183600000, "2d3h" },
		{ UINT64_MAX, "213503982334d14h" },
	};
	char text[DURATION_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(duration_format(cases[i].ms, text), cases[i].text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_for_people),
		cmocka_unit_test(bytes_are_read),
		cmocka_unit_test(what_is_no_number_of_bytes),
		cmocka_unit_test(canonical_bytes),
		cmocka_unit_test(canonical_bytes_return),
		cmocka_unit_test(quotients),
		cmocka_unit_test(prices_are_read),
		cmocka_unit_test(what_is_no_price),
		cmocka_unit_test(amounts_are_rounded_half_up),
		cmocka_unit_test(amounts_that_do_not_fit),
		cmocka_unit_test(money),
		cmocka_unit_test(money_for_people),
		cmocka_unit_test(timeouts_as_a_policy_has_them),
		cmocka_unit_test(times_for_people),
	};

	return cmocka_run_group_tests_name("amount", tests, NULL, NULL);
}
