/* SPDX-License-Identifier: GPL-2.0-only */
/* What printing images and comparing them share. */
#ifndef SW_IMAGE_PARTS_H
#define SW_IMAGE_PARTS_H

#include "image.h"

/* The entry the kernel's trie would find for the prefix, which may be a whole address. */
size_t entry_find(const struct image *image, const struct sw_prefix *prefix);

/* Walks the spans of a class by protocol, so that each port range is shown under its own. */
struct cursor {
	const struct image *image;
	struct sw_class class;
	__u32 index;
};

/* The answer for the service, and where it ends: the first service that may be answered otherwise. */
const struct sw_span *cursor_next(struct cursor *at, __u32 service, __u32 *end);

/* "allow", "deny" or "exempt". */
const char *span_answer(const struct sw_span *span);

/* "tcp 80-443" */
void services_print(__u32 first, __u32 end, FILE *out);

/* Lines of a name and a value. */
void settings_print(const struct sw_settings *s, FILE *out);

/* "allow", "deny", or "steer". */
const char *unix_answer(const struct sw_unix *path);

#define OPTION_TEXT 40
/* "mock 0 0" or "pass". Returns `text`. */
const char *option_text(const struct sw_option *option, char text[OPTION_TEXT]);

#endif
