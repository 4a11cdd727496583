// SPDX-License-Identifier: GPL-2.0-only
/* Files as they are written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "test.h"

static int renames_left = -1; /* before one fails; below 0: none does */

/* In place of the C library's, in this program. */
int rename(const char *from, const char *to)
{
	if (renames_left-- == 0) {
		errno = EIO;
		return -1;
	}
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* A folder of its own for each case, which works in it. */
static int enter(void **state)
{
	static char folder[32];

	strcpy(folder, "/tmp/file-XXXXXX");
	*state = mkdtemp(folder);
	renames_left = -1;
	return !*state || chdir(folder);
}

static int leave(void **state)
{
	DIR *dir = opendir(".");
	struct dirent *entry;

	while ((entry = readdir(dir)))
		remove(entry->d_name);
	closedir(dir);
	return chdir("/") || rmdir(*state);
}

static void write_old(const char *path)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs("old", out);
	fclose(out);
}

static void assert_text(const char *path, const char *want)
{
	char text[16] = "";
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, in), strlen(want));
	fclose(in);
	assert_string_equal(text, want);
}

/* Hidden ones too. */
static void assert_files(size_t want)
{
	DIR *dir = opendir(".");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	assert_int_equal(n, want + 2);
}

static const struct file_text both[] = { { "a", "new", 3 }, { "b", "new", 3 } };

static int replace_both(void)
{
	struct fault fault;

	return file_replace_all(both, COUNT(both), 0640, &fault);
}

static void several_are_replaced(void **state)
{
	struct stat st;

	(void)state;
	write_old("a");
	assert_int_equal(replace_both(), 0);
	assert_text("a", "new");
	assert_text("b", "new");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_files(2);
}

static void none_is_when_one_cannot_be(void **state)
{
	(void)state;
	write_old("a");
	assert_int_equal(mkdir("b", 0700), 0);
	assert_true(replace_both() < 0);
	assert_text("a", "old");
	assert_files(2);
}

static void what_was_replaced_is_put_back(void **state)
{
	(void)state;
	write_old("a");
	write_old("b");
	renames_left = 1;
	assert_int_equal(replace_both(), -EIO);
	assert_text("a", "old");
	assert_text("b", "old");
	assert_files(2);
}

static void what_was_not_there_is_not_afterwards(void **state)
{
	(void)state;
	renames_left = 1;
	assert_int_equal(replace_both(), -EIO);
	assert_files(0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(several_are_replaced, enter, leave),
		cmocka_unit_test_setup_teardown(none_is_when_one_cannot_be, enter, leave),
		cmocka_unit_test_setup_teardown(what_was_replaced_is_put_back, enter, leave),
		cmocka_unit_test_setup_teardown(what_was_not_there_is_not_afterwards, enter, leave),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
