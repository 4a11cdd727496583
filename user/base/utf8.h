/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_UTF8_H
#define SW_UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 sequence at `s`, a string; 0 if it is none. */
int utf8_len(const unsigned char *s);

/* The character of a sequence of `len` bytes, which is one. */
unsigned utf8_value(const unsigned char *s, int len);

/* Bytes of the mark that some editors put before a text: 3 or 0. */
size_t utf8_mark(const char *text, size_t len);

#endif
