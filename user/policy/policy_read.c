// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "intern.h"
#include "node.h"
#include "policy.h"
#include "sets.h"
#include "sockopt.h"
#include "utf8.h"

/* What every function here works on. */
struct reader {
	struct policy *policy;
	struct place place; /* of the file; line and col are set at each message */
	net_source *source;
	void *data;
	struct diags *diags;
	struct intern texts; /* of the policy's terms, under the same numbers */
	size_t prefixes;     /* of all terms */
};

#define WRONG(reader, node, ...) diag_error((reader)->diags, place_of(reader, node), __VA_ARGS__)

static const struct place *place_of(struct reader *reader, const struct node *node)
{
	reader->place.line = node->line;
	reader->place.col = node->col;
	return &reader->place;
}

static const struct place *place_of_key(struct reader *reader, const struct node *node)
{
	reader->place.line = node->key_line;
	reader->place.col = node->key_col;
	return &reader->place;
}

/* A scalar that is not empty; says what was wanted otherwise. */
static const char *word(struct reader *reader, const struct node *node, const char *wanted)
{
	if (node->kind == NODE_SCALAR && *node->text)
		return node->text;
	if (!node->wrong)
		WRONG(reader, node, "%s is wanted here", wanted);
	return NULL;
}

static bool number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text) || (text[0] == '0' && text[1]))
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return !*end && !errno && *value <= max;
}

/* Calls `each` for a value, or for every value of a list. */
static void each_value(struct reader *reader, const struct node *node, const char *wanted,
		       void (*each)(struct reader *, const struct node *, void *), void *data)
{
	if (node->kind == NODE_MAP || (node->kind == NODE_LIST && !node->n)) {
		WRONG(reader, node, "%s is wanted here, or a list of them", wanted);
		return;
	}
	if (node->kind == NODE_SCALAR) {
		each(reader, node, data);
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		each(reader, node->v[i], data);
}

/* One of two or three words. Returns its index, or -1 with a message. */
static int choice(struct reader *reader, const struct node *node, const char *const words[])
{
	char wanted[64] = "";

	for (int i = 0; words[i]; i++) {
		if (node->kind == NODE_SCALAR && !strcmp(node->text, words[i]))
			return i;
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s%s",
			 !i             ? ""
			 : words[i + 1] ? ", "
					: " or ",
			 words[i]);
	}
	if (node->wrong)
		return -1;
	if (node->kind == NODE_SCALAR && *node->text)
		WRONG(reader, node, "'%.40s' is not known here: write %s", node->text, wanted);
	else
		WRONG(reader, node, "a single word is wanted here: %s", wanted);
	return -1;
}

static const char *const deny_allow[] = { "deny", "allow", NULL };
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

/* Letters, digits and hyphens between dots, as RFC 1123 has it; no wildcard. */
static bool is_dns_name(const char *text)
{
	size_t label = 0, len = strlen(text);

	if (!len || len > 253 || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dot = text[i] == '.';

		if (!isalnum((unsigned char)text[i]) && text[i] != '-' && !dot)
			return false;
		if (dot ? !label || text[i - 1] == '-' : label >= 63 || (!label && text[i] == '-'))
			return false;
		label = dot ? 0 : label + 1;
	}
	return label && text[len - 1] != '-';
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

/* Likewise where a DNS name is wanted. */
static const char *name_hint(const char *text)
{
	struct sw_prefix prefix;

	if (!prefix_parse(text, &prefix))
		return "an address goes into 'net'";
	if (strstr(text, "://"))
		return "a URL: write the name of its host, and its port by 'port'";
	if (strchr(text, '*'))
		return "there are no wildcards: write each name";
	if (strchr(text, ':'))
		return "a port goes into 'port', beside 'name'";
	return is_dns_name(text) ? NULL : "not a DNS name: write one such as smtp.example.com";
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
	size_t before = reader->diags->n;

	term->missing = !set_find(term->text, &term->prefixes) &&
			!reader->source(reader->data, reader->place.file, term->text, &term->prefixes, reader->diags);
	if (reader->diags->n != before)
		diag_note(reader->diags, place_of(reader, node), "'%.60s' is named here", term->text);
	else if (!term->missing && !term->prefixes.n)
		diag_note(reader->diags, place_of(reader, node), "'%.60s' is empty on this host: it matches nothing",
			  term->text);
}

/* Says so once, however many are too many. */
static void count_prefixes(struct reader *reader, const struct node *node, size_t n)
{
	bool before = reader->prefixes > SW_PREFIXES_MAX;

	reader->prefixes += n;
	if (!before && reader->prefixes > SW_PREFIXES_MAX)
		WRONG(reader, node, "more than %d prefixes up to here: join them, or leave some out", SW_PREFIXES_MAX);
}

/* A named set or a file. Lists are read once, and none any more when there are too many prefixes. */
static void add_list(struct reader *reader, const struct node *node, struct rule *rule)
{
	size_t terms = reader->policy->terms.n;
	__u32 number = term_number(reader, node->text);
	struct net_term *term = &reader->policy->terms.v[number];

	if (number == terms && reader->prefixes <= SW_PREFIXES_MAX) {
		find_prefixes(reader, node, term);
		count_prefixes(reader, node, term->prefixes.n);
	}
	if (term->missing && net_hint(node->text))
		WRONG(reader, node, "'%.60s': %s", node->text, net_hint(node->text));
	else if (term->missing)
		WRONG(reader, node,
		      "no set is named '%.40s': 'sockwarden ranges' lists them; or write a prefix, "
		      "or file:PATH",
		      node->text);
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

static void add_name(struct reader *reader, const struct node *node, void *data)
{
	const char *text = word(reader, node, "a DNS name"), *wrong;
	struct rule *rule = data;

	if (!text)
		return;
	wrong = name_hint(text);
	if (wrong)
		WRONG(reader, node, "'%.60s': %s", text, wrong);
	else
		*list_add(&rule->names) = mem_strdup(text);
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
		each_value(reader, node, "a prefix, a named set or file:PATH", add_net, rule);
	else if (!strcmp(node->key, "name"))
		each_value(reader, node, "a DNS name", add_name, rule);
	else if (!strcmp(node->key, "port"))
		each_value(reader, node, "a port or a range", add_port, rule);
	else if (!strcmp(node->key, "proto"))
		each_value(reader, node, "tcp or udp", add_proto, &rule->protos);
	else if (!strcmp(node->key, "exempt"))
		read_exempt(reader, node, rule);
	else
		diag_error(reader->diags, place_of_key(reader, node),
			   "'%.40s' is not known in a rule: net, name, port, proto and exempt are", node->key);
}

static void rule_free(struct rule *rule);

static void add_rule(struct reader *reader, const struct node *node)
{
	size_t before = reader->diags->errors;
	const struct node *body = node->kind == NODE_MAP && node->n == 1 ? node->v[0] : NULL;
	struct rule rule = { .line = node->line };

	if (!body || (strcmp(body->key, "allow") && strcmp(body->key, "deny"))) {
		WRONG(reader, node, "a rule is '- allow: {...}' or '- deny: {...}'");
		return;
	}
	rule.allow = !strcmp(body->key, "allow");
	if (body->kind != NODE_MAP || !body->n || (body->n == 1 && !strcmp(body->v[0]->key, "exempt"))) {
		WRONG(reader, body,
		      "say what the rule is about: net, name, port or proto; for everything there is "
		      "'default'");
		return;
	}
	for (size_t i = 0; i < body->n; i++)
		read_match(reader, body->v[i], &rule);
	if (rule.nets.n && rule.names.n)
		WRONG(reader, body, "net and name in one rule: write two rules");
	if (rule.names.n && !rule.allow)
		WRONG(reader, body, "a name cannot be denied: its addresses serve other names too; deny net instead");
	if (reader->diags->errors != before) {
		rule_free(&rule);
		return;
	}
	if (rule.names.n)
		diag_note(reader->diags, place_of(reader, node), "this rule " RULE_NAMES_NOTE);
	*list_add(&reader->policy->rules) = rule;
}

static void read_rules(struct reader *reader, const struct node *node)
{
	if (node->kind != NODE_LIST) {
		WRONG(reader, node, "rules is a list: '- allow: {...}' or '- deny: {...}', one a line");
		return;
	}
	if (node->n > SW_RULES_MAX) {
		WRONG(reader, node, "%zu rules are too many, %d are the most: put prefixes into file:PATH", node->n,
		      SW_RULES_MAX);
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		add_rule(reader, node->v[i]);
}

static void add_option(struct reader *reader, const struct place *place, const char *text, struct sw_option *rule)
{
	if (!sockopt_parse(text, &rule->level, &rule->name)) {
		diag_error(reader->diags, place,
			   "'%.40s' is no socket option known here: write its name, or "
			   "LEVEL:NUMBER",
			   text);
		return;
	}
	for (size_t i = 0; i < reader->policy->options.n; i++) {
		const struct sw_option *other = &reader->policy->options.v[i];

		if (other->level == rule->level && other->name == rule->name) {
			diag_error(reader->diags, place, "%.40s is listed twice: an option is mocked or passed, once",
				   text);
			return;
		}
	}
	if (reader->policy->options.n == SW_OPTIONS_MAX)
		diag_error(reader->diags, place,
			   "more than %d socket options: leave out the rest, and say what `other` is", SW_OPTIONS_MAX);
	else
		*list_add(&reader->policy->options) = *rule;
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

static void read_sockopts(struct reader *reader, const struct node *node)
{
	struct policy *policy = reader->policy;

	if (node->kind != NODE_MAP) {
		WRONG(reader, node, "sockopts is a map with mock, pass and other");
		return;
	}
	policy->other_options = false;
	for (size_t i = 0; i < node->n; i++) {
		const struct node *part = node->v[i];

		if (!strcmp(part->key, "mock"))
			read_mocks(reader, part);
		else if (!strcmp(part->key, "pass"))
			each_value(reader, part, "a socket option", add_pass, NULL);
		else if (!strcmp(part->key, "other"))
			policy->other_options = choice(reader, part, deny_allow) == 1;
		else
			diag_error(reader->diags, place_of_key(reader, part),
				   "'%.40s' is not known in sockopts: mock, pass and other are", part->key);
	}
}

static void read_timeout(struct reader *reader, const struct node *node)
{
	const char *text = word(reader, node, "a time such as 10m");

	if (text && !timeout_parse(text, &reader->policy->idle_timeout))
		WRONG(reader, node, "'%.40s' is not a time: write 90s, 10m or 2h, or 0 for never", text);
}

static void read_protocols(struct reader *reader, const struct node *node)
{
	reader->policy->protocols = 0;
	each_value(reader, node, "tcp or udp", add_proto, &reader->policy->protocols);
}

static void read_mode(struct reader *reader, const struct node *node)
{
	static const char *const words[] = { "enforce", "audit", NULL };

	reader->policy->audit = choice(reader, node, words) == 1;
}

static void read_listen(struct reader *reader, const struct node *node)
{
	reader->policy->listen = choice(reader, node, deny_allow) == 1;
}

static void read_bind(struct reader *reader, const struct node *node)
{
	static const char *const words[] = { "deny", "ephemeral", "allow", NULL };
	int bind = choice(reader, node, words);

	reader->policy->bind = bind < 0 ? SW_BIND_DENY : (enum sw_bind)bind;
}

static void read_transfer(struct reader *reader, const struct node *node)
{
	reader->policy->transfer = choice(reader, node, deny_allow) == 1;
}

static void read_revoke(struct reader *reader, const struct node *node)
{
	static const char *const words[] = { "drop", "close", NULL };

	reader->policy->revoke = choice(reader, node, words) == 1;
}

static void read_budget_key(struct reader *reader, const struct node *node)
{
	static const char *const periods[] = { "day", "month", NULL }, *const over[] = { "refuse", "log", NULL };
	struct policy *policy = reader->policy;

	if (!strcmp(node->key, "per"))
		policy->budget_period = choice(reader, node, periods) == 1 ? SW_MONTH : SW_DAY;
	else if (!strcmp(node->key, "over"))
		policy->budget_log = choice(reader, node, over) == 1;
	else if (strcmp(node->key, "bytes"))
		diag_error(reader->diags, place_of_key(reader, node),
			   "'%.40s' is not known in a budget: bytes, per and over are", node->key);
	else if (node->kind != NODE_SCALAR || !bytes_parse(node->text, &policy->budget))
		WRONG(reader, node, "a number of bytes is wanted here, such as 500MiB or 10GiB");
}

static void read_budget(struct reader *reader, const struct node *node)
{
	bool limited = false;

	if (node->kind == NODE_SCALAR && !strcmp(node->text, "none"))
		return;
	if (node->kind != NODE_MAP) {
		WRONG(reader, node, "a budget is written {bytes: 10GiB, per: day, over: refuse}, or none");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		read_budget_key(reader, node->v[i]);
		limited |= !strcmp(node->v[i]->key, "bytes");
	}
	if (!limited)
		WRONG(reader, node, "a budget without bytes: write {bytes: 10GiB, per: day}");
}

static void read_default(struct reader *reader, const struct node *node)
{
	reader->policy->default_allow = choice(reader, node, deny_allow) == 1;
}

static const struct key {
	const char *name;
	void (*read)(struct reader *, const struct node *);
} keys[] = {
	{ "mode", read_mode },        { "protocols", read_protocols }, { "listen", read_listen },
	{ "bind", read_bind },        { "transfer", read_transfer },   { "idle-timeout", read_timeout },
	{ "on-revoke", read_revoke }, { "budget", read_budget },       { "sockopts", read_sockopts },
	{ "rules", read_rules },      { "default", read_default },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void read_key(struct reader *reader, const struct node *node)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (!strcmp(keys[i].name, node->key)) {
			keys[i].read(reader, node);
			return;
		}
	}
	diag_error(reader->diags, place_of_key(reader, node),
		   "'%.40s' is not known here: mode, protocols, listen, bind, transfer, idle-timeout, on-revoke, "
		   "budget, sockopts, rules and default are",
		   node->key);
}

void policy_name(const char *file, char name[SW_NAME_MAX])
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
	int len = dot && dot > base ? dot - base : (int)strlen(base);

	snprintf(name, SW_NAME_MAX, "%.*s", len, base);
}

struct policy *policy_read(const char *file, const char *text, size_t len, net_source *source, void *data,
			   struct diags *diags)
{
	struct policy *policy = mem_alloc(1, sizeof(*policy));
	size_t mark = utf8_mark(text, len);
	struct reader reader = {
		.policy = policy,
		.place = { .file = file, .text = text + mark, .len = len - mark },
		.source = source,
		.data = data,
		.diags = diags,
	};
	size_t before = diags->errors;
	struct node *root = node_read(file, text, len, diags);

	policy_name(file, policy->name);
	policy->protocols = (1U << SW_PROTOS) - 1;
	policy->bind = SW_BIND_EPHEMERAL;
	policy->other_options = true;
	policy->budget = SW_NO_LIMIT;
	if (root && root->kind == NODE_MAP) {
		for (size_t i = 0; i < root->n; i++)
			read_key(&reader, root->v[i]);
	} else if (root || diags->errors == before) {
		diag_error(diags, root ? place_of(&reader, root) : &(struct place){ .file = file },
			   "a policy is a map: keys such as rules and default, each with its value");
	}
	node_free(root);
	intern_free(&reader.texts);
	if (diags->errors == before)
		return policy;
	policy_free(policy);
	return NULL;
}

static void rule_free(struct rule *rule)
{
	for (size_t i = 0; i < rule->names.n; i++)
		free(rule->names.v[i]);
	free(rule->nets.v);
	free(rule->names.v);
	free(rule->ports.v);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->rules.n; i++)
		rule_free(&policy->rules.v[i]);
	for (size_t i = 0; i < policy->terms.n; i++) {
		free(policy->terms.v[i].text);
		prefixes_free(&policy->terms.v[i].prefixes);
	}
	free(policy->terms.v);
	free(policy->rules.v);
	free(policy->options.v);
	free(policy);
}
