// SPDX-License-Identifier: GPL-2.0-only
/* manual words | manual page PAGE [FILE...]: see manual.h. Run when sockwarden is built, and not installed. */
#include <string.h>

#include "manual.h"

const char say_program[] = "manual";

int main(int argc, char **argv)
{
	int err = 0;

	if (argc == 2 && !strcmp(argv[1], "words"))
		manual_words(stdout);
	else if (argc > 2 && !strcmp(argv[1], "page"))
		err = manual_page(argv[2], argv + 3, stdout);
	else
		return usage("usage: manual words | manual page PAGE [FILE...]");
	if (err)
		return fail("%s: %s", argv[2], strerror(-err));
	return fflush(stdout) || ferror(stdout) ? fail("cannot write to standard output") : EXIT_OK;
}
