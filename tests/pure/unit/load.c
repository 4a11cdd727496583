// SPDX-License-Identifier: GPL-2.0-only
/* Files as they are read. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "test.h"

/* Whoever waits for it is ended by the alarm. */
static void a_fifo_is_not_waited_for(void **state)
{
	char folder[] = "/tmp/load-XXXXXX", path[64];
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(20);
	assert_null(file_read(path, &len));
	assert_int_equal(errno, EINVAL);
	alarm(0);
	unlink(path);
	rmdir(folder);
}

static void a_pipe_of_the_shell_is_read(void **state)
{
	char path[32], *text;
	size_t len;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "text", 4), 4);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	text = file_read(path, &len);
	assert_non_null(text);
	assert_string_equal(text, "text");
	free(text);
	close(ends[0]);
}

static void a_folder_is_no_file(void **state)
{
	size_t len;

	(void)state;
	assert_null(file_read("/tmp", &len));
	assert_int_equal(errno, EISDIR);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fifo_is_not_waited_for),
		cmocka_unit_test(a_pipe_of_the_shell_is_read),
		cmocka_unit_test(a_folder_is_no_file),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
