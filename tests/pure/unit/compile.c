// SPDX-License-Identifier: GPL-2.0-only
/* What the reader and the compiler take on, and what they refuse before it costs memory or time. */
#include "image.h"
#include "test.h"

static size_t asked;

/* 10.0.0.0/8 in `n` prefixes, for "file:N". */
static bool many(void *data, const char *from, const char *text, struct prefixes *out, struct diags *diags)
{
	size_t n = strtoul(text + strlen("file:"), NULL, 10);

	(void)data, (void)from, (void)diags;
	for (size_t i = 0; i < n; i++)
		*list_add(out) =
			(struct sw_prefix){ .len = 128, .addr.b = { [10] = 0xff, 0xff, 10, i >> 16, i >> 8, i } };
	asked++;
	return true;
}

struct text {
	char *v;
	size_t n;
	FILE *out;
};

static void begin(struct text *text)
{
	text->out = open_memstream(&text->v, &text->n);
	fputs("rules:\n", text->out);
}

static struct policy *end(struct text *text, struct diags *diags)
{
	struct policy *policy;

	fclose(text->out);
	asked = 0;
	policy = policy_read("x.yaml", text->v, text->n, &(struct policy_source){ .net = many }, diags);
	free(text->v);
	return policy;
}

/* The one message there is has `words` in it. */
static void refused(struct diags *diags, const char *words)
{
	assert_int_equal(diags->errors, 1);
	if (!strstr(diags->v[0].text, words))
		fail_msg("'%s' lacks '%s'", diags->v[0].text, words);
	diags_free(diags);
}

static void a_list_is_read_and_kept_once(void **state)
{
	struct diags diags = { 0 };
	struct text text;
	struct policy *policy;
	struct image *image;

	(void)state;
	begin(&text);
	for (int i = 0; i < SW_RULES_MAX; i++)
		fprintf(text.out, "- deny: {net: [\"file:1000\", 192.0.2.1], port: %d}\n", i);
	policy = end(&text, &diags);
	assert_non_null(policy);
	assert_int_equal(asked, 1);
	assert_int_equal(policy->terms.n, 2);
	image = compile(policy, &diags);
	assert_non_null(image);
	assert_int_equal(image->entries.n, 1 + 1000 + 1);
	assert_int_equal(image->spans.n, 1 + 2 * (SW_RULES_MAX + 1));
	image_free(image);
	policy_free(policy);
	diags_free(&diags);
}

static void too_many_names_are_refused_once(void **state)
{
	struct diags diags = { 0 };
	struct text text;
	struct policy *policy;

	(void)state;
	begin(&text);
	for (int r = 0; r < 2; r++) { /* the same again is none more */
		fputs("- allow: {name: [", text.out);
		for (int i = 0; i < SW_PATTERNS_MAX; i++)
			fprintf(text.out, "n%d.example, ", i);
		fputs("]}\n", text.out);
	}
	fputs("resolvers: 192.0.2.1\n", text.out);
	policy = end(&text, &diags);
	assert_non_null(policy);
	policy_free(policy);
	begin(&text);
	for (int i = 0; i < SW_PATTERNS_MAX + 2; i++)
		fprintf(text.out, "%sn%d.example", i ? ", " : "- allow: {name: [", i);
	fputs("]}\nresolvers: 192.0.2.1\n", text.out);
	assert_null(end(&text, &diags));
	refused(&diags, "more than 65536 different names");
}

static void too_many_prefixes_are_refused_once(void **state)
{
	struct diags diags = { 0 };
	struct text text;

	(void)state;
	begin(&text);
	for (int i = 0; i < 1000; i++)
		fprintf(text.out, "- deny: {net: \"file:%d\"}\n", 300000 + i);
	assert_null(end(&text, &diags));
	assert_int_equal(asked, 7);
	refused(&diags, "more than 2000000 prefixes");
}

static void too_many_values_are_refused(void **state)
{
	struct diags diags = { 0 };
	struct text text;

	(void)state;
	begin(&text);
	fputs("- deny: {port: [", text.out);
	for (int i = 0; i < 1000000; i++)
		fputs("1,", text.out);
	fputs("1]}\n", text.out);
	assert_null(end(&text, &diags));
	assert_int_equal(diags.errors, 1);
	refused(&diags, "values up to here");
}

/* Prefixes in one that has every other port, each with a port of its own: a list of 65,536 answers for every one. */
static void compile_nested(int step, unsigned prefixes)
{
	struct diags diags = { 0 };
	struct text text;
	struct policy *policy;

	begin(&text);
	fputs("- deny: {net: 10.0.0.0/8, port: [0", text.out);
	for (int port = 2; port < 65536; port += 2)
		fprintf(text.out, ",%d", port);
	fputs("]}\n", text.out);
	for (unsigned i = 0; i < prefixes; i++)
		fprintf(text.out, "- deny: {net: 10.%u.%u.0/24, port: %u}\n", i >> 8, i & 255, i * 2 + step);
	policy = end(&text, &diags);
	assert_non_null(policy);
	assert_null(compile(policy, &diags));
	refused(&diags, "overlap in too many ways");
	policy_free(policy);
}

static void too_many_spans_are_refused(void **state)
{
	(void)state;
	compile_nested(1, 100);
}

/* All of them come to the same, which is found out one by one. */
static void too_many_steps_are_refused(void **state)
{
	(void)state;
	compile_nested(0, 4000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_names_are_refused_once),    cmocka_unit_test(a_list_is_read_and_kept_once),
		cmocka_unit_test(too_many_prefixes_are_refused_once), cmocka_unit_test(too_many_values_are_refused),
		cmocka_unit_test(too_many_spans_are_refused),         cmocka_unit_test(too_many_steps_are_refused),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
