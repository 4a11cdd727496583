// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "allow.h"
#include "load.h"
#include "named.h"
#include "node.h"
#include "tenant_file.h"

static struct place at(const struct tenant_file *tenant, unsigned line, unsigned col)
{
	return (struct place){ tenant->file, tenant->text, tenant->len, line, col };
}

struct place tenant_file_cgroup(const struct tenant_file *tenant)
{
	return at(tenant, tenant->line, tenant->col);
}

struct place tenant_file_policy(const struct tenant_file *tenant)
{
	return at(tenant, tenant->policy_line, tenant->policy_col);
}

bool tenant_file_is_glob(const struct tenant_file *tenant)
{
	return tenant->cgroup && strpbrk(tenant->cgroup, "*?[");
}

bool tenant_file_is(const char *file)
{
	static const char folder[] = TENANTS_FOLDER;
	const char *slash = strrchr(file, '/');
	size_t len = sizeof(folder) - 1;

	return !policy_is_allow(file) && slash && (size_t)(slash - file) >= len && !strncmp(slash - len, folder, len) &&
	       (slash - len == file || slash[-(int)len - 1] == '/');
}

/* A path that is not absolute is one from the tenant's own folder. */
static char *policy_place(const char *file, const char *policy)
{
	const char *slash = strrchr(file, '/');

	if (policy_is_allow(policy) || !policy_is_file(policy) || *policy == '/' || !slash)
		return mem_strdup(policy);
	return mem_printf("%.*s/%s", (int)(slash - file), file, policy);
}

static void read_cgroup(struct tenant_file *tenant, const struct node *node, struct diags *diags)
{
	struct place place;

	tenant->line = node->line;
	tenant->col = node->col;
	place = tenant_file_cgroup(tenant);
	if (node->kind == NODE_SCALAR && *node->text)
		tenant->cgroup = mem_strdup(node->text);
	else if (!node->wrong)
		diag_error(diags, &place,
			   "a path is wanted here, such as shop.slice, or a pattern such as 'tenants.slice/*'");
}

static void read_policy(struct tenant_file *tenant, const struct node *node, struct diags *diags)
{
	struct place place;

	tenant->policy_line = node->line;
	tenant->policy_col = node->col;
	place = tenant_file_policy(tenant);
	if (node->kind == NODE_MAP)
		return;
	if (node->kind == NODE_SCALAR && *node->text)
		tenant->policy = policy_place(tenant->file, node->text);
	else if (!node->wrong)
		diag_error(diags, &place, "a policy is wanted here: its name, its file, or its keys");
	if (tenant->policy && tenant_file_is(tenant->policy))
		diag_error(diags, &place, "that is another tenant's file, and no policy");
}

static void read_key(struct tenant_file *tenant, const struct node *node, struct diags *diags)
{
	const struct place key = at(tenant, node->key_line, node->key_col);

	if (!strcmp(node->key, "cgroup"))
		read_cgroup(tenant, node, diags);
	else if (!strcmp(node->key, "policy"))
		read_policy(tenant, node, diags);
	else
		diag_error(
			diags, &key,
			"'%.40s' is not known here: cgroup and policy are; the keys of a policy stand below 'policy:'",
			node->key);
}

static void read_map(struct tenant_file *tenant, struct diags *diags)
{
	const struct place whole = { .file = tenant->file };
	size_t before = diags->errors;
	struct node *root = node_read(tenant->file, tenant->text, tenant->len, diags);

	if (diags->errors == before && (!root || root->kind != NODE_MAP))
		diag_error(diags, &whole, "a tenant is a map: cgroup and policy, each with its value");
	for (size_t i = 0; root && root->kind == NODE_MAP && i < root->n; i++)
		read_key(tenant, root->v[i], diags);
	node_free(root);
	if (!tenant->policy && !tenant->policy_line)
		tenant->policy = mem_strdup(DEFAULT_POLICY);
	if (!tenant->cgroup && diags->errors == before)
		diag_error(diags, &whole, "it does not say which cgroup is meant: add 'cgroup: PATH'");
}

char *tenant_file_name(const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');

	return mem_strndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

bool tenant_file_load(const char *file, struct tenant_file *out, struct diags *diags)
{
	const struct place whole = { .file = file };
	size_t before = diags->errors;

	*out = (struct tenant_file){ .file = mem_strdup(file) };
	out->name = tenant_file_name(file);
	out->text = file_read(file, &out->len);
	if (!out->text)
		diag_error(diags, &whole, "%s: here a tenant is wanted", strerror(errno));
	else if (strlen(file) >= SW_PATH_MAX)
		diag_error(diags, &whole, "its path has more than %d bytes, which is the most", SW_PATH_MAX - 1);
	else
		read_map(out, diags);
	if (out->text) /* there may be many, and none needs the room that it was read into */
		out->text = mem_resize(out->text, out->len + 1, 1);
	return diags->errors == before;
}

void tenant_file_free(struct tenant_file *tenant)
{
	free(tenant->file);
	free(tenant->name);
	free(tenant->text);
	free(tenant->cgroup);
	free(tenant->policy);
	*tenant = (struct tenant_file){ 0 };
}
