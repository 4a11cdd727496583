// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "node.h"
#include "utf8.h"

/* Guards against documents made to exhaust us; far beyond any policy. */
#define DEPTH_MAX 8
#define NODES_MAX 500000
#define TEXT_MAX  (32UL << 20)

struct reader {
	yaml_parser_t parser;
	struct place place;
	struct diags *diags;
	size_t nodes;
};

static const struct place *at(struct reader *reader, const yaml_mark_t *mark)
{
	reader->place.line = mark->line + 1;
	reader->place.col = mark->column + 1;
	return &reader->place;
}

static const struct place *at_key(struct reader *reader, const struct node *node)
{
	reader->place.line = node->key_line;
	reader->place.col = node->key_col;
	return &reader->place;
}

/* The reader below libyaml's parser counts bytes, not lines. */
static const struct place *at_byte(struct reader *reader, size_t offset)
{
	reader->place.line = reader->place.col = 1;
	for (size_t i = 0; i < offset && i < reader->place.len; i++) {
		bool stop = reader->place.text[i] == '\n';

		reader->place.line += stop;
		reader->place.col = stop ? 1 : reader->place.col + 1;
	}
	return &reader->place;
}

static bool next(struct reader *reader, yaml_event_t *event)
{
	if (yaml_parser_parse(&reader->parser, event))
		return true;
	if (reader->parser.error == YAML_READER_ERROR)
		diag_error(reader->diags, at_byte(reader, reader->parser.problem_offset),
			   "not text: %s: a policy is written in UTF-8", reader->parser.problem);
	else
		diag_error(reader->diags, at(reader, &reader->parser.problem_mark),
			   "not YAML: %s: look at the indentation, brackets and quotes up to here (IPv6 and "
			   "*.example.com need quotes)",
			   reader->parser.problem ? reader->parser.problem : "out of memory");
	return false;
}

/* Says what of YAML is not part of the language; reading goes on as if it were not there. */
static void check_plain(struct reader *reader, const yaml_event_t *event, const yaml_char_t *anchor,
			const yaml_char_t *tag)
{
	if (anchor)
		diag_error(reader->diags, at(reader, &event->start_mark),
			   "anchors (&%s) are not part of a policy: write the value where it is used", anchor);
	if (tag)
		diag_error(reader->diags, at(reader, &event->start_mark),
			   "tags (%s) are not part of a policy: leave it out", tag);
}

static struct node *node_new(struct reader *reader, const yaml_event_t *event)
{
	struct node *node = mem_alloc(1, sizeof(*node));

	node->line = event->start_mark.line + 1;
	node->col = event->start_mark.column + 1;
	reader->nodes++;
	return node;
}

static struct node *scalar(struct reader *reader, const yaml_event_t *event)
{
	struct node *node = node_new(reader, event);

	node->kind = NODE_SCALAR;
	check_plain(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
	node->wrong = memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL;
	if (node->wrong)
		diag_error(reader->diags, at(reader, &event->start_mark), "a NUL byte in a value: leave it out");
	node->text = mem_strdup((const char *)event->data.scalar.value);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return node;
}

static struct node *read_value(struct reader *reader, const yaml_event_t *event, int depth);

/* The values of a list or map up to its end; false if the document broke off. */
static bool read_children(struct reader *reader, struct node *parent, int depth)
{
	yaml_event_type_t end = parent->kind == NODE_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT;
	struct node *key = NULL, *value;
	yaml_event_t event;

	while (next(reader, &event)) {
		bool done = event.type == end;

		value = done ? NULL : read_value(reader, &event, depth);
		yaml_event_delete(&event);
		if (!value) {
			node_free(key);
			return done;
		}
		if (parent->kind == NODE_MAP && !key) {
			key = value;
			continue;
		}
		if (key) {
			value->key_line = key->line;
			value->key_col = key->col;
			if (key->kind == NODE_SCALAR)
				value->key = mem_strdup(key->text);
			node_free(key);
			key = NULL;
		}
		*list_add(parent) = value;
	}
	node_free(key);
	return false;
}

static int by_key(const void *a, const void *b)
{
	const struct node *x = *(struct node **)a, *y = *(struct node **)b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_col < y->key_col ? -1 : 1;
}

/* Those that have a key. The others are no more. */
static void keep_keyed(struct node *map)
{
	size_t n = 0;

	for (size_t i = 0; i < map->n; i++)
		if (map->v[i]->key)
			map->v[n++] = map->v[i];
		else
			node_free(map->v[i]);
	map->n = n;
}

/* Keys must be plain words, each once. What is not is dropped from the map, so that a reader meets each key once. */
static void check_keys(struct reader *reader, struct node *map)
{
	struct node **sorted, *first;

	for (size_t i = 0; i < map->n; i++)
		if (!map->v[i]->key)
			diag_error(reader->diags, at_key(reader, map->v[i]),
				   "a key must be a word: no list, map or alias can be one");
	keep_keyed(map);
	if (!map->n)
		return;
	sorted = mem_alloc(map->n, sizeof(*sorted));
	memcpy(sorted, map->v, map->n * sizeof(*sorted));
	qsort(sorted, map->n, sizeof(*sorted), by_key);
	first = sorted[0];
	for (size_t i = 1; i < map->n; i++) {
		if (strcmp(first->key, sorted[i]->key)) {
			first = sorted[i];
			continue;
		}
		diag_error(reader->diags, at_key(reader, sorted[i]),
			   "'%s' stands here a second time: keep one of the two", first->key);
		free(sorted[i]->key);
		sorted[i]->key = NULL;
	}
	free(sorted);
	keep_keyed(map);
}

static struct node *read_value(struct reader *reader, const yaml_event_t *event, int depth)
{
	struct node *node;

	if (reader->nodes == NODES_MAX) {
		diag_error(reader->diags, at(reader, &event->start_mark),
			   "more than %d values up to here: put prefixes into file:PATH", NODES_MAX);
		return NULL;
	}
	if (event->type == YAML_SCALAR_EVENT)
		return scalar(reader, event);
	if (event->type == YAML_ALIAS_EVENT) {
		diag_error(reader->diags, at(reader, &event->start_mark),
			   "aliases (*%s) are not part of a policy: write the value here", event->data.alias.anchor);
		node = node_new(reader, event);
		node->text = mem_strdup("");
		node->wrong = true;
		return node;
	}
	if (depth == DEPTH_MAX) {
		diag_error(reader->diags, at(reader, &event->start_mark),
			   "nested too deep: a policy has at most %d levels", DEPTH_MAX);
		return NULL;
	}
	node = node_new(reader, event);
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		node->kind = NODE_LIST;
		check_plain(reader, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
	} else {
		node->kind = NODE_MAP;
		check_plain(reader, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
	}
	if (!read_children(reader, node, depth + 1)) {
		node_free(node);
		return NULL;
	}
	if (node->kind == NODE_MAP)
		check_keys(reader, node);
	return node;
}

/* The first document; a second one is a mistake. */
static struct node *read_documents(struct reader *reader)
{
	struct node *root = NULL;
	yaml_event_t event;
	bool more = true;

	while (more && next(reader, &event)) {
		yaml_event_type_t type = event.type;

		more = type != YAML_STREAM_END_EVENT;
		if (type == YAML_DOCUMENT_START_EVENT && root) {
			diag_error(reader->diags, at(reader, &event.start_mark),
				   "a second document begins here: one policy a file");
			more = false;
		} else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
			   type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT) {
			root = read_value(reader, &event, 0);
			more = root != NULL;
		}
		yaml_event_delete(&event);
	}
	return root;
}

struct node *node_read(const char *file, const char *text, size_t len, struct diags *diags)
{
	size_t mark = utf8_mark(text, len);
	struct reader reader = { .place = { .file = file, .text = text + mark, .len = len - mark }, .diags = diags };
	struct node *root;

	if (len > TEXT_MAX) {
		diag_error(diags, &(struct place){ .file = file }, "over %lu MiB: put prefixes into file:PATH",
			   TEXT_MAX >> 20);
		return NULL;
	}
	if (!yaml_parser_initialize(&reader.parser))
		abort();
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.place.text, reader.place.len);
	root = read_documents(&reader);
	yaml_parser_delete(&reader.parser);
	return root;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n; i++)
		node_free(node->v[i]);
	free(node->v);
	free(node->text);
	free(node->key);
	free(node);
}
