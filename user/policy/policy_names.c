// SPDX-License-Identifier: GPL-2.0-only
/* What a policy says of DNS names: those of its rules, and whose answers about them count, and for how long. */
#include <stdlib.h>

#include "amount.h"
#include "domain.h"
#include "reader.h"
#include "resolv.h"

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

/* No top-level domain is a number, so this is an address that was mistyped. */
static bool ends_in_number(const char *text)
{
	const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;

	return *last && !last[strspn(last, "0123456789")];
}

/* What is wrong with the text, which is no name, or no good one. */
static const char *name_flaw(const char *text)
{
	struct sw_prefix prefix;

	if (!prefix_parse(text, &prefix))
		return "an address goes into 'net'";
	if (strstr(text, "://"))
		return "a URL: write the name of its host, and its port by 'port'";
	if (!is_ascii(text))
		return "a name is asked for in its ASCII form: write that, xn--... (idn2 converts)";
	if (strchr(text, ':'))
		return "a port goes into 'port', beside 'name'";
	if (!strcmp(text, "*"))
		return "every name there is: leave 'name' out, and write the ports";
	if (strchr(text + 1, '*') || (*text == '*' && text[1] != '.'))
		return "a * stands for all that is below a domain, and only in front: *.example.com";
	if (ends_in_number(text))
		return "not an address, and not a name, for its end is a number";
	return "not a DNS name: write one such as smtp.example.com, or *.example.com";
}

/* The name, or the pattern *.example.com, as it is kept; NULL with a message. To be freed. */
static char *name_read(struct reader *reader, const struct node *node)
{
	const char *text = word(reader, node, "a DNS name");
	bool below = text && !strncmp(text, "*.", 2);
	char *name = text ? domain_name(below ? text + 2 : text) : NULL, *pattern;

	if (text && (!name || ends_in_number(name) || (below && strlen(name) + 2 > SW_DOMAIN_LEN))) {
		WRONG(reader, node, "'%.60s': %s", text, name_flaw(text));
		free(name);
		return NULL;
	}
	if (!below)
		return name;
	pattern = mem_printf("*.%s", name);
	free(name);
	return pattern;
}

/* False with a message, once, if the policy has too many names. `last` is the last rule that has it. */
static bool count_pattern(struct reader *reader, const struct node *node, const char *text, size_t **last)
{
	__u32 number = intern(&reader->patterns, text, strlen(text));

	if (number == reader->last_rule.n) {
		*list_add(&reader->last_rule) = 0;
		if (reader->last_rule.n == SW_PATTERNS_MAX + 1)
			WRONG(reader, node, "more than %d different names up to here: write *.example.com for many",
			      SW_PATTERNS_MAX);
	}
	*last = &reader->last_rule.v[number];
	return reader->last_rule.n <= SW_PATTERNS_MAX;
}

static void add_name(struct reader *reader, const struct node *node, void *data)
{
	char *name = name_read(reader, node);
	struct rule *rule = data;
	size_t *last;

	if (!name)
		return;
	if (!count_pattern(reader, node, name, &last)) {
		free(name);
		return;
	}
	if (*last == reader->rule) {
		WRONG(reader, node, "'%.60s' stands here twice: once is enough", name);
		free(name);
		return;
	}
	*last = reader->rule;
	if (!strncmp(name, "*.", 2) && !strchr(name + 2, '.'))
		diag_note(reader->diags, place_of(reader, node), "'%.60s' is every name of a whole top-level domain",
			  name);
	*list_add(&rule->names) = name;
}

void read_names(struct reader *reader, const struct node *node, struct rule *rule)
{
	each_value(reader, node, "a DNS name", add_name, rule);
}

void read_private(struct reader *reader, const struct node *node, struct rule *rule)
{
	rule->private = choice(reader, node, deny_allow) == 1;
}

void read_resolvers(struct reader *reader, const struct node *node)
{
	struct rule rule = { 0 };

	read_nets(reader, node, &rule);
	free(reader->policy->resolvers.v);
	reader->policy->resolvers.v = rule.nets.v;
	reader->policy->resolvers.n = rule.nets.n;
	reader->policy->says_resolvers = true;
}

void read_keep(struct reader *reader, const struct node *node)
{
	const char *text = word(reader, node, "a time such as 10m");
	__u32 *keep = &reader->policy->keep;

	if (text && (!timeout_parse(text, keep) || !*keep || *keep > SW_KEEP_MAX))
		WRONG(reader, node, "'%.40s' is not a time from 1s to 168h: write one such as 90s, 10m or 2h", text);
}

void read_gate(struct reader *reader, const struct node *node)
{
	static const char *const words[] = { "none", "dns", NULL };

	reader->policy->gate = choice(reader, node, words) == 1;
}

static bool has_search(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->search.n; i++)
		if (!strcmp(policy->search.v[i], name))
			return true;
	return false;
}

static void add_search(struct reader *reader, const struct node *node, void *data)
{
	char *name = name_read(reader, node), *below;
	struct policy *policy = reader->policy;
	size_t *last;

	(void)data;
	if (!name)
		return;
	below = mem_printf("*.%s", name);
	if (*name == '*' || strlen(below) > SW_DOMAIN_LEN)
		WRONG(reader, node, "'%.60s': a domain is wanted here, such as example.com", name);
	else if (has_search(policy, name))
		WRONG(reader, node, "'%.60s' stands here twice: once is enough", name);
	else if (policy->search.n == SW_SEARCH_MAX)
		WRONG(reader, node, "more than %d domains: a program asks for each name in all of them", SW_SEARCH_MAX);
	else if (count_pattern(reader, node, below, &last))
		*list_add(&policy->search) = mem_strdup(name);
	free(below);
	free(name);
}

void read_search(struct reader *reader, const struct node *node)
{
	struct policy *policy = reader->policy;

	while (policy->search.n)
		free(policy->search.v[--policy->search.n]);
	policy->says_search = true;
	if (node->kind != NODE_SCALAR || strcmp(node->text, "none"))
		each_value(reader, node, "a domain, or none", add_search, NULL);
}

static void believe_usual(struct reader *reader)
{
	static const char *const usual[] = { RESOLVERS_USUAL };
	struct node node = { .kind = NODE_LIST };
	struct node items[sizeof(usual) / sizeof(*usual)] = { 0 }, *list[sizeof(usual) / sizeof(*usual)];

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		items[i].text = (char *)usual[i];
		list[i] = &items[i];
	}
	node.v = list;
	node.n = sizeof(usual) / sizeof(*usual);
	read_resolvers(reader, &node);
	reader->policy->says_resolvers = false;
}

void finish_names(struct reader *reader)
{
	if (policy_has_names(reader->policy) && !reader->policy->says_resolvers)
		believe_usual(reader);
}
