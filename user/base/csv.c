// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "mem.h"
#include "plain.h"

static void before_field(struct csv *csv)
{
	if (csv->more)
		fputc(',', csv->out);
	csv->more = true;
}

static void put(FILE *out, char c)
{
	if (c == '"')
		fputc('"', out);
	fputc(c, out);
}

void csv_text(struct csv *csv, const char *value)
{
	char *text;
	bool quoted;

	before_field(csv);
	if (!value)
		return;
	text = plain_but(mem_strdup(value), "\r\n"); /* of the control characters the RFC knows line ends only */
	quoted = !*text || strpbrk(text, ",\"\r\n");
	if (quoted)
		fputc('"', csv->out);
	for (const char *c = text; *c; c++)
		put(csv->out, *c);
	if (quoted)
		fputc('"', csv->out);
	free(text);
}

void csv_number(struct csv *csv, __u64 value)
{
	before_field(csv);
	fprintf(csv->out, "%" PRIu64, (uint64_t)value);
}

void csv_end(struct csv *csv)
{
	fputs("\r\n", csv->out);
	csv->more = false;
}
