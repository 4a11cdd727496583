// SPDX-License-Identifier: GPL-2.0-only
/* Names of systemd's units: patterns, folders of drop-ins, cgroups. */
#include "unit.h"
#include "test.h"

static void patterns_and_their_folders(void **state)
{
	static const struct {
		const char *pattern, *folder;
	} cases[] = {
		{ "shop.service", "shop.service.d" },       { "tenant-*.slice", "tenant-.slice.d" },
		{ "web@*.service", "web@.service.d" },      { "web@one.service", "web@one.service.d" },
		{ "a-b-*.scope", "a-b-.scope.d" },          { "tenant-a.slice", "tenant-a.slice.d" },
		{ "x\\x2dy.service", "x\\x2dy.service.d" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *folder = unit_folder_of_pattern(cases[i].pattern), *pattern = unit_pattern_of_folder(folder);

		assert_null(unit_pattern_check(cases[i].pattern));
		assert_string_equal(folder, cases[i].folder);
		assert_string_equal(pattern, cases[i].pattern);
		free(pattern);
		free(folder);
	}
}

static void what_is_no_pattern(void **state)
{
	static const char *const cases[] = {
		"",
		"tenant",
		".slice",
		"x.target",
		"*.slice",
		"te*.slice",
		"a-*-b.slice",
		"a-*.sli*ce",
		"a/b.slice",
		"web@.service",
		"-.slice",
		"system.slice",
		"init.scope",
		"a b.service",
		"../x.service",
		"sockwarden.service",
		"sockwarden-*.service",
		"a-**.slice",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!unit_pattern_check(cases[i]))
			fail_msg("'%s' is taken", cases[i]);
}

/* As systemd.unit(5) says. */
static void folders_of_a_unit(void **state)
{
	static const struct {
		const char *unit, *folders[6];
	} cases[] = {
		{ "tenant-b-c.slice", { "tenant-b-c.slice.d", "tenant-b-.slice.d", "tenant-.slice.d" } },
		{ "shop.service", { "shop.service.d" } },
		{ "web@one-two.service", { "web@one-two.service.d", "web@.service.d" } },
		{ "my-web@x.service", { "my-web@x.service.d", "my-web@.service.d", "my-.service.d" } },
		{ "a--b.slice", { "a--b.slice.d", "a--.slice.d", "a-.slice.d" } },
		{ "-.slice", { "-.slice.d" } },
		{ "x.target", { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int n = 0; n == 0 || cases[i].folders[n - 1]; n++) {
			char *folder = unit_folder(cases[i].unit, n);

			if (cases[i].folders[n])
				assert_string_equal(folder, cases[i].folders[n]);
			else
				assert_null(folder);
			free(folder);
		}
}

static void cgroups_of_slices(void **state)
{
	static const struct {
		const char *slice, *path;
	} cases[] = {
		{ "-.slice", "" },
		{ "tenant.slice", "/tenant.slice" },
		{ "tenant-b-c.slice", "/tenant.slice/tenant-b.slice/tenant-b-c.slice" },
		{ "cpu-x.slice", "/_cpu.slice/cpu-x.slice" }, /* cpu.stat and others are the kernel's */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *path = unit_slice_path(cases[i].slice);

		assert_string_equal(path, cases[i].path);
		free(path);
	}
	assert_string_equal(unit_of_directory("_cpu.slice"), "cpu.slice");
}

static void names_with_escapes(void **state)
{
	char *plain = unit_unescape("a\\x2db\\x5c.slice"), *cut = unit_unescape("a\\x2");

	(void)state;
	assert_string_equal(plain, "a-b\\.slice");
	assert_string_equal(cut, "a\\x2");
	free(cut);
	free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_and_their_folders), cmocka_unit_test(what_is_no_pattern),
		cmocka_unit_test(folders_of_a_unit),          cmocka_unit_test(cgroups_of_slices),
		cmocka_unit_test(names_with_escapes),
	};

	return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
