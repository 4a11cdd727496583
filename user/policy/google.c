// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "google.h"
#include "node.h"

static const struct node *find(const struct node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
		if (!strcmp(map->v[i]->key, key))
			return map->v[i];
	return NULL;
}

static void add(struct place *place, const struct node *item, struct google_list *out, struct diags *diags)
{
	const struct node *text = find(item, "ipv4Prefix");
	const char *wrong = "neither ipv4Prefix nor ipv6Prefix is here";
	struct sw_prefix prefix;

	if (!text)
		text = find(item, "ipv6Prefix");
	if (text && text->kind == NODE_SCALAR)
		wrong = prefix_parse(text->text, &prefix);
	if (!wrong) {
		*list_add(&out->prefixes) = prefix;
		return;
	}
	place->line = item->line;
	place->col = item->col;
	diag_error(diags, place, "%s: is this one of Google's lists, such as goog.json?", wrong);
}

/* The time goes into the comment of a file: a line break in it would end the comment. */
static bool one_line(const struct node *node)
{
	if (!node || node->kind != NODE_SCALAR)
		return false;
	for (const char *c = node->text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return false;
	return true;
}

bool google_read(const char *file, const char *text, size_t len, struct google_list *out, struct diags *diags)
{
	struct place place = { .file = file, .text = text, .len = len };
	size_t before = diags->errors;
	struct node *root = node_read(file, text, len, diags);
	const struct node *list = find(root, "prefixes"), *created = find(root, "creationTime");

	*out = (struct google_list){ 0 };
	out->created = mem_strdup(one_line(created) ? created->text : "an unknown time");
	for (size_t i = 0; list && list->kind == NODE_LIST && i < list->n; i++)
		add(&place, list->v[i], out, diags);
	if (!out->prefixes.n && diags->errors == before)
		diag_error(diags, &(struct place){ .file = file },
			   "no prefixes in it: is this one of Google's lists, such as goog.json?");
	node_free(root);
	return out->prefixes.n && diags->errors == before;
}

/* Addresses of one family; as many as there are in IPv6 have no integer. */
static double size_of(const struct prefixes *set, bool v4)
{
	double total = 0;

	for (size_t i = 0; i < set->n; i++)
		if (prefix_is_v4(&set->v[i]) == v4)
			total += ldexp(1, 128 - set->v[i].len);
	return total;
}

const char *google_lacks(struct prefixes *before, struct prefixes *now)
{
	struct prefixes gone = { 0 };
	const char *family = NULL;

	prefixes_aggregate(before);
	for (size_t i = 0; i < before->n; i++)
		*list_add(&gone) = before->v[i];
	prefixes_subtract(&gone, now);
	if (2 * size_of(&gone, true) > size_of(before, true))
		family = "IPv4";
	else if (2 * size_of(&gone, false) > size_of(before, false))
		family = "IPv6";
	prefixes_free(&gone);
	return family;
}

void google_free(struct google_list *list)
{
	prefixes_free(&list->prefixes);
	free(list->created);
}
