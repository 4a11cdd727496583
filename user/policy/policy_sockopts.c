// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "reader.h"
#include "sockopt.h"

static struct option_rule *find_option(struct policy *policy, const struct sw_option *wanted)
{
	for (size_t i = 0; i < policy->options.n; i++) {
		struct option_rule *rule = &policy->options.v[i];

		if (rule->is.level == wanted->level && rule->is.name == wanted->name)
			return rule;
	}
	return NULL;
}

/* What a file says of an option takes the place of what its base says. */
static void add_option(struct reader *reader, const struct place *place, const char *text, struct sw_option *rule)
{
	struct policy *policy = reader->policy;
	struct option_rule *other;

	if (!sockopt_parse(text, &rule->level, &rule->name)) {
		diag_error(reader->diags, place,
			   "'%.40s' is no socket option known here: write its name, or "
			   "LEVEL:NUMBER",
			   text);
		return;
	}
	other = find_option(policy, rule);
	if (other && other->from.file == reader->at->number)
		diag_error(reader->diags, place, "%.40s is listed twice: an option is mocked or passed, once", text);
	else if (!other && policy->options.n == SW_OPTIONS_MAX)
		diag_error(reader->diags, place,
			   "more than %d socket options: leave out the rest, and say what `other` is", SW_OPTIONS_MAX);
	else
		*(other ? other : list_add(&policy->options)) =
			(struct option_rule){ .is = *rule, .from = origin_of(reader, place->line) };
}

static void add_mock_value(struct reader *reader, const struct node *node, void *data)
{
	const char *text = word(reader, node, "a number");
	struct sw_option *rule = data;
	long value;
	char *end;

	if (!text)
		return;
	errno = 0;
	value = strtol(text, &end, 10);
	if (*end || errno || value < -2147483648L || value > 2147483647L) {
		WRONG(reader, node, "'%.40s' is not a 32-bit number: write one such as 0 or 2097152", text);
	} else if (rule->len + 4 > SW_OPTVAL_MAX) {
		WRONG(reader, node, "a mock value has one number, or two: leave out the rest");
	} else {
		__s32 number32 = value;

		memcpy(rule->val + rule->len, &number32, 4);
		rule->len += 4;
	}
}

static void read_mocks(struct reader *reader, const struct node *node)
{
	if (node->kind != NODE_MAP) {
		WRONG(reader, node, "mock is a map of options and values, such as SO_KEEPALIVE: 0");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		struct sw_option rule = { 0 };

		each_value(reader, node->v[i], "a number", add_mock_value, &rule);
		add_option(reader, place_of_key(reader, node->v[i]), node->v[i]->key, &rule);
	}
}

static void add_pass(struct reader *reader, const struct node *node, void *data)
{
	const char *text = word(reader, node, "a socket option");
	struct sw_option rule = { .pass = 1 };

	(void)data;
	if (text)
		add_option(reader, place_of(reader, node), text, &rule);
}

static void read_other(struct reader *reader, const struct node *node)
{
	reader->policy->other_options = choice(reader, node, deny_allow) == 1;
	reader->policy->other_said = origin_of(reader, node->key_line);
}

void read_sockopts(struct reader *reader, const struct node *node)
{
	struct policy *policy = reader->policy;

	if (node->kind != NODE_MAP) {
		WRONG(reader, node, "sockopts is a map with mock, pass and other");
		return;
	}
	if (!policy->other_said.line) { /* or it stays as the base has it */
		policy->other_options = false;
		policy->other_said = origin_of(reader, node->key_line);
	}
	for (size_t i = 0; i < node->n; i++) {
		const struct node *part = node->v[i];

		if (!strcmp(part->key, "mock"))
			read_mocks(reader, part);
		else if (!strcmp(part->key, "pass"))
			each_value(reader, part, "a socket option", add_pass, NULL);
		else if (!strcmp(part->key, "other"))
			read_other(reader, part);
		else
			diag_error(reader->diags, place_of_key(reader, part),
				   "'%.40s' is not known in sockopts: mock, pass and other are", part->key);
	}
}
