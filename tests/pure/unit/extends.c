// SPDX-License-Identifier: GPL-2.0-only
/* Policies that extend others, which are texts here. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "policy.h"
#include "test.h"

struct base {
	const char *name, *text;
};

static char *find(void *data, const char *from, const char *name, char **file, size_t *len, struct fault *fault)
{
	const struct base *base = data;

	(void)from;
	while (base->name && strcmp(base->name, name))
		base++;
	if (!base->name) {
		fault_set(fault, ENOENT, "no such policy");
		return NULL;
	}
	*file = mem_printf("%s.yaml", name);
	*len = strlen(base->text);
	return mem_strdup(base->text);
}

static struct policy *read_text(const char *text, const struct base *bases, struct diags *diags)
{
	const struct policy_source source = { .base = find, .data = (void *)bases };

	return policy_read("own.yaml", text, strlen(text), &source, diags);
}

/* The one mistake there is has `words` in it, and is in the file. */
static void assert_refused(const char *text, const struct base *bases, const char *file, const char *words)
{
	struct diags diags = { 0 };
	size_t i = 0;

	assert_null(read_text(text, bases, &diags));
	assert_int_equal(diags.errors, 1);
	while (diags.v[i].note)
		i++;
	assert_string_equal(diags.v[i].file, file);
	if (!strstr(diags.v[i].text, words))
		fail_msg("'%s' lacks '%s'", diags.v[i].text, words);
	diags_free(&diags);
}

static struct policy *good(const char *text, const struct base *bases)
{
	struct diags diags = { 0 };
	struct policy *policy = read_text(text, bases, &diags);

	assert_non_null(policy);
	assert_int_equal(diags.n, 0);
	return policy;
}

static void there_may_be_none_to_extend(void **state)
{
	static const char text[] = "extends: other";
	struct diags diags = { 0 };

	(void)state;
	assert_null(policy_read("own.yaml", text, strlen(text), &(struct policy_source){ 0 }, &diags));
	assert_string_equal(diags.v[0].text, "'other': there is no policy to extend here");
	diags_free(&diags);
	assert_refused(text, (const struct base[]){ { 0 } }, "own.yaml", "'other': no such policy");
}

static void circles_are_refused(void **state)
{
	static const struct base circle[] = { { "a", "extends: b" }, { "b", "extends: a" }, { "own", "{}" }, { 0 } };

	(void)state;
	assert_refused("extends: own", circle, "own.yaml", "cannot extend itself");
	assert_refused("extends: a", circle, "b.yaml", "cannot extend itself");
}

static void the_levels_are_counted(void **state)
{
	static const struct base chain[] = { { "1", "{}" },         { "2", "extends: 1" }, { "3", "extends: 2" },
					     { "4", "extends: 3" }, { "5", "extends: 4" }, { "6", "extends: 5" },
					     { "7", "extends: 6" }, { "8", "extends: 7" }, { 0 } };
	struct policy *policy = good("extends: 7", chain);

	(void)state;
	assert_int_equal(policy->files.n, SW_LEVELS_MAX);
	policy_free(policy);
	assert_refused("extends: 8", chain, "2.yaml", "more than 8 policies");
}

/* `n` rules; to be freed. */
static char *rules(const char *before, unsigned n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fprintf(out, "%srules:\n", before);
	for (unsigned i = 1; i <= n; i++)
		fprintf(out, "  - deny: {port: %u}\n", i);
	fclose(out);
	return text;
}

static void the_rules_of_all_files_are_counted(void **state)
{
	char *most = rules("", SW_RULES_MAX - 1), *two = rules("extends: most\n", 2),
	     *one = rules("extends: most\n", 1);
	const struct base bases[] = { { "most", most }, { 0 } };
	struct policy *policy = good(one, bases);

	(void)state;
	assert_int_equal(policy->rules.n, SW_RULES_MAX);
	policy_free(policy);
	assert_refused(two, bases, "most.yaml", "4097 rules are too many");
	free(most);
	free(two);
	free(one);
}

static void rules_come_in_order_with_where_they_are(void **state)
{
	static const struct base bases[] = { { "a", "extends: b\nrules:\n  - deny: {port: 2}\n" },
					     { "b", "\n\nrules:\n  - deny: {port: 3}\n" },
					     { 0 } };
	struct policy *policy = good("rules:\n  - deny: {port: 1}\nextends: a\n", bases);
	static const struct origin want[] = { { 0, 2 }, { 1, 3 }, { 2, 4 } };
	char name[SW_NAME_MAX];

	(void)state;
	assert_int_equal(policy->rules.n, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(policy->rules.v[i].ports.v[0].first, i + 1);
		assert_memory_equal(&policy->rules.v[i].from, &want[i], sizeof(want[i]));
	}
	origin_name(policy, want[0], name);
	assert_string_equal(name, "");
	origin_name(policy, want[2], name);
	assert_string_equal(name, "b");
	policy_free(policy);
}

static void a_key_that_is_replaced_leaves_nothing(void **state)
{
	static const struct base bases[] = {
		{ "base", "budget: {bytes: 1, per: month, over: log}\nsearch: [a.example, b.example]\nprotocols: udp\n"
			  "unix: {deny: [/a, /b]}\nresolvers: 192.0.2.1\nidle-timeout: 1h\n" },
		{ 0 }
	};
	struct policy *policy = good("extends: base\nbudget: none\nsearch: none\nprotocols: tcp\nunix: [/c]\n"
				     "resolvers: 192.0.2.2\n",
				     bases);

	(void)state;
	assert_true(policy->budget == SW_NO_LIMIT);
	assert_int_equal(policy->budget_period, SW_DAY);
	assert_false(policy->budget_log);
	assert_int_equal(policy->search.n, 0);
	assert_int_equal(policy->protocols, 1 << SW_TCP);
	assert_int_equal(policy->paths.n, 1);
	assert_false(policy->unix_others);
	assert_int_equal(policy->resolvers.n, 1);
	assert_string_equal(policy->terms.v[policy->resolvers.v[0]].text, "192.0.2.2");
	assert_int_equal(policy->idle_timeout, 3600);
	policy_free(policy);
}

static const struct option_rule *option(const struct policy *policy, int name)
{
	for (size_t i = 0; i < policy->options.n; i++)
		if (policy->options.v[i].is.level == SOL_SOCKET && policy->options.v[i].is.name == name)
			return &policy->options.v[i];
	return NULL;
}

static void options_add_up(void **state)
{
	static const struct base bases[] = {
		{ "base", "sockopts:\n  mock: {SO_KEEPALIVE: 0, SO_LINGER: [0, 0]}\n  other: allow\n" },
		{ "strict", "extends: base\nsockopts: {other: deny}\n" },
		{ 0 }
	};
	struct policy *policy = good("extends: base\nsockopts:\n  pass: [SO_KEEPALIVE, SO_ERROR]\n", bases);

	(void)state;
	assert_int_equal(policy->options.n, 3);
	assert_true(option(policy, SO_KEEPALIVE)->is.pass);
	assert_int_equal(option(policy, SO_KEEPALIVE)->is.len, 0);
	assert_int_equal(option(policy, SO_KEEPALIVE)->from.line, 3);
	assert_false(option(policy, SO_LINGER)->is.pass);
	assert_true(policy->other_options);
	policy_free(policy);
	policy = good("extends: strict\nsockopts: {pass: SO_ERROR}\n", bases);
	assert_false(policy->other_options);
	policy_free(policy);
	assert_refused("extends: base\nsockopts: {pass: [SO_ERROR, SO_ERROR]}", bases, "own.yaml", "listed twice");
}

static void a_mistake_is_told_though_its_key_is_replaced(void **state)
{
	static const struct base bases[] = { { "base", "listen: perhaps" }, { 0 } };

	(void)state;
	assert_refused("extends: base\nlisten: deny\n", bases, "base.yaml", "'perhaps' is not known here");
}

static void ids_are_of_one_rule_in_all_files(void **state)
{
	static const struct base bases[] = { { "base", "rules: [{deny: {port: 25, id: a}}]" }, { 0 } };

	(void)state;
	policy_free(good("extends: base\nrules: [{deny: {port: 25, id: b}}]", bases));
	assert_refused("extends: base\nrules:\n  - deny: {port: 25, id: a}", bases, "base.yaml",
		       "'a' is the id of the rule at own.yaml:3");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_may_be_none_to_extend),
		cmocka_unit_test(circles_are_refused),
		cmocka_unit_test(the_levels_are_counted),
		cmocka_unit_test(the_rules_of_all_files_are_counted),
		cmocka_unit_test(rules_come_in_order_with_where_they_are),
		cmocka_unit_test(a_key_that_is_replaced_leaves_nothing),
		cmocka_unit_test(options_add_up),
		cmocka_unit_test(a_mistake_is_told_though_its_key_is_replaced),
		cmocka_unit_test(ids_are_of_one_rule_in_all_files),
	};

	return cmocka_run_group_tests_name("extends", tests, NULL, NULL);
}
