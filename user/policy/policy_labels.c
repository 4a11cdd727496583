// SPDX-License-Identifier: GPL-2.0-only
/* What a rule is called, for metrics, and what it is for, for people. Neither decides anything. */
#include <stdlib.h>

#include "plain.h"
#include "reader.h"

/* What is wrong with the text as an id, or NULL. */
static const char *id_flaw(const char *text)
{
	if (strlen(text) >= SW_ID_MAX || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return "an id has 1 to 31 of a-z, 0-9 and -, such as no-mail";
	if (!strcmp(text, "default"))
		return "that stands for what no rule matches: choose another";
	return NULL;
}

/* False with a message if another rule has it. */
static bool take_id(struct reader *reader, const struct node *node, const char *id)
{
	__u32 number = intern(&reader->ids, id, strlen(id));
	struct origin *other;

	if (number == reader->id_from.n) {
		*list_add(&reader->id_from) = origin_of(reader, node->line);
		return true;
	}
	other = &reader->id_from.v[number];
	WRONG(reader, node, "'%s' is the id of the rule at %s:%u: each rule has its own, those of a base too", id,
	      reader->policy->files.v[other->file], other->line);
	return false;
}

void read_id(struct reader *reader, const struct node *node, struct rule *rule)
{
	const char *text = word(reader, node, "an id such as no-mail"), *flaw = text ? id_flaw(text) : NULL;

	if (flaw)
		WRONG(reader, node, "'%.40s': %s", text, flaw);
	else if (text && take_id(reader, node, text))
		rule->id = mem_strdup(text);
}

void read_description(struct reader *reader, const struct node *node, struct rule *rule)
{
	const char *text = word(reader, node, "a line of text");
	char *seen = text ? plain(mem_strdup(text)) : NULL;

	if (text && strcmp(seen, text))
		WRONG(reader, node, "a description is one line of visible characters: put the rest into comments");
	else if (text && strlen(text) >= SW_NOTE_MAX)
		WRONG(reader, node, "%zu bytes are too long a description, %d are the most: put the rest into comments",
		      strlen(text), SW_NOTE_MAX - 1);
	else if (text)
		rule->description = mem_strdup(text);
	free(seen);
}
