// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "allow.h"
#include "amount.h"
#include "reader.h"

const struct place *place_of(struct reader *reader, const struct node *node)
{
	reader->at->place.line = node->line;
	reader->at->place.col = node->col;
	return &reader->at->place;
}

const struct place *place_of_key(struct reader *reader, const struct node *node)
{
	reader->at->place.line = node->key_line;
	reader->at->place.col = node->key_col;
	return &reader->at->place;
}

struct origin origin_of(const struct reader *reader, unsigned line)
{
	return (struct origin){ .file = reader->at->number, .line = line };
}

/* A scalar that is not empty; says what was wanted otherwise. */
const char *word(struct reader *reader, const struct node *node, const char *wanted)
{
	if (node->kind == NODE_SCALAR && *node->text)
		return node->text;
	if (!node->wrong)
		WRONG(reader, node, "%s is wanted here", wanted);
	return NULL;
}

/* Calls `each` for a value, or for every value of a list. */
void each_value(struct reader *reader, const struct node *node, const char *wanted,
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
int choice(struct reader *reader, const struct node *node, const char *const words[])
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

const char *const deny_allow[] = { "deny", "allow", NULL };

static void read_timeout(struct reader *reader, const struct node *node)
{
	const char *text = word(reader, node, "a time such as 10m");

	if (text && !timeout_parse(text, &reader->policy->idle_timeout))
		WRONG(reader, node, "'%.40s' is not a time: write 90s, 10m or 2h, or 0 for never", text);
}

static void read_protocols(struct reader *reader, const struct node *node)
{
	reader->policy->protocols = 0;
	read_protos(reader, node, &reader->policy->protocols);
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

static void read_system_calls(struct reader *reader, const struct node *node)
{
	static const char *const words[] = { "filter", "allow", NULL };

	reader->policy->system_calls = choice(reader, node, words) == 1;
}

static void read_user_namespaces(struct reader *reader, const struct node *node)
{
	reader->policy->user_namespaces = choice(reader, node, deny_allow) == 1;
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
	struct policy *policy = reader->policy;
	bool limited = false;

	policy->budget = SW_NO_LIMIT;
	policy->budget_period = SW_DAY;
	policy->budget_log = false;
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

/* In the order in which they are read: the rules of a file come before those of its base, its other keys after. */
static const struct key {
	const char *name;
	void (*read)(struct reader *, const struct node *);
} keys[POLICY_KEYS] = {
	[KEY_RULES] = { "rules", read_rules },
	[KEY_EXTENDS] = { "extends", read_extends },
	[KEY_MODE] = { "mode", read_mode },
	[KEY_PROTOCOLS] = { "protocols", read_protocols },
	[KEY_LISTEN] = { "listen", read_listen },
	[KEY_BIND] = { "bind", read_bind },
	[KEY_TRANSFER] = { "transfer", read_transfer },
	[KEY_TIMEOUT] = { "idle-timeout", read_timeout },
	[KEY_REVOKE] = { "on-revoke", read_revoke },
	[KEY_BUDGET] = { "budget", read_budget },
	[KEY_RESOLVERS] = { "resolvers", read_resolvers },
	[KEY_KEEP] = { "keep", read_keep },
	[KEY_GATE] = { "gate", read_gate },
	[KEY_SEARCH] = { "search", read_search },
	[KEY_SYSTEM_CALLS] = { "system-calls", read_system_calls },
	[KEY_USER_NAMESPACES] = { "user-namespaces", read_user_namespaces },
	[KEY_UNIX] = { "unix", read_unix },
	[KEY_SOCKOPTS] = { "sockopts", read_sockopts },
	[KEY_DEFAULT] = { "default", read_default },
};

/* POLICY_KEYS for a key that is not known. */
static int key_number(const char *name)
{
	int key = 0;

	while (key < POLICY_KEYS && strcmp(keys[key].name, name))
		key++;
	return key;
}

void read_keys(struct reader *reader, const struct node *map)
{
	const struct node *of[POLICY_KEYS + 1] = { 0 };

	for (size_t i = 0; i < map->n; i++) {
		int key = key_number(map->v[i]->key);

		of[key] = map->v[i];
		if (key == POLICY_KEYS)
			diag_error(reader->diags, place_of_key(reader, map->v[i]),
				   "'%.40s' is not known here: extends, mode, protocols, listen, bind, transfer, "
				   "idle-timeout, on-revoke, budget, resolvers, keep, gate, search, system-calls, "
				   "user-namespaces, unix, sockopts, rules and default are",
				   map->v[i]->key);
	}
	for (int key = 0; key < POLICY_KEYS; key++) {
		if (!of[key])
			continue;
		keys[key].read(reader, of[key]);
		reader->policy->said[key] = origin_of(reader, of[key]->key_line);
	}
}

void policy_name(const char *file, char name[SW_NAME_MAX])
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
	int len = dot && dot > base ? dot - base : (int)strlen(base);

	if (policy_is_allow(file))
		snprintf(name, SW_NAME_MAX, "allow");
	else
		snprintf(name, SW_NAME_MAX, "%.*s", len, base);
}

struct policy *policy_read_under(const char *key, const char *file, const char *text, size_t len,
				 const struct policy_source *source, struct diags *diags)
{
	struct policy *policy = mem_alloc(1, sizeof(*policy));
	struct reader reader = { .policy = policy, .source = source, .diags = diags };
	struct reading nowhere = { .place = { .file = file } };
	size_t before = diags->errors;

	policy_name(file, policy->name);
	policy->protocols = (1U << SW_PROTOS) - 1;
	policy->bind = SW_BIND_EPHEMERAL;
	policy->other_options = true;
	policy->budget = SW_NO_LIMIT;
	policy->keep = SW_KEEP;
	policy->user_namespaces = true;
	policy->unix_others = true;
	read_file(&reader, mem_strdup(file), text, len, key);
	reader.at = &nowhere;
	finish_names(&reader);
	intern_free(&reader.texts);
	intern_free(&reader.patterns);
	intern_free(&reader.ids);
	free(reader.id_from.v);
	free(reader.last_rule.v);
	if (diags->errors == before)
		return policy;
	policy_free(policy);
	return NULL;
}

struct policy *policy_read(const char *file, const char *text, size_t len, const struct policy_source *source,
			   struct diags *diags)
{
	return policy_read_under(NULL, file, text, len, source, diags);
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
	free(policy->paths.v);
	for (size_t i = 0; i < policy->search.n; i++)
		free(policy->search.v[i]);
	free(policy->search.v);
	free(policy->resolvers.v);
	for (size_t i = 0; i < policy->files.n; i++)
		free(policy->files.v[i]);
	free(policy->files.v);
	free(policy);
}
