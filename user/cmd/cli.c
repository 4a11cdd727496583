// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "load.h"
#include "mem.h"

static void say(FILE *out, const char *format, va_list args)
{
	fputs("sockwarden: ", out);
	vfprintf(out, format, args);
	fputc('\n', out);
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

const char *cli_path(void)
{
	const char *path = secure_getenv("SOCKWARDEN_PATH");
	static char *found;

	if (path && *path)
		return path;
	if (!found)
		found = search_path();
	return found;
}

static void drop_notes(struct diags *diags)
{
	size_t n = 0;

	for (size_t i = 0; i < diags->n; i++) {
		if (!diags->v[i].note) {
			diags->v[n++] = diags->v[i];
			continue;
		}
		free(diags->v[i].file);
		free(diags->v[i].text);
		free(diags->v[i].source);
	}
	diags->n = n;
}

/* Takes the policy and its messages, and prints those. */
static struct image *compile_loaded(struct policy *policy, struct diags *diags, bool notes, FILE *out)
{
	struct image *image = policy ? compile(policy, diags) : NULL;

	if (!notes)
		drop_notes(diags);
	diags_print(diags, out);
	diags_free(diags);
	policy_free(policy);
	return image;
}

struct image *cli_compile(const char *name, bool notes)
{
	return cli_compile_to(name, notes, stderr);
}

struct image *cli_compile_to(const char *name, bool notes, FILE *out)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_load(cli_path(), name, &diags);

	return compile_loaded(policy, &diags, notes, out);
}

struct policy *cli_policy(const char *name, struct diags *diags)
{
	return strcmp(name, "-") ? policy_load(cli_path(), name, diags) : policy_from_stdin(cli_path(), diags);
}

struct image *cli_compile_given(const char *name, bool notes)
{
	struct diags diags = { 0 };
	struct policy *policy = cli_policy(name, &diags);

	return compile_loaded(policy, &diags, notes, stderr);
}

char *cli_policy_source(const char *name)
{
	char *real = policy_is_file(name) ? realpath(name, NULL) : NULL;

	return real ? real : mem_strdup(name);
}

void cli_report(const struct cli *cli, const struct report *report, const struct support *support, FILE *out)
{
	struct json json = { .out = out, .pretty = cli_has(cli, OPTION_PRETTY) };

	if (!cli_has(cli, OPTION_JSON)) {
		report_print(report, support, out);
		return;
	}
	report_json(report, support, &json);
	json_end(&json);
}
