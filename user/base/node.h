/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * YAML, or JSON, as a tree in which every value knows its line and column. A small part of YAML on
 * purpose: anchors, aliases, tags, several documents and duplicate keys are mistakes, for in a policy
 * each of them hides something from its reader.
 */
#ifndef SW_NODE_H
#define SW_NODE_H

#include <stdbool.h>

#include "diag.h"

struct node {
	enum { NODE_SCALAR, NODE_LIST, NODE_MAP } kind;
	unsigned line, col;
	char *text;  /* scalar: its value; no NUL inside */
	bool quoted; /* scalar: written with quotes */
	bool wrong;  /* a mistake that is reported: no need to say more of the value */
	char *key;   /* in a map: its key, with its place */
	unsigned key_line, key_col;
	LIST(struct node *);
};

/* The document, or NULL if it cannot be read at all; mistakes are in `diags` either way. */
struct node *node_read(const char *file, const char *text, size_t len, struct diags *diags);
void node_free(struct node *node);

#endif
