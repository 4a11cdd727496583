// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "plain.h"

#define SOURCE_MAX 160  /* longer lines are quoted up to here; a caret beyond it is left out */
#define ERRORS_MAX 1000 /* kept; more are counted, for nobody reads them and each costs a look through the file */

static char *source_line(const struct place *place)
{
	const char *at = place->text, *end, *stop;

	if (!at || !place->line)
		return NULL;
	end = at + place->len;
	for (unsigned line = 1; line < place->line; line++) {
		at = memchr(at, '\n', end - at);
		if (!at)
			return NULL;
		at++;
	}
	stop = memchr(at, '\n', end - at);
	if (!stop)
		stop = end;
	if (stop > at && stop[-1] == '\r')
		stop--;
	if (stop - at > SOURCE_MAX)
		stop = at + SOURCE_MAX;
	return mem_strndup(at, stop - at);
}

static void add(struct diags *diags, const struct place *place, bool note, const char *format, va_list args)
{
	struct diag *diag;

	if (!note && diags->errors++ >= ERRORS_MAX)
		return;
	diag = list_add(diags);
	diag->file = mem_strdup(place->file);
	diag->line = place->line;
	diag->col = place->col;
	diag->note = note;
	diag->source = source_line(place);
	diag->text = plain(mem_vprintf(format, args)); /* one line, whatever was in the value that it quotes */
}

void diag_error(struct diags *diags, const struct place *place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diags, place, false, format, args);
	va_end(args);
}

void diag_note(struct diags *diags, const struct place *place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diags, place, true, format, args);
	va_end(args);
}

static void print_quoted(const struct diag *diag, FILE *out)
{
	fprintf(out, "  %s\n", plain_but(diag->source, "\t"));
	if (!diag->col || diag->col > strlen(diag->source) + 1)
		return;
	fputs("  ", out);
	for (unsigned i = 0; i + 1 < diag->col; i++)
		fputc(diag->source[i] == '\t' ? '\t' : ' ', out);
	fputs("^\n", out);
}

static int by_place(const void *a, const void *b)
{
	const struct diag *x = a, *y = b;

	if (x->file_seen != y->file_seen)
		return x->file_seen < y->file_seen ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->col != y->col)
		return x->col < y->col ? -1 : 1;
	return x->seen < y->seen ? -1 : 1;
}

void diags_sort(struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		size_t first = 0;

		while (strcmp(diags->v[first].file, diags->v[i].file))
			first++;
		diags->v[i].seen = i;
		diags->v[i].file_seen = first;
	}
	if (diags->n)
		qsort(diags->v, diags->n, sizeof(*diags->v), by_place);
}

void diags_print(struct diags *diags, FILE *out)
{
	diags_sort(diags);
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *diag = &diags->v[i];

		fputs(plain(diag->file), out);
		if (diag->line)
			fprintf(out, ":%u:%u", diag->line, diag->col);
		fprintf(out, ": %s: %s\n", diag->note ? "note" : "error", diag->text);
		if (diag->source)
			print_quoted(diag, out);
	}
	if (diags->errors > ERRORS_MAX)
		fprintf(out, "%zu more mistakes are not shown: correct these first\n", diags->errors - ERRORS_MAX);
}

static void diag_free(struct diag *diag)
{
	free(diag->file);
	free(diag->text);
	free(diag->source);
}

void diags_drop_notes(struct diags *diags)
{
	size_t n = 0;

	for (size_t i = 0; i < diags->n; i++) {
		if (diags->v[i].note)
			diag_free(&diags->v[i]);
		else
			diags->v[n++] = diags->v[i];
	}
	diags->n = n;
}

void diags_drop_sources(struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		free(diags->v[i].source);
		diags->v[i].source = NULL;
	}
}

void diags_free(struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++)
		diag_free(&diags->v[i]);
	free(diags->v);
	*diags = (struct diags){ 0 };
}
