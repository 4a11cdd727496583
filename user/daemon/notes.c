// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hold.h"
#include "json.h"
#include "load.h"
#include "node.h"
#include "notes.h"
#include "say.h"

struct notes notes_beside(const char *ledger)
{
	const char *slash = strrchr(ledger, '/');
	int folder = slash ? slash + 1 - ledger : 0;

	return (struct notes){ .path = mem_printf("%.*sattached.json", folder, ledger) };
}

/* ---- reading ----------------------------------------------------------------------------------------------- */

static const struct node *member(const struct node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
		if (!strcmp(map->v[i]->key, key))
			return map->v[i];
	return NULL;
}

/* False unless there is such a text, and it fits. */
static bool read_text(const struct node *map, const char *key, char *out, size_t size)
{
	const struct node *node = member(map, key);

	if (!node || node->kind != NODE_SCALAR || strlen(node->text) >= size)
		return false;
	strcpy(out, node->text);
	return true;
}

static bool read_one(const struct node *node, struct wanted *out)
{
	*out = (struct wanted){ 0 };
	return read_text(node, "tenant", out->name.text, sizeof(out->name.text)) &&
	       read_text(node, "cgroup", out->is.path, sizeof(out->is.path)) &&
	       read_text(node, "policy", out->is.policy, sizeof(out->is.policy)) &&
	       !tenant_name_check(out->name.text + wanted_is_many(out));
}

static int take_over(const struct notes *notes, const struct node *root, struct host *host, struct fault *fault)
{
	const struct node *tenants = member(root, "tenants");
	char epoch[32] = "";

	if (read_text(root, "epoch", epoch, sizeof(epoch)) && strtoull(epoch, NULL, 10) == host->epoch)
		return 0;
	for (size_t i = 0; tenants && tenants->kind == NODE_LIST && i < tenants->n; i++) {
		struct wanted one;

		if (!read_one(tenants->v[i], &one))
			warn("%s: tenant %zu of the list is not understood, and is not attached again", notes->path,
			     i + 1);
		else if (!wanted_has(host, one.name.text) && wanted_put(host, one.name.text, &one.is, fault))
			warn("%s", fault->text);
	}
	return 0;
}

/* For someone to look at: what is written from now on is another's place. */
static void put_aside(const struct notes *notes, const char *why)
{
	char *aside = mem_printf("%s.bad", notes->path);

	warn("%s: %s; what was attached before a boot is not attached again. It is kept as %s", notes->path, why,
	     aside);
	if (rename(notes->path, aside))
		warn("cannot rename %s: %s", notes->path, strerror(errno));
	free(aside);
}

int notes_load(struct notes *notes, struct host *host, struct fault *fault)
{
	struct diags diags = { 0 };
	struct node *root = NULL;
	size_t len;
	char *text = file_read(notes->path, &len);
	int err = 0;

	if (text)
		root = node_read(notes->path, text, len, &diags);
	else if (errno != ENOENT)
		put_aside(notes, strerror(errno));
	diags_print(&diags, stderr);
	if (text && (!member(root, "tenants") || diags.errors))
		put_aside(notes, "it is not what the daemon wrote");
	else if (root)
		err = take_over(notes, root, host, fault);
	diags_free(&diags);
	node_free(root);
	free(text);
	return err;
}

/* ---- writing ----------------------------------------------------------------------------------------------- */

static char *write_text(__u64 epoch, const struct wanted_list *wanted)
{
	char number[32], *text = NULL;
	size_t len;
	struct json json = { .out = open_memstream(&text, &len) };

	if (!json.out)
		abort();
	snprintf(number, sizeof(number), "%" PRIu64, (uint64_t)epoch);
	json_open(&json, NULL, '{');
	json_string(&json, "epoch", number);
	json_open(&json, "tenants", '[');
	for (size_t i = 0; i < wanted->of.n; i++) {
		json_open(&json, NULL, '{');
		json_string(&json, "tenant", wanted->of.v[i].name.text);
		json_string(&json, "cgroup", wanted->of.v[i].is.path);
		json_string(&json, "policy", wanted->of.v[i].is.policy);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	json_end(&json);
	fclose(json.out);
	return text;
}

void notes_save(struct notes *notes, __u64 epoch, const struct wanted_list *wanted)
{
	char *text = write_text(epoch, wanted);
	bool same = notes->saved && !strcmp(text, notes->saved);
	struct fault fault;
	int err = same ? 0 : file_replace(notes->path, 0600, text, strlen(text), &fault);

	if (err && !notes->failing)
		warn("%s; what is attached now is not attached again after a boot", fault.text);
	notes->failing = err;
	if (err) {
		free(text);
		return;
	}
	free(notes->saved);
	notes->saved = text;
}
