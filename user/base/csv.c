// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "csv.h"

static void before_field(struct csv *csv)
{
	if (csv->more)
		fputc(',', csv->out);
	csv->more = true;
}

/* Of the control characters the RFC knows line ends only. */
static void put(FILE *out, char c)
{
	if (c == '"')
		fputc('"', out);
	fputc(iscntrl((unsigned char)c) && c != '\r' && c != '\n' ? '?' : c, out);
}

void csv_text(struct csv *csv, const char *value)
{
	bool quoted;

	before_field(csv);
	if (!value)
		return;
	quoted = !*value || strpbrk(value, ",\"\r\n");
	if (quoted)
		fputc('"', csv->out);
	for (; *value; value++)
		put(csv->out, *value);
	if (quoted)
		fputc('"', csv->out);
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
