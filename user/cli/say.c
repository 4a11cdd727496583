// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "say.h"

static void say(FILE *out, const char *format, va_list args)
{
	flockfile(out);
	fprintf(out, "%s: ", say_program);
	vfprintf(out, format, args);
	fputc('\n', out);
	funlockfile(out);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(stderr, format, args);
	va_end(args);
}

void warn_to(FILE *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(out, format, args);
	va_end(args);
}
