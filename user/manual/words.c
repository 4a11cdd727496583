// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <string.h>

#include "arguments.h"
#include "manual.h"
#include "mem.h"

struct option_table manual_options(const struct command *command)
{
	return command->raw ? exporter_options : command_options(command);
}

/* A NAME is of what the option says: that of --tenant is a TENANT. */
static void print_value(const struct option_row *row, FILE *out)
{
	const char *at = row->arg ? row->arg : "-";
	size_t len = strcspn(at, "|");

	if (len != strlen("NAME") || strncmp(at, "NAME", len)) {
		fputs(at, out);
		return;
	}
	for (const char *each = row->name; *each; each++)
		putc(toupper(*each), out);
	fputs(at + len, out);
}

/* "[SET]" is SET: which are optional is no matter here. */
static void print_arguments(const char *args, FILE *out)
{
	bool ends = false;

	for (const char *at = *args ? args : "-"; *at; at++) {
		if (!strncmp(at, "...", 3)) {
			ends = true;
			at += 2;
		} else if (!strchr("[]", *at)) {
			putc(*at, out);
		}
	}
	fputs(ends ? " ..." : "", out);
}

static void print_option(const struct command *command, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s\t%s--%s\t", command->verb, row->letter ? (char[]){ '-', row->letter, ',', 0 } : "", row->name);
	print_value(row, out);
	fprintf(out, "\t%s\n", row->help);
}

void manual_words(FILE *out)
{
	for (const struct command *command = commands; command->verb; command++) {
		const struct option_table table = manual_options(command);

		fprintf(out, "%s\t-\t", command->verb);
		print_arguments(command->args, out);
		fprintf(out, "\t%s\n", command->help);
		for (int i = 0; i < table.n; i++)
			if (table.takes & 1ULL << i)
				print_option(command, &table.rows[i], out);
	}
}
