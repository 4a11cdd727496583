// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"
#include "usage.h"

static const struct key {
	const char *name;
	size_t at; /* in struct focus_names */
} keys[] = {
	{ "provider", offsetof(struct focus_names, provider) },
	{ "publisher", offsetof(struct focus_names, publisher) },
	{ "host-provider", offsetof(struct focus_names, host_provider) },
	{ "invoice-issuer", offsetof(struct focus_names, invoice_issuer) },
	{ "service", offsetof(struct focus_names, service) },
};

#define KEYS (sizeof(keys) / sizeof(*keys))

static char **member(struct focus_names *names, size_t i)
{
	return (char **)((char *)names + keys[i].at);
}

static void read_name(const struct node *node, struct place *place, struct focus_names *out, struct diags *diags)
{
	size_t i = 0;

	while (i < KEYS && strcmp(keys[i].name, node->key) != 0)
		i++;
	place->line = node->key_line;
	place->col = node->key_col;
	if (i == KEYS) {
		diag_error(diags, place,
			   "'%s' is no key: write provider, publisher, host-provider, invoice-issuer or service",
			   node->key);
		return;
	}
	place->line = node->line;
	place->col = node->col;
	if (node->kind != NODE_SCALAR || !*node->text)
		diag_error(diags, place, "%s: write a name", node->key);
	else
		*member(out, i) = mem_strdup(node->text);
}

void focus_names_read(const char *file, const char *text, size_t len, struct focus_names *out, struct diags *diags)
{
	struct place place = { .file = file, .text = text, .len = len, .line = 1, .col = 1 };
	struct node *root = node_read(file, text, len, diags);

	*out = (struct focus_names){ 0 };
	if (root && root->kind != NODE_MAP)
		diag_error(diags, &place, "write names by keys, as in 'provider: Example Hosting'");
	for (size_t i = 0; root && root->kind == NODE_MAP && i < root->n; i++)
		read_name(root->v[i], &place, out, diags);
	node_free(root);
}

void focus_names_free(struct focus_names *names)
{
	for (size_t i = 0; i < KEYS; i++)
		free(*member(names, i));
	*names = (struct focus_names){ 0 };
}
