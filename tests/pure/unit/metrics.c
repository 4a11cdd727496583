// SPDX-License-Identifier: GPL-2.0-only
/* The writer of metrics: what it writes in both formats, and what it refuses to. */
#include <errno.h>

#include "metrics.h"
#include "test.h"

static char *text;
static size_t text_len;
static struct fault fault;

static FILE *begin(struct metrics **metrics, enum metrics_format format)
{
	FILE *out = open_memstream(&text, &text_len);

	*metrics = metrics_new(out, format);
	return out;
}

static int end(struct metrics *metrics, FILE *out)
{
	int err = metrics_end(metrics, &fault);

	fclose(out);
	return err;
}

static const struct label plain[] = { { "tenant", "a" }, { 0 } };

static void write_all_kinds(struct metrics *metrics)
{
	const struct label odd[] = { { "tenant", "q\"b\\n\n\xff\xc3\xa9" }, { "class", "x" }, { "empty", "" }, { 0 } };

	metrics_family(metrics, "t_sent_bytes_total", METRICS_COUNTER, "bytes", "Sent.\n\"Quoted\" \\ it.");
	metrics_sample(metrics, plain, UINT64_MAX);
	metrics_sample(metrics, odd, 0);
	metrics_family(metrics, "t_up", METRICS_GAUGE, NULL, "Up.");
	metrics_sample(metrics, NULL, 1);
	metrics_family(metrics, "t_build_info", METRICS_INFO, NULL, "Build.");
	metrics_sample(metrics, plain, 1);
	metrics_family(metrics, "t_age_seconds", METRICS_GAUGE, "seconds", "Age.");
	metrics_sample_seconds(metrics, NULL, 61005);
	metrics_sample_nanoseconds(metrics, plain, 1000001234);
	metrics_family(metrics, "t_none", METRICS_GAUGE, NULL, "None.");
}

static void writes_text(void **state)
{
	struct metrics *metrics;
	FILE *out = begin(&metrics, METRICS_TEXT);

	(void)state;
	write_all_kinds(metrics);
	assert_int_equal(end(metrics, out), 0);
	assert_string_equal(text,
			    "# HELP t_sent_bytes_total Sent.\\n\"Quoted\" \\\\ it.\n"
			    "# TYPE t_sent_bytes_total counter\n"
			    "t_sent_bytes_total{tenant=\"a\"} 18446744073709551615\n"
			    "t_sent_bytes_total{class=\"x\",tenant=\"q\\\"b\\\\n\\n\xef\xbf\xbd\xc3\xa9\"} 0\n"
			    "# HELP t_up Up.\n# TYPE t_up gauge\nt_up 1\n"
			    "# HELP t_build_info Build.\n# TYPE t_build_info gauge\nt_build_info{tenant=\"a\"} 1\n"
			    "# HELP t_age_seconds Age.\n# TYPE t_age_seconds gauge\nt_age_seconds 61.005\n"
			    "t_age_seconds{tenant=\"a\"} 1.000001234\n"
			    "# HELP t_none None.\n# TYPE t_none gauge\n");
	free(text);
}

static void writes_openmetrics(void **state)
{
	struct metrics *metrics;
	FILE *out = begin(&metrics, METRICS_OPENMETRICS);

	(void)state;
	write_all_kinds(metrics);
	assert_int_equal(end(metrics, out), 0);
	assert_string_equal(text,
			    "# HELP t_sent_bytes Sent.\\n\\\"Quoted\\\" \\\\ it.\n"
			    "# TYPE t_sent_bytes counter\n# UNIT t_sent_bytes bytes\n"
			    "t_sent_bytes_total{tenant=\"a\"} 18446744073709551615\n"
			    "t_sent_bytes_total{class=\"x\",tenant=\"q\\\"b\\\\n\\n\xef\xbf\xbd\xc3\xa9\"} 0\n"
			    "# HELP t_up Up.\n# TYPE t_up gauge\nt_up 1\n"
			    "# HELP t_build Build.\n# TYPE t_build info\nt_build_info{tenant=\"a\"} 1\n"
			    "# HELP t_age_seconds Age.\n# TYPE t_age_seconds gauge\n# UNIT t_age_seconds seconds\n"
			    "t_age_seconds 61.005\n"
			    "t_age_seconds{tenant=\"a\"} 1.000001234\n"
			    "# HELP t_none None.\n# TYPE t_none gauge\n# EOF\n");
	free(text);
}

static const struct family {
	const char *name;
	enum metrics_type type;
	const char *unit;
	const char *message; /* NULL: it is good */
} families[] = {
	{ "a_total", METRICS_COUNTER, NULL, NULL },
	{ "A9_b", METRICS_GAUGE, NULL, NULL },
	{ "a_totals", METRICS_GAUGE, NULL, NULL },
	{ "total", METRICS_GAUGE, NULL, NULL },
	{ "a_info", METRICS_INFO, NULL, NULL },
	{ "a_info_bytes", METRICS_GAUGE, "bytes", NULL },
	{ "", METRICS_GAUGE, NULL, "no name" },
	{ "9a", METRICS_GAUGE, NULL, "no name" },
	{ "_a", METRICS_GAUGE, NULL, "no name" },
	{ "__a", METRICS_GAUGE, NULL, "no name" },
	{ "a:b", METRICS_GAUGE, NULL, "no name" },
	{ "a-b", METRICS_GAUGE, NULL, "no name" },
	{ "a b", METRICS_GAUGE, NULL, "no name" },
	{ "a\nb", METRICS_GAUGE, NULL, "no name" },
	{ "\xc3\xa9", METRICS_GAUGE, NULL, "no name" },
	{ "a", METRICS_COUNTER, NULL, "does not end in _total" },
	{ "_total", METRICS_COUNTER, NULL, "no name" },
	{ "a_total", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_info", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_info", METRICS_COUNTER, NULL, "does not end in _total" },
	{ "a_total", METRICS_INFO, NULL, "does not end in _info" },
	{ "a_bucket", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_count", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_sum", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_created", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_gsum", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_gcount", METRICS_GAUGE, NULL, "ending of another type" },
	{ "a_sum_total", METRICS_COUNTER, NULL, "ending of another type" },
	{ "a_total_total", METRICS_COUNTER, NULL, "ending of another type" },
	{ "a_total_info", METRICS_INFO, NULL, "ending of another type" },
	{ "a_bytes_total", METRICS_COUNTER, "seconds", "does not name its unit" },
	{ "a_bytes_total", METRICS_COUNTER, "total", "does not name its unit" },
	{ "abytes", METRICS_GAUGE, "bytes", "does not name its unit" },
	{ "sentbytes", METRICS_GAUGE, "bytes", "does not name its unit" },
	{ "a_2b", METRICS_GAUGE, "2b", "does not name its unit" },
	{ "bytes", METRICS_GAUGE, "bytes", "does not name its unit" },
	{ "a_bytes", METRICS_GAUGE, "", "does not name its unit" },
	{ "a_bytes_info", METRICS_INFO, "bytes", "does not name its unit" },
};

/* A mistake is kept, and not a byte is written after it. */
static void judges_families(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(families); i++) {
		struct metrics *metrics;
		FILE *out = begin(&metrics, METRICS_OPENMETRICS);

		metrics_family(metrics, families[i].name, families[i].type, families[i].unit, "Help.");
		metrics_family(metrics, "good", METRICS_GAUGE, NULL, "Help.");
		metrics_sample(metrics, NULL, 1);
		if (families[i].message)
			metrics_family(metrics, "a mistake", METRICS_GAUGE, NULL, "Help.");
		if (end(metrics, out) != (families[i].message ? -EINVAL : 0))
			fail_msg("%s: '%s'", families[i].name, text);
		if (families[i].message &&
		    (!strstr(fault.text, families[i].message) || strstr(fault.text, "mistake") || *text))
			fail_msg("%s: %s '%s'", families[i].name, fault.text, text);
		free(text);
	}
}

static const struct set {
	struct label labels[METRICS_LABELS + 2];
	const char *message;
} sets[] = {
	{ { { "a", "1" }, { "B_2", "2" } }, NULL },
	{ { { "a", NULL } }, NULL },
	{ { { "l1", "" },
	    { "l2", "" },
	    { "l3", "" },
	    { "l4", "" },
	    { "l5", "" },
	    { "l6", "" },
	    { "l7", "" },
	    { "l8", "" } },
	  NULL },
	{ { { "l1", "" },
	    { "l2", "" },
	    { "l3", "" },
	    { "l4", "" },
	    { "l5", "" },
	    { "l6", "" },
	    { "l7", "" },
	    { "l8", "" },
	    { "l9", "" } },
	  "more than 8 labels" },
	{ { { "", "1" } }, "no name of a label" },
	{ { { "1a", "1" } }, "no name of a label" },
	{ { { "a-b", "1" } }, "no name of a label" },
	{ { { "a:b", "1" } }, "no name of a label" },
	{ { { "__name__", "1" } }, "no name of a label" },
	{ { { "_a", "1" } }, "no name of a label" },
	{ { { "le", "1" } }, "reserved" },
	{ { { "quantile", "1" } }, "reserved" },
	{ { { "t_sent", "1" } }, "reserved" },
	{ { { "t_sent_total", "1" } }, "reserved" },
	{ { { "a", "1" }, { "b", "1" }, { "a", "2" } }, "there twice" },
	{ { { "a", "" }, { "a", "1" } }, "there twice" },
};

static void judges_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct metrics *metrics;
		FILE *out = begin(&metrics, METRICS_TEXT);

		metrics_family(metrics, "t_sent_total", METRICS_COUNTER, NULL, "Help.");
		metrics_sample(metrics, sets[i].labels, 1);
		if (end(metrics, out) != (sets[i].message ? -EINVAL : 0))
			fail_msg("set %zu: '%s'", i, text);
		if (sets[i].message && (!strstr(fault.text, sets[i].message) || strstr(text, "\nt_sent")))
			fail_msg("set %zu: %s '%s'", i, fault.text, text);
		free(text);
	}
}

/* Two names a scraper would take for one family. */
static void refuses_a_family_twice(void **state)
{
	static const struct {
		const char *name;
		enum metrics_type type;
	} first[] = { { "a", METRICS_GAUGE }, { "a_total", METRICS_COUNTER }, { "a_info", METRICS_INFO } };

	(void)state;
	for (size_t i = 0; i < COUNT(first); i++) {
		for (size_t j = 0; j < COUNT(first); j++) {
			struct metrics *metrics;
			FILE *out = begin(&metrics, METRICS_TEXT);

			metrics_family(metrics, first[i].name, first[i].type, NULL, "Help.");
			metrics_family(metrics, "other", METRICS_GAUGE, NULL, "Help.");
			metrics_family(metrics, first[j].name, first[j].type, NULL, "Help.");
			assert_int_equal(end(metrics, out), -EINVAL);
			assert_non_null(strstr(fault.text, "was written before"));
			free(text);
		}
	}
}

static void refuses_a_series_twice(void **state)
{
	static const struct label again[][3] = {
		{ { "a", "1" }, { "b", "2" } },
		{ { "b", "2" }, { "a", "1" } },
	};
	static const struct label empty[][3] = { { { "a", "1" } }, { { "b", "" }, { "a", "1" } } };
	static const struct label garbled[][3] = { { { "a", "\xff" } }, { { "a", "\xef\xbf\xbd" } } };
	static const struct label(*const pairs[])[3] = { again, empty, garbled };

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct metrics *metrics;
		FILE *out = begin(&metrics, METRICS_TEXT);

		metrics_family(metrics, "t", METRICS_GAUGE, NULL, "Help.");
		metrics_sample(metrics, pairs[i][0], 1);
		metrics_sample(metrics, plain, 1);
		metrics_family(metrics, "u", METRICS_GAUGE, NULL, "Help.");
		metrics_sample(metrics, pairs[i][0], 1); /* another family's */
		metrics_sample(metrics, pairs[i][1], 1);
		assert_int_equal(end(metrics, out), -EINVAL);
		assert_non_null(strstr(fault.text, "there twice"));
		assert_non_null(strstr(text, "u{"));
		free(text);
	}
}

/* Quotes in a value cannot make it look like another series. */
static void keeps_series_apart(void **state)
{
	static const struct label sets_apart[][3] = {
		{ { "a", "1\",b=\"2" } },
		{ { "a", "1" }, { "b", "2" } },
		{ { "a", "1" } },
		{ { "a", "1\\" } },
		{ { "a", "1\n" } },
		{ { "a", "1\\n" } },
		{ { 0 } },
	};
	struct metrics *metrics;
	FILE *out = begin(&metrics, METRICS_TEXT);

	(void)state;
	metrics_family(metrics, "t", METRICS_GAUGE, NULL, "Help.");
	for (size_t i = 0; i < COUNT(sets_apart); i++)
		metrics_sample(metrics, sets_apart[i], 1);
	assert_int_equal(end(metrics, out), 0);
	free(text);
}

static void refuses_samples_out_of_place(void **state)
{
	struct metrics *metrics;
	FILE *out = begin(&metrics, METRICS_OPENMETRICS);

	(void)state;
	metrics_sample(metrics, plain, 1);
	assert_int_equal(end(metrics, out), -EINVAL);
	assert_non_null(strstr(fault.text, "before any family"));
	assert_string_equal(text, "");
	free(text);
	for (int digits = 0; digits <= 9; digits += 3) {
		out = begin(&metrics, METRICS_TEXT);
		metrics_family(metrics, "t_info", METRICS_INFO, NULL, "Help.");
		if (digits == 9)
			metrics_sample_nanoseconds(metrics, plain, 1000000000);
		else if (digits == 3)
			metrics_sample_seconds(metrics, plain, 1000);
		else
			metrics_sample(metrics, plain, 2);
		assert_int_equal(end(metrics, out), -EINVAL);
		assert_non_null(strstr(fault.text, "value of an info"));
		free(text);
	}
}

static void says_when_it_cannot_write(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct metrics *metrics = metrics_new(full, METRICS_TEXT);

	(void)state;
	metrics_family(metrics, "t", METRICS_GAUGE, NULL, "Help.");
	assert_int_equal(metrics_end(metrics, &fault), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_text),
		cmocka_unit_test(writes_openmetrics),
		cmocka_unit_test(judges_families),
		cmocka_unit_test(judges_labels),
		cmocka_unit_test(refuses_a_family_twice),
		cmocka_unit_test(refuses_a_series_twice),
		cmocka_unit_test(keeps_series_apart),
		cmocka_unit_test(refuses_samples_out_of_place),
		cmocka_unit_test(says_when_it_cannot_write),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
