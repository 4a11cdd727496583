// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <string.h>

#include "builtin.h"

/* The very files of the tree, which the assembler reads from where the compiler was started. */
#define BUILTINS(X)                                                                                                    \
	X(appengine, "policies/appengine.yaml")                                                                        \
	X(google, "sets/google")                                                                                       \
	X(google_cloud, "sets/google-cloud")                                                                           \
	X(doh, "sets/doh")

#define X(id, name)                                                                                                    \
	extern const char builtin_##id[] __attribute__((visibility("hidden"))),                                        \
		builtin_##id##_end[] __attribute__((visibility("hidden")));                                            \
	__asm__(".pushsection .rodata\n"                                                                               \
		".global builtin_" #id ", builtin_" #id "_end\n"                                                       \
		"builtin_" #id ":\n"                                                                                   \
		".incbin \"share/" name "\"\n"                                                                         \
		"builtin_" #id "_end:\n"                                                                               \
		".byte 0\n"                                                                                            \
		".popsection\n");
BUILTINS(X)
#undef X

static const struct builtin table[] = {
#define X(id, name) { BUILT_IN "/" name, builtin_##id, builtin_##id##_end },
	BUILTINS(X)
#undef X
};

const struct builtin *builtin_first(void)
{
	return table;
}

const struct builtin *builtin_next(const struct builtin *file)
{
	return file + 1 < table + sizeof(table) / sizeof(*table) ? file + 1 : NULL;
}

const struct builtin *builtin_find(const char *file)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strcmp(table[i].file, file))
			return &table[i];
	return NULL;
}
