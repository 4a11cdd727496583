// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "utf8.h"

int utf8_len(const unsigned char *s)
{
	int len = s[0] < 0x80                   ? 1
		  : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		  : (s[0] & 0xf0) == 0xe0       ? 3
		  : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						: 0;

	for (int i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || /* overlong, surrogate */
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

unsigned utf8_value(const unsigned char *s, int len)
{
	unsigned value = len == 1 ? s[0] : s[0] & (0xff >> (len + 1));

	for (int i = 1; i < len; i++)
		value = value << 6 | (s[i] & 0x3f);
	return value;
}

size_t utf8_mark(const char *text, size_t len)
{
	return len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}
