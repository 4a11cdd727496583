// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "reader.h"
#include "sets.h"

static bool number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text) || (text[0] == '0' && text[1]))
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return !*end && !errno && *value <= max;
}

static const char *const protos[] = { "tcp", "udp", NULL };

static void add_proto(struct reader *reader, const struct node *node, void *data)
{
	bool known =
		node->kind != NODE_SCALAR || !*node->text || !strcmp(node->text, "tcp") || !strcmp(node->text, "udp");
	int proto = known ? choice(reader, node, protos) : -1;
	__u32 *mask = data;

	if (!known)
		WRONG(reader, node,
		      "'%.40s' is not known here: write tcp or udp, or leave it out for both; others are always "
		      "refused",
		      node->text);
	else if (proto >= 0 && *mask & 1U << proto)
		WRONG(reader, node, "'%s' stands here twice: once is enough", node->text);
	else if (proto >= 0)
		*mask |= 1U << proto;
}

void read_protos(struct reader *reader, const struct node *node, __u32 *mask)
{
	each_value(reader, node, "tcp or udp", add_proto, mask);
}

static void add_port(struct reader *reader, const struct node *node, void *data)
{
	const char *text = word(reader, node, "a port or a range such as 8000-8999");
	struct rule *rule = data;
	unsigned long first, last;
	char *dash, copy[16];

	if (!text)
		return;
	snprintf(copy, sizeof(copy), "%s", text);
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	if (strlen(text) >= sizeof(copy) || !number(copy, 65535, &first) || !number(dash ? dash : copy, 65535, &last))
		WRONG(reader, node, "'%.40s' is not a port: %s", text,
		      strchr(text, ',')               ? "write a list, [80, 443]"
		      : isalpha((unsigned char)*text) ? "write its number, 443 for https"
						      : "write a number from 0 to 65535, or a range such as 8000-8999");
	else if (first > last)
		WRONG(reader, node, "the range %s runs backwards: write %lu-%lu", text, last, first);
	else
		*list_add(&rule->ports) = (struct port_range){ first, last };
}

/* What to do instead, to somebody who wrote another thing where a net is wanted; NULL if it is none of these. */
static const char *net_hint(const char *text)
{
	size_t address = strspn(text, "0123456789.");
	bool v4 = address && memchr(text, '.', address);

	if (strstr(text, "://"))
		return "a URL: write the name of its host by 'name', and its port by 'port'";
	if (*text == '[' || (v4 && text[address] == ':'))
		return "a port goes into 'port', beside 'net'";
	if (strchr(text, '*'))
		return "wildcards are written as a prefix: 10.0.0.0/24 for 10.0.0.*";
	if (v4 && text[address] == '-')
		return "a range is written as the prefixes that it is made of";
	if (isalpha((unsigned char)*text) && strchr(text, '.') && !strchr(text, '/'))
		return "a name goes into 'name', and a port into 'port'";
	return NULL;
}

/* The term of this text, a new one without prefixes if it is the first of its kind. */
static __u32 term_number(struct reader *reader, const char *text)
{
	__u32 number = intern(&reader->texts, text, strlen(text));

	if (number == reader->policy->terms.n)
		list_add(&reader->policy->terms)->text = mem_strdup(text);
	return number;
}

static void find_prefixes(struct reader *reader, const struct node *node, struct net_term *term)
{
	const struct policy_source *source = reader->source;
	size_t before = reader->diags->n;

	term->missing = !set_find(term->text, &term->prefixes) &&
			!source->net(source->data, reader->at->place.file, node->text, &term->prefixes, reader->diags);
	if (reader->diags->n != before)
		diag_note(reader->diags, place_of(reader, node), "'%.60s' is named here", node->text);
	else if (!term->missing && !term->prefixes.n)
		diag_note(reader->diags, place_of(reader, node), "'%.60s' is empty on this host: it matches nothing",
			  node->text);
}

/* Bytes of the path before the file's own name. */
static int folder_len(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 - file : 0;
}

/* The word as it is read from the policy's own file: file:PATH of a base in another folder is not beside that. */
static char *term_text(const struct reader *reader, const char *text)
{
	const char *own = reader->policy->files.v[0], *file = reader->at->place.file, *path = text + strlen("file:");
	int shared = folder_len(own);

	if (strncmp(text, "file:", strlen("file:")) || *path == '/')
		return mem_strdup(text);
	if (!strncmp(own, file, shared))
		file += shared;
	return mem_printf("file:%.*s%s", folder_len(file), file, path);
}

/* Says so once, however many are too many. */
static void count_prefixes(struct reader *reader, const struct node *node, size_t n)
{
	bool before = reader->prefixes > SW_PREFIXES_MAX;

	reader->prefixes += n;
	if (!before && reader->prefixes > SW_PREFIXES_MAX)
		WRONG(reader, node, "more than %d prefixes up to here: join them, or leave some out", SW_PREFIXES_MAX);
}

/* Whoever wrote the name of no set is told of those there are. */
static void say_sets(struct reader *reader, const struct node *node)
{
	const struct policy_source *source = reader->source;
	char *names = source->sets ? source->sets(source->data) : mem_strdup("");

	WRONG(reader, node,
	      "no set is named '%.40s': there are %.400s%sthe special-purpose ones that 'sockwarden ranges' lists; or "
	      "write a prefix, or file:PATH",
	      node->text, names, *names ? ", and " : "");
	free(names);
}

/* A named set or a file. Lists are read once, and none any more when there are too many prefixes. */
static void add_list(struct reader *reader, const struct node *node, struct rule *rule)
{
	size_t terms = reader->policy->terms.n;
	char *text = term_text(reader, node->text);
	__u32 number = term_number(reader, text);
	struct net_term *term = &reader->policy->terms.v[number];

	free(text);
	if (number == terms && reader->prefixes <= SW_PREFIXES_MAX) {
		find_prefixes(reader, node, term);
		count_prefixes(reader, node, term->prefixes.n);
	}
	if (term->missing && net_hint(node->text))
		WRONG(reader, node, "'%.60s': %s", node->text, net_hint(node->text));
	else if (term->missing)
		say_sets(reader, node);
	*list_add(&rule->nets) = number;
}

static void add_prefix(struct reader *reader, const struct node *node, struct rule *rule)
{
	char canonical[SW_PREFIX_TEXT];
	struct sw_prefix prefix;
	const char *wrong = prefix_parse(node->text, &prefix);
	struct net_term *term;

	if (wrong && net_hint(node->text)) {
		WRONG(reader, node, "'%.60s': %s", node->text, net_hint(node->text));
		return;
	}
	if (wrong) {
		WRONG(reader, node, "'%.60s': %s; a net is written 192.0.2.0/24 or 2001:db8::/32", node->text, wrong);
		return;
	}
	*list_add(&rule->nets) = term_number(reader, prefix_format(&prefix, canonical));
	term = &reader->policy->terms.v[rule->nets.v[rule->nets.n - 1]];
	if (term->literal)
		return;
	term->literal = true;
	*list_one(&term->prefixes) = prefix;
	count_prefixes(reader, node, 1);
}

static void add_net(struct reader *reader, const struct node *node, void *data)
{
	const char *text = word(reader, node, "a prefix, a named set or file:PATH");

	if (!text)
		return;
	if (isalpha((unsigned char)*text) && (!strchr(text, ':') || !strncmp(text, "file:", 5)))
		add_list(reader, node, data);
	else
		add_prefix(reader, node, data);
}

void read_nets(struct reader *reader, const struct node *node, struct rule *rule)
{
	each_value(reader, node, "a prefix, a named set or file:PATH", add_net, rule);
}

static void read_exempt(struct reader *reader, const struct node *node, struct rule *rule)
{
	static const char *const words[] = { "false", "true", NULL };

	rule->exempt = choice(reader, node, words) == 1;
	if (rule->exempt && !rule->allow)
		diag_error(reader->diags, place_of_key(reader, node),
			   "what is denied costs nothing: exempt goes with allow");
}

static void read_match(struct reader *reader, const struct node *node, struct rule *rule)
{
	if (!strcmp(node->key, "net"))
		read_nets(reader, node, rule);
	else if (!strcmp(node->key, "name"))
		read_names(reader, node, rule);
	else if (!strcmp(node->key, "port"))
		each_value(reader, node, "a port or a range", add_port, rule);
	else if (!strcmp(node->key, "proto"))
		read_protos(reader, node, &rule->protos);
	else if (!strcmp(node->key, "exempt"))
		read_exempt(reader, node, rule);
	else if (!strcmp(node->key, "private"))
		read_private(reader, node, rule);
	else if (!strcmp(node->key, "id"))
		read_id(reader, node, rule);
	else if (!strcmp(node->key, "description"))
		read_description(reader, node, rule);
	else
		diag_error(reader->diags, place_of_key(reader, node),
			   "'%.40s' is not known in a rule: net, name, port, proto, exempt, private, id and "
			   "description are",
			   node->key);
}

/* True if some key says what the rule is about, right or wrong. */
static bool says_what(const struct node *body)
{
	static const char *const others[] = { "exempt", "id", "description" };
	size_t n = body->n;

	for (size_t i = 0; i < body->n; i++)
		for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++)
			n -= !strcmp(body->v[i]->key, others[k]);
	return n;
}

static void add_rule(struct reader *reader, const struct node *node)
{
	size_t before = reader->diags->errors;
	const struct node *body = node->kind == NODE_MAP && node->n == 1 ? node->v[0] : NULL;
	struct rule rule = { .from = origin_of(reader, node->line) };

	if (!body || (strcmp(body->key, "allow") && strcmp(body->key, "deny"))) {
		WRONG(reader, node, "a rule is '- allow: {...}' or '- deny: {...}'");
		return;
	}
	rule.allow = !strcmp(body->key, "allow");
	if (body->kind != NODE_MAP || !says_what(body)) {
		WRONG(reader, body,
		      "say what the rule is about: net, name, port or proto; for everything there is "
		      "'default'");
		return;
	}
	reader->rule++;
	for (size_t i = 0; i < body->n; i++)
		read_match(reader, body->v[i], &rule);
	if (rule.nets.n && rule.names.n)
		WRONG(reader, body, "net and name in one rule: write two rules");
	if (rule.names.n && !rule.allow)
		WRONG(reader, body, "a name cannot be denied: its addresses serve other names too; deny net instead");
	if (rule.private && !rule.names.n && reader->diags->errors == before)
		WRONG(reader, body, "private says what a name may open: it goes with name");
	if (reader->diags->errors != before) {
		rule_free(&rule);
		return;
	}
	*list_add(&reader->policy->rules) = rule;
}

void read_rules(struct reader *reader, const struct node *node)
{
	size_t n = reader->policy->rules.n + node->n;

	if (node->kind != NODE_LIST) {
		WRONG(reader, node, "rules is a list: '- allow: {...}' or '- deny: {...}', one a line");
		return;
	}
	if (n > SW_RULES_MAX) {
		WRONG(reader, node, "%zu rules are too many, %d are the most: put prefixes into file:PATH", n,
		      SW_RULES_MAX);
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		add_rule(reader, node->v[i]);
}

void rule_free(struct rule *rule)
{
	for (size_t i = 0; i < rule->names.n; i++)
		free(rule->names.v[i]);
	free(rule->id);
	free(rule->description);
	free(rule->nets.v);
	free(rule->names.v);
	free(rule->ports.v);
}
