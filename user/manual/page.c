// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "file.h"
#include "load.h"
#include "manual.h"
#include "mem.h"
#include "scrape.h"

#define PROGRAM "sockwarden"
#define FENCE   "```" /* around what stays as it is */

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* So that nothing in it is taken for what scdoc knows. */
static void print_plain(const char *text, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("\\*_`~^", text[i]) || (!i && strchr("-#|[].;:", text[i])))
			putc('\\', out);
		putc(text[i], out);
	}
}

static void print_word(const char *text, FILE *out)
{
	print_plain(text, strlen(text), out);
}

/* A line of help as a sentence. */
static void print_sentence(const char *text, FILE *out)
{
	putc(toupper(*text), out);
	print_plain(text + 1, strlen(text) - 1, out);
	fputs(".\n\n", out);
}

/* In a block that stays as it is. */
static void print_literal(const char *text, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			putc('\\', out);
		putc(text[i], out);
	}
}

/* Lines of help as paragraphs; what is indented stays as it is. */
static void print_lines(const char *text, FILE *out)
{
	bool literal = false;

	for (size_t len; *text; text += len + !!text[len]) {
		len = strcspn(text, "\n");
		if (literal != (*text == ' ')) {
			fputs(literal ? FENCE "\n\n" : "\n" FENCE "\n", out);
			literal = !literal;
		}
		if (literal)
			print_literal(text, len, out);
		else
			print_plain(text, len, out);
		putc('\n', out);
	}
	fputs(literal ? FENCE "\n\n" : "\n", out);
}

/* "[SET]": what is in capitals is to be replaced. */
static void print_usage(const char *args, FILE *out)
{
	for (size_t len; *args; args += len) {
		len = strspn(args, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (len)
			fprintf(out, "_%.*s_", (int)len, args);
		else
			putc(args[len++], out);
	}
}

/* ---- commands ------------------------------------------------------------------------------------------------ */

static void print_options(const struct command *command, FILE *out)
{
	const struct option_table table = manual_options(command);

	for (int i = 0; i < table.n; i++) {
		const struct option_row *row = &table.rows[i];

		if (!(table.takes & 1ULL << i))
			continue;
		if (row->letter)
			fprintf(out, "*-%c*, ", row->letter);
		fprintf(out, "*--%s*", row->name);
		if (row->arg) {
			putc(' ', out);
			print_usage(row->arg, out);
		}
		fputs("\n\t", out);
		print_word(row->help, out);
		fputs("\n\n", out);
	}
}

static void print_command(const struct command *command, FILE *out)
{
	const char *more = command->raw ? exporter_more : command->more;

	print_sentence(command->help, out);
	if (more)
		print_lines(more, out);
	if (command->root)
		fputs("This needs root.\n\n", out);
}

static void print_synopsis(const struct command *command, FILE *out)
{
	fprintf(out, "*" PROGRAM " %s* [_OPTION_...]%s", command->verb, *command->args ? " " : "");
	print_usage(command->args, out);
}

/* ---- families of commands ------------------------------------------------------------------------------------ */

/* The commands whose first word this is. */
struct family {
	const char *word;
	size_t len;
};

/* The first of them from `command` on; NULL: none. */
static const struct command *member(const struct family *family, const struct command *command)
{
	for (; command->verb; command++)
		if (!strncmp(command->verb, family->word, family->len) && strchr(" ", command->verb[family->len]))
			return command;
	return NULL;
}

static const struct command *member_after(const struct family *family, const struct command *command)
{
	return member(family, command + 1);
}

/* What they do: what the command does which is the word alone, or the second words of all. */
static void print_name(const struct family *family, FILE *out)
{
	const struct command *first = member(family, commands), *each;

	for (each = first; each && each->verb[family->len]; each = member_after(family, each))
		;
	if (each) {
		print_word(each->help, out);
		return;
	}
	for (each = first; each; each = member_after(family, each))
		fprintf(out, "%s%s", each == first ? "" : ", ", each->verb + family->len + 1);
}

static void print_synopses(const struct family *family, FILE *out)
{
	const struct command *first = member(family, commands);

	for (const struct command *each = first; each; each = member_after(family, each)) {
		fputs(each == first ? "" : "++\n", out);
		print_synopsis(each, out);
	}
}

static void print_members(const struct family *family, FILE *out)
{
	const struct command *first = member(family, commands);
	bool many = member_after(family, first);

	fprintf(out, "# %s\n\n", many ? "COMMANDS" : "DESCRIPTION");
	for (const struct command *each = first; each; each = member_after(family, each)) {
		if (many)
			fprintf(out, "## " PROGRAM " %s\n\n", each->verb);
		print_command(each, out);
		if (!many)
			fputs("# OPTIONS\n\n", out);
		print_options(each, out);
	}
}

static int print_family(const struct family *family, FILE *out)
{
	if (!member(family, commands))
		return -ENOENT;
	fprintf(out, "# NAME\n\n" PROGRAM "-%.*s - ", (int)family->len, family->word);
	print_name(family, out);
	fputs("\n\n# SYNOPSIS\n\n", out);
	print_synopses(family, out);
	fputs("\n\n", out);
	print_members(family, out);
	return 0;
}

/* ---- lists that a page's own text has in a place of its choice ------------------------------------------------ */

static void list_commands(FILE *out)
{
	for (const struct command *each = commands; each->verb; each++) {
		print_synopsis(each, out);
		fprintf(out, "\n\t%c", toupper(*each->help));
		print_word(each->help + 1, out);
		fprintf(out, ": *" PROGRAM "-%.*s*(1).\n\n", (int)strcspn(each->verb, " "), each->verb);
	}
}

/* Each family, from the comments that a scraper reads: "# HELP name text", "# TYPE name type". */
static void list_metrics(FILE *out)
{
	static const struct snapshot snapshot = { .daemon = { .ticked = 1, .published = 1, .reaper.passed = 1 } };
	struct fault fault;
	char *text = NULL, *rest, name[128], type[16];
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		abort();
	scrape_write(&snapshot, SCRAPE_ALL, METRICS_TEXT, memory, &fault);
	fclose(memory);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *help = line;
		int at = 0;

		if (sscanf(line, "# HELP %127s %n", name, &at) != 1 || !at)
			continue;
		line = strtok_r(NULL, "\n", &rest);
		if (!line || sscanf(line, "# TYPE %*s %15s", type) != 1)
			abort();
		fprintf(out, "*%s* (%s)\n\t", name, type);
		print_word(help + at, out);
		fputs("\n\n", out);
	}
	free(text);
}

static const struct {
	const char *line;
	void (*print)(FILE *out);
} lists[] = {
	{ "@COMMANDS@", list_commands },
	{ "@METRICS@", list_metrics },
};

/* A line of a page's own text, `*literal` saying whether it is in a block. ```console is for who runs the examples. */
static void print_own_line(const char *line, bool *literal, FILE *out)
{
	if (!strncmp(line, FENCE, strlen(FENCE))) {
		*literal = !*literal;
		line = FENCE;
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (!strcmp(line, lists[i].line)) {
			lists[i].print(out);
			return;
		}
	if (*literal)
		print_literal(line, strlen(line), out);
	else
		fputs(line, out);
	putc('\n', out);
}

static int print_own(const char *file, FILE *out)
{
	size_t len;
	char *text = file_read(file, &len);
	bool literal = false;

	if (!text)
		return -errno;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		print_own_line(line, &literal, out);
	}
	putc('\n', out);
	free(text);
	return 0;
}

/* ---- pages --------------------------------------------------------------------------------------------------- */

/* That of sockwarden is of all; others are of commands, or have all their text in files. */
static void print_see_also(const char *page, FILE *out)
{
	static const char *const others[] = { PROGRAM "(1)", PROGRAM "-policy(5)", PROGRAM "-files(5)",
					      PROGRAM "-metrics(7)" };
	const char *dot = strchr(page, '.'), *before = "";

	fputs("# SEE ALSO\n\n", out);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		size_t len = strcspn(others[i], "(");

		if (dot && len == (size_t)(dot - page) && !strncmp(page, others[i], len) &&
		    others[i][len + 1] == dot[1])
			continue;
		fprintf(out, "%s*%.*s*%s", before, (int)len, others[i], others[i] + len);
		before = ", ";
	}
	putc('\n', out);
}

int manual_page(const char *page, char **files, FILE *out)
{
	const char *dot = strrchr(page, '.'), *word = strchr(page, '-');
	int err = 0;

	if (!dot)
		return -EINVAL;
	fprintf(out, "%.*s(%s) \"" PROGRAM " " SW_VERSION "\" \"" PROGRAM "\"\n\n", (int)(dot - page), page, dot + 1);
	if (word && !strcmp(dot, ".1"))
		err = print_family(&(struct family){ word + 1, dot - word - 1 }, out);
	for (; *files && !err; files++)
		err = print_own(*files, out);
	print_see_also(page, out);
	return err;
}
