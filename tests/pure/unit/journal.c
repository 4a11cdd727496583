// SPDX-License-Identifier: GPL-2.0-only
/* What is sent to the journal: a value is a value, whatever is in it. */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

static void values_are_given_with_their_length(void **state)
{
	static const char want[] = "TENANT\n\x05\0\0\0\0\0\0\0"
				   "a\nB=c\n"
				   "PORT\n\x03\0\0\0\0\0\0\0"
				   "443\n";
	struct journal_entry entry;
	size_t head;

	(void)state;
	journal_begin(&entry, JOURNAL_DENIED, JOURNAL_NOTICE, "test");
	fflush(entry.out);
	head = entry.len;
	journal_field(&entry, "TENANT", "a\nB=c");
	journal_field(&entry, "PEER", NULL);
	journal_field(&entry, "PATH", "");
	journal_number(&entry, "PORT", 443);
	fflush(entry.out);
	assert_int_equal(entry.len - head, sizeof(want) - 1);
	assert_memory_equal(entry.text + head, want, sizeof(want) - 1);
	fclose(entry.out);
	free(entry.text);
}

static void only_what_leads_to_the_journal_is_the_journal(void **state)
{
	char text[64];
	struct stat st;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fstat(ends[1], &st), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(journal_is(ends[1]));
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	assert_true(journal_is(ends[1]));
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino + 1);
	setenv("JOURNAL_STREAM", text, 1);
	assert_false(journal_is(ends[1]));
	setenv("JOURNAL_STREAM", "journal", 1);
	assert_false(journal_is(ends[1]));
	assert_false(journal_is(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_given_with_their_length),
		cmocka_unit_test(only_what_leads_to_the_journal_is_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
