// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

void *mem_alloc(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	return must(reallocarray(old, count ? count : 1, size));
}

char *mem_strndup(const char *s, size_t len)
{
	return must(strndup(s, len));
}

char *mem_strdup(const char *s)
{
	return must(strdup(s));
}

char *mem_vprintf(const char *format, va_list args)
{
	char *out;

	if (vasprintf(&out, format, args) < 0)
		abort();
	return out;
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	char *out;

	va_start(args, format);
	out = mem_vprintf(format, args);
	va_end(args);
	return out;
}

void *list_grow(void *v, size_t n, size_t *room, size_t size)
{
	if (n == *room) {
		*room = *room ? *room * 2 : 8;
		v = mem_resize(v, *room, size);
	}
	memset((char *)v + n * size, 0, size);
	return v;
}
