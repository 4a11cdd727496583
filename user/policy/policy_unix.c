// SPDX-License-Identifier: GPL-2.0-only
/* What a policy says of unix sockets: a few by their paths or abstract names, and all others. */
#include "reader.h"

static const char *path_flaw(const char *text)
{
	if (*text != '/' && *text != '@')
		return "a path is written from the root on, /run/..., an abstract name as @name";
	if (!text[1])
		return "a name is wanted behind it";
	if (strlen(text) > SW_UNIX_NAME)
		return "more than 107 bytes are no socket's name";
	return NULL;
}

static struct sw_unix path_of(const char *text, enum sw_unix_answer answer)
{
	struct sw_unix path = { .answer = answer, .len = strlen(text) };

	memcpy(path.text, text, path.len);
	if (*text == '@')
		*path.text = '\0';
	return path;
}

const char *unix_format(const struct sw_unix *path, char text[SW_UNIX_TEXT])
{
	memcpy(text, path->text, SW_UNIX_TEXT);
	if (!*text)
		*text = '@';
	return text;
}

const struct sw_unix *unix_find(const struct sw_unix *paths, size_t n, const struct sw_unix *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i].len == wanted->len && !memcmp(paths[i].text, wanted->text, sizeof(wanted->text)))
			return &paths[i];
	return NULL;
}

static void add_path(struct reader *reader, const struct node *node, void *data)
{
	const enum sw_unix_answer *answer = data;
	const char *text = word(reader, node, "the path of a unix socket, or @name"),
		   *flaw = text ? path_flaw(text) : NULL;
	struct policy *policy = reader->policy;
	struct sw_unix path;

	if (flaw)
		WRONG(reader, node, "'%.60s': %s", text, flaw);
	if (!text || flaw)
		return;
	path = path_of(text, *answer);
	if (unix_find(policy->paths.v, policy->paths.n, &path))
		WRONG(reader, node, "'%.60s' is listed twice: a socket is allowed or denied, once", text);
	else if (policy->paths.n == SW_PATHS_MAX)
		WRONG(reader, node, "more than %d unix sockets: leave out the rest, and say what `other` is",
		      SW_PATHS_MAX);
	else
		*list_add(&policy->paths) = path;
}

static void read_paths(struct reader *reader, const struct node *node, enum sw_unix_answer answer)
{
	each_value(reader, node, "the path of a unix socket, or @name", add_path, &answer);
}

static void read_part(struct reader *reader, const struct node *node)
{
	if (!strcmp(node->key, "allow"))
		read_paths(reader, node, SW_UNIX_ALLOW);
	else if (!strcmp(node->key, "deny"))
		read_paths(reader, node, SW_UNIX_DENY);
	else if (!strcmp(node->key, "other"))
		reader->policy->unix_others = choice(reader, node, deny_allow) == 1;
	else
		diag_error(reader->diags, place_of_key(reader, node),
			   "'%.40s' is not known in unix: allow, deny and other are", node->key);
}

/* A word says what all others are, a list what alone is allowed; both are short for the map. */
void read_unix(struct reader *reader, const struct node *node)
{
	struct policy *policy = reader->policy;

	policy->paths.n = 0;
	policy->unix_others = false;
	if (node->kind == NODE_LIST)
		read_paths(reader, node, SW_UNIX_ALLOW);
	else if (node->kind != NODE_MAP)
		policy->unix_others = choice(reader, node, deny_allow) == 1;
	else
		for (size_t i = 0; i < node->n; i++)
			read_part(reader, node->v[i]);
}
