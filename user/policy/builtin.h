/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of share/ that are part of the program, so that it works where nothing else was installed. */
#ifndef SW_BUILTIN_H
#define SW_BUILTIN_H

/* Their folder, in messages. */
#define BUILT_IN "built in"

struct builtin {
	const char *file; /* BUILT_IN/sets/google */
	const char *text, *end;
};

/* NULL when there is none. */
const struct builtin *builtin_find(const char *file);

/* All of them; NULL behind the last. */
const struct builtin *builtin_first(void);
const struct builtin *builtin_next(const struct builtin *file);

#endif
