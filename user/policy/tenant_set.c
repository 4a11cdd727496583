// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "tenant_set.h"

/* ---- which files ------------------------------------------------------------------------------------------- */

struct found {
	char *file, *name;
	size_t folder; /* a lower one comes first */
};

struct found_list {
	LIST(struct found) of;
};

/* A folder of the search path that is there may be a link; tenants.d in it, too. */
static struct tenant_folder folder_at(const char *above, size_t len)
{
	char *path = mem_printf("%.*s/" TENANTS_FOLDER, (int)len, above), *real = realpath(path, NULL), *around;

	if (real) {
		free(path);
		return (struct tenant_folder){ real, true };
	}
	path[len] = '\0';
	around = realpath(path, NULL);
	real = mem_printf("%s/" TENANTS_FOLDER, around ? around : path);
	free(around);
	free(path);
	return (struct tenant_folder){ real, false };
}

static int is_tenant(const struct dirent *file)
{
	return *file->d_name != '.' && policy_is_file(file->d_name);
}

static void find_in(const struct tenant_set *set, size_t folder, struct found_list *found, struct diags *diags)
{
	const char *path = set->folders.v[folder].path;
	struct dirent **files = NULL;
	int n = set->folders.v[folder].there ? scandir(path, &files, is_tenant, NULL) : 0;

	if (n < 0)
		diag_error(diags, &(struct place){ .file = path }, "%s: here tenants are looked for", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct found *one = list_add(&found->of);

		one->folder = folder;
		one->file = mem_printf("%s/%s", path, files[i]->d_name);
		one->name = tenant_file_name(one->file);
		free(files[i]);
	}
	free(files);
}

static int by_name(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return x->folder != y->folder ? (x->folder < y->folder ? -1 : 1) : strcmp(x->file, y->file);
}

/* Of those with the same name the first counts; in one folder there may be no other. */
static bool counts(const struct found *before, const struct found *one, struct diags *diags)
{
	if (!before || strcmp(before->name, one->name))
		return true;
	if (before->folder == one->folder)
		diag_error(diags, &(struct place){ .file = one->file }, "tenant %s is in %s too: remove one of the two",
			   one->name, before->file);
	return false;
}

/* ---- their policies ---------------------------------------------------------------------------------------- */

static struct image *compile_tenant(const char *path, const struct tenant_file *file, struct diags *diags)
{
	struct policy *policy = policy_of_tenant(path, file, diags);
	struct image *image = policy ? compile(policy, diags) : NULL;

	policy_free(policy);
	return image;
}

/* What is wrong with a policy is said once, and then of each tenant that it has it. */
static struct image *named_image(struct tenant_set *set, const char *path, const struct tenant_file *file,
				 struct diags *diags)
{
	const struct place place = tenant_file_policy(file);
	__u32 number = intern(&set->named, file->policy, strlen(file->policy));

	if (number == set->images.n)
		*list_add(&set->images) = compile_tenant(path, file, diags);
	else if (!set->images.v[number])
		diag_error(diags, &place, "its policy %.200s has mistakes, or is not there", file->policy);
	return set->images.v[number];
}

static void add(struct tenant_set *set, const char *path, const char *file, struct diags *diags)
{
	struct tenant *tenant = list_add(&set->of);

	if (!tenant_file_load(file, &tenant->file, diags))
		return;
	if (tenant->file.policy)
		tenant->image = named_image(set, path, &tenant->file, diags);
	else
		tenant->image = *list_add(&set->inside) = compile_tenant(path, &tenant->file, diags);
}

void tenant_set_folders(const char *path, struct tenant_set *out)
{
	*out = (struct tenant_set){ 0 };
	for (const char *folder = path; *folder; folder += strcspn(folder, ":"), folder += *folder == ':')
		*list_add(&out->folders) = folder_at(folder, strcspn(folder, ":"));
}

void tenant_set_read(const char *path, struct tenant_set *out, struct diags *diags)
{
	struct found_list found = { 0 };

	tenant_set_folders(path, out);
	for (size_t i = 0; i < out->folders.n; i++)
		find_in(out, i, &found, diags);
	if (found.of.n)
		qsort(found.of.v, found.of.n, sizeof(*found.of.v), by_name);
	for (size_t i = 0; i < found.of.n; i++)
		if (counts(i ? &found.of.v[i - 1] : NULL, &found.of.v[i], diags))
			add(out, path, found.of.v[i].file, diags);
	for (size_t i = 0; i < found.of.n; i++) {
		free(found.of.v[i].file);
		free(found.of.v[i].name);
	}
	free(found.of.v);
	diags_drop_notes(diags);
}

static void free_images(struct image **images, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image_free(images[i]);
	free(images);
}

void tenant_set_free(struct tenant_set *set)
{
	for (size_t i = 0; i < set->of.n; i++)
		tenant_file_free(&set->of.v[i].file);
	for (size_t i = 0; i < set->folders.n; i++)
		free(set->folders.v[i].path);
	free(set->of.v);
	free(set->folders.v);
	free_images(set->images.v, set->images.n);
	free_images(set->inside.v, set->inside.n);
	intern_free(&set->named);
	*set = (struct tenant_set){ 0 };
}

const struct tenant_folder *tenant_set_folder(const struct tenant_set *set, const char *file)
{
	const char *slash = strrchr(file, '/');

	for (size_t i = 0; slash && i < set->folders.n; i++) {
		const char *path = set->folders.v[i].path;

		if (strlen(path) == (size_t)(slash - file) && !strncmp(path, file, slash - file))
			return &set->folders.v[i];
	}
	return NULL;
}
