// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"
#include "plain.h"
#include "say.h"

/* What is said later; NULL: all is said at once. */
static FILE *kept;
static char *kept_text;
static size_t kept_len;

static void say(FILE *out, const char *format, va_list args)
{
	char *text = mem_vprintf(format, args);

	plain_line(out, "%s: %s", say_program, text);
	free(text);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(kept ? kept : stderr, format, args);
	va_end(args);
}

void say_later(void)
{
	kept = open_memstream(&kept_text, &kept_len); /* NULL for want of memory: then it is said at once */
}

void say_now(void)
{
	if (!kept)
		return;
	fclose(kept);
	kept = NULL;
	fputs(kept_text, stderr);
	free(kept_text);
}

void warn_to(FILE *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(out, format, args);
	va_end(args);
}

static bool to_journal(const struct about *about, const char *text)
{
	struct journal_entry entry;

	if (!journal_is(STDERR_FILENO))
		return false;
	journal_begin(&entry, about->message, about->priority, say_program);
	journal_field(&entry, "TENANT", about->tenant);
	journal_field(&entry, "POLICY", about->policy);
	journal_field(&entry, "OLD_POLICY", about->old_policy);
	journal_field(&entry, "CGROUP", about->cgroup);
	return journal_send(&entry, text);
}

void warn_about(const struct about *about, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = mem_vprintf(format, args);
	va_end(args);
	if (!to_journal(about, text))
		warn("%s", text);
	free(text);
}
