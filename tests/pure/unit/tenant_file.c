// SPDX-License-Identifier: GPL-2.0-only
/* Tenants as files: what is read, and what is said of mistakes. */
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "mem.h"
#include "tenant_set.h"
#include "test.h"

/* Two folders of a search path, and what is in them. */
struct place_of_files {
	char above[32];
	char *path;
};

static void make(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static struct place_of_files begin(void)
{
	static const char *const folders[] = { "first", "first/tenants.d", "first/policies", "second",
					       "second/tenants.d" };
	struct place_of_files files = { .above = "/tmp/tenants-XXXXXX" };

	assert_non_null(mkdtemp(files.above));
	for (size_t i = 0; i < COUNT(folders); i++) {
		char *path = mem_printf("%s/%s", files.above, folders[i]);

		make(path);
		free(path);
	}
	files.path = mem_printf("%s/first:%s/second", files.above, files.above);
	return files;
}

static void put(const struct place_of_files *files, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", files->above, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	free(path);
}

static void end(struct place_of_files *files)
{
	char *command = mem_printf("rm -r %s", files->above);

	assert_int_equal(system(command), 0);
	free(command);
	free(files->path);
}

/* What is said, with the folder left out. */
static char *said(const struct place_of_files *files, struct diags *diags)
{
	char *text = NULL, *at;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	diags_drop_sources(diags);
	diags_print(diags, out);
	fclose(out);
	for (at = text; (at = strstr(at, files->above));)
		memmove(at, at + strlen(files->above) + 1, strlen(at + strlen(files->above) + 1) + 1);
	return text;
}

static void a_tenant_has_a_cgroup_and_a_policy(void **state)
{
	struct place_of_files files = begin();
	struct tenant_set set;
	struct diags diags = { 0 };

	(void)state;
	put(&files, "first/policies/own.yaml", "default: allow\n");
	put(&files, "first/tenants.d/beside.yaml", "cgroup: b\npolicy: ../policies/own.yaml\n");
	put(&files, "first/tenants.d/inside.json", "{\"cgroup\": \"/c\", \"policy\": {\"listen\": \"allow\"}}");
	put(&files, "first/tenants.d/many.yaml", "cgroup: 'x.slice/*'\npolicy: own\n");
	put(&files, "first/tenants.d/plain.yaml", "cgroup: p\n");
	put(&files, "first/tenants.d/README", "no tenant\n");
	put(&files, "first/tenants.d/.hidden.yaml", "no tenant\n");
	put(&files, "second/tenants.d/plain.yaml", "never: read\n");
	put(&files, "second/tenants.d/second.yaml", "cgroup: s\npolicy: own\n");
	tenant_set_read(files.path, &set, &diags);
	assert_int_equal(diags.errors, 0);
	assert_int_equal(set.of.n, 5);
	assert_string_equal(set.of.v[0].file.name, "beside");
	assert_string_equal(set.of.v[0].image->settings.policy, "own");
	assert_string_equal(set.of.v[1].file.cgroup, "/c");
	assert_string_equal(set.of.v[1].image->settings.policy, "inside");
	assert_int_equal(set.of.v[1].image->settings.listen, 1);
	assert_true(tenant_file_is_glob(&set.of.v[2].file));
	assert_false(tenant_file_is_glob(&set.of.v[3].file));
	assert_string_equal(set.of.v[3].image->settings.policy, "appengine");
	assert_ptr_equal(set.of.v[2].image, set.of.v[4].image); /* compiled once */
	assert_non_null(tenant_set_folder(&set, set.of.v[4].file.file));
	assert_null(tenant_set_folder(&set, "/elsewhere/tenants.d/plain.yaml"));
	tenant_set_free(&set);
	diags_free(&diags);
	end(&files);
}

/* Where the name of a policy stands, a tenant's file is the policy in it. */
static void a_tenant_stands_for_its_policy(void **state)
{
	struct place_of_files files = begin();
	char *file = mem_printf("%s/first/tenants.d/one.yaml", files.above);
	struct diags diags = { 0 };
	struct policy *policy;

	(void)state;
	put(&files, "first/tenants.d/one.yaml", "cgroup: one\npolicy:\n  bind: allow\n");
	policy = policy_load(files.path, file, &diags);
	assert_non_null(policy);
	assert_string_equal(policy->name, "one");
	assert_int_equal(policy->bind, SW_BIND_ALLOW);
	policy_free(policy);
	free(file);
	end(&files);
}

static void every_mistake_has_its_place(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "", "error: a tenant is a map: cgroup and policy, each with its value" },
		{ "- cgroup: a\n", "error: a tenant is a map: cgroup and policy, each with its value" },
		{ "policy: own\n", "error: it does not say which cgroup is meant: add 'cgroup: PATH'" },
		{ "cgroup: [a, b]\n",
		  "1:9: error: a path is wanted here, such as shop.slice, or a pattern such as 'tenants.slice/*'" },
		{ "cgroup: a\ncgroup: b\n", "2:1: error: 'cgroup' stands here a second time: keep one of the two" },
		{ "cgroup: a\nrules: []\n",
		  "2:1: error: 'rules' is not known here: cgroup and policy are; the keys of a "
		  "policy stand below 'policy:'" },
		{ "cgroup: a\npolicy: [own]\n",
		  "2:9: error: a policy is wanted here: its name, its file, or its keys" },
		{ "cgroup: a\npolicy:\n", "2:8: error: a policy is wanted here: its name, its file, or its keys" },
		{ "cgroup: a\npolicy: ../tenants.d/b.yaml\n",
		  "2:9: error: that is another tenant's file, and no policy" },
		{ "cgroup: a\npolicy:\n  mode: no\n", "3:9: error: 'no' is not known here: write enforce or audit" },
		{ "cgroup: a\npolicy:\n  rules:\n    - allow: {port: x}\n  listen: perhaps\n",
		  "4:21: error: 'x' is not a port: write its number, 443 for https\n"
		  "first/tenants.d/a.yaml:5:11: error: 'perhaps' is not known here: write deny or allow" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct place_of_files files = begin();
		struct tenant_set set;
		struct diags diags = { 0 };
		char *text, *wanted;

		put(&files, "first/tenants.d/a.yaml", rows[i].text);
		tenant_set_read(files.path, &set, &diags);
		text = said(&files, &diags);
		wanted = mem_printf("first/tenants.d/a.yaml:%s%s\n", *rows[i].said == 'e' ? " " : "", rows[i].said);
		assert_string_equal(text, wanted);
		free(text);
		free(wanted);
		tenant_set_free(&set);
		diags_free(&diags);
		end(&files);
	}
}

/* What is wrong with a policy that many have is said once, and of each of them that it has it. */
static void a_mistake_of_a_shared_policy(void **state)
{
	struct place_of_files files = begin();
	struct tenant_set set;
	struct diags diags = { 0 };
	char *text;

	(void)state;
	put(&files, "first/policies/bad.yaml", "mode: no\n");
	put(&files, "first/tenants.d/a.yaml", "cgroup: a\npolicy: bad\n");
	put(&files, "first/tenants.d/b.yaml", "cgroup: b\npolicy: bad\n");
	put(&files, "first/tenants.d/b.yml", "cgroup: b\npolicy: bad\n");
	tenant_set_read(files.path, &set, &diags);
	text = said(&files, &diags);
	assert_string_equal(
		text, "first/policies/bad.yaml:1:7: error: 'no' is not known here: write enforce or audit\n"
		      "first/tenants.d/a.yaml:2:9: error: its policy bad has mistakes, or is not there\n"
		      "first/tenants.d/b.yaml:2:9: error: its policy bad has mistakes, or is not there\n"
		      "first/tenants.d/b.yml: error: tenant b is in first/tenants.d/b.yaml too: remove one of the "
		      "two\n");
	free(text);
	tenant_set_free(&set);
	diags_free(&diags);
	end(&files);
}

static void the_folder_tells_a_tenant_from_a_policy(void **state)
{
	(void)state;
	assert_true(tenant_file_is("/etc/sockwarden/tenants.d/shop.yaml"));
	assert_true(tenant_file_is("tenants.d/shop.yaml"));
	assert_false(tenant_file_is("/etc/sockwarden/policies/shop.yaml"));
	assert_false(tenant_file_is("/etc/my-tenants.d/shop.yaml"));
	assert_false(tenant_file_is("/etc/tenants.d/deeper/shop.yaml"));
	assert_false(tenant_file_is("tenants.d"));
	assert_false(tenant_file_is("allow:tenants.d/24"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tenant_has_a_cgroup_and_a_policy),
		cmocka_unit_test(a_tenant_stands_for_its_policy),
		cmocka_unit_test(every_mistake_has_its_place),
		cmocka_unit_test(a_mistake_of_a_shared_policy),
		cmocka_unit_test(the_folder_tells_a_tenant_from_a_policy),
	};

	return cmocka_run_group_tests_name("tenant_file", tests, NULL, NULL);
}
