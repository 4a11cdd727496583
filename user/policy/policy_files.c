// SPDX-License-Identifier: GPL-2.0-only
/* The files of a policy: its own, and that of each base. */
#include <stdlib.h>

#include "reader.h"
#include "utf8.h"

/* The map under the key; NULL: there is none. */
static const struct node *under(const struct node *document, const char *key)
{
	for (size_t i = 0; document && document->kind == NODE_MAP && i < document->n; i++)
		if (!strcmp(document->v[i]->key, key))
			return document->v[i];
	return NULL;
}

void read_file(struct reader *reader, char *file, const char *text, size_t len, const char *key)
{
	size_t mark = utf8_mark(text, len), before = reader->diags->errors;
	struct node *document = node_read(file, text, len, reader->diags);
	const struct node *root = key ? under(document, key) : document;
	struct reading at = {
		.place = { .file = file, .text = text + mark, .len = len - mark },
		.number = reader->policy->files.n,
		.around = reader->at,
	};

	*list_add(&reader->policy->files) = file;
	reader->at = &at;
	if (root && root->kind == NODE_MAP)
		read_keys(reader, root);
	else if (root || reader->diags->errors == before)
		diag_error(reader->diags, root ? place_of(reader, root) : &(struct place){ .file = file },
			   "a policy is a map: keys such as rules and default, each with its value");
	reader->at = at.around;
	node_free(document);
}

static bool is_read(const struct reading *at, const char *file)
{
	while (at && strcmp(at->place.file, file))
		at = at->around;
	return at;
}

static unsigned levels_of(const struct reading *at)
{
	unsigned n = 0;

	for (; at; at = at->around)
		n++;
	return n;
}

/* Nobody but the source knows where bases are. NULL with a message at `node`. */
static char *base_text(struct reader *reader, const struct node *node, char **file, size_t *len)
{
	const char *name = word(reader, node, "the name of a policy, or its file");
	const struct policy_source *source = reader->source;
	struct fault fault = { "there is no policy to extend here" };
	char *text;

	if (!name)
		return NULL;
	if (levels_of(reader->at) == SW_LEVELS_MAX) {
		WRONG(reader, node,
		      "more than %d policies extend one another up to here: leave some out, or the circle",
		      SW_LEVELS_MAX);
		return NULL;
	}
	text = source->base ? source->base(source->data, reader->at->place.file, name, file, len, &fault) : NULL;
	if (!text)
		WRONG(reader, node, "'%.60s': %s", name, fault.text);
	return text;
}

void read_extends(struct reader *reader, const struct node *node)
{
	char *file = NULL, *text;
	size_t len, before;

	text = base_text(reader, node, &file, &len);
	if (text && is_read(reader->at, file)) {
		WRONG(reader, node,
		      "'%.60s' comes back to '%s': a policy cannot extend itself; name another, or its file",
		      node->text, file);
		free(file);
	} else if (text) {
		before = reader->diags->n;
		read_file(reader, file, text, len, NULL);
		if (reader->diags->n != before)
			diag_note(reader->diags, place_of(reader, node), "'%.60s' is named here", node->text);
	}
	free(text);
}

void origin_name(const struct policy *policy, struct origin from, char name[SW_NAME_MAX])
{
	const char *file = from.file ? policy->files.v[from.file] : "";
	size_t len = strlen(file), most = SW_NAME_MAX - 1;

	policy_name(file, name);
	if (*name && !strcmp(name, policy->name))
		snprintf(name, SW_NAME_MAX, "%s", file + (len > most ? len - most : 0));
}
