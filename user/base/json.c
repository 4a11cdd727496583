// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "plain.h"
#include "utf8.h"

/* As UTF-16 has it. */
static void escape(FILE *out, unsigned character)
{
	if (character < 0x10000)
		fprintf(out, "\\u%04x", character);
	else
		fprintf(out, "\\u%04x\\u%04x", 0xd7c0 + (character >> 10), 0xdc00 + (character & 0x3ff));
}

static void quote(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int len;

	fputc('"', out);
	for (; *s; s += len ? len : 1) {
		len = utf8_len(s);
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (!len)
			fputs("\\ufffd", out);
		else if (plain_is(utf8_value(s, len)))
			fwrite(s, 1, len, out);
		else
			escape(out, utf8_value(s, len));
	}
	fputc('"', out);
}

static void before_value(struct json *json, const char *key)
{
	if (json->more)
		fputc(',', json->out);
	if (json->pretty && json->depth)
		fprintf(json->out, "\n%*s", 2 * json->depth, "");
	if (key) {
		quote(json->out, key);
		fputs(json->pretty ? ": " : ":", json->out);
	}
	json->more = true;
}

void json_open(struct json *json, const char *key, char bracket)
{
	before_value(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->more = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->pretty && json->more)
		fprintf(json->out, "\n%*s", 2 * json->depth, "");
	fputc(bracket, json->out);
	json->more = true;
}

void json_string(struct json *json, const char *key, const char *value)
{
	before_value(json, key);
	if (value)
		quote(json->out, value);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	before_value(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	before_value(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_end(struct json *json)
{
	fputc('\n', json->out);
	fflush(json->out);
	json->more = false;
}
