// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "plain.h"
#include "utf8.h"

/* Unicode's controls, line ends, marks that turn the direction, and what takes no room; in order. */
static const struct {
	unsigned first, last;
} hidden[] = {
	{ 0, 0x1f },        { 0x7f, 0x9f },     { 0x61c, 0x61c },   { 0x180e, 0x180e }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

bool plain_is(unsigned character)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (character <= hidden[i].last)
			return character < hidden[i].first;
	return true;
}

char *plain_but(char *text, const char *kept)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		int len = utf8_len(s);

		if (!len || (!plain_is(utf8_value(s, len)) && !strchr(kept, *s)))
			memset(s, '?', len ? len : 1);
		s += len ? len : 1;
	}
	return text;
}

char *plain(char *text)
{
	return plain_but(text, "");
}

char *plain_ascii(char *text)
{
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

void plain_line(FILE *out, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = mem_vprintf(format, args);
	va_end(args);
	fprintf(out, "%s\n", plain(text));
	free(text);
}
