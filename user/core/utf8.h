/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_UTF8_H
#define SW_UTF8_H

/* Bytes of the UTF-8 sequence at `s`, a string; 0 if it is none. */
int utf8_len(const unsigned char *s);

#endif
