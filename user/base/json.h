/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A JSON writer: commas, quoting and indentation in one place. `key` is NULL inside an array and at the
 * top. Values are written as they come; the caller closes what it opens.
 */
#ifndef SW_JSON_H
#define SW_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool pretty;
	int depth;
	bool more; /* something stands before, at this depth */
};

void json_open(struct json *json, const char *key, char bracket);        /* '{' or '[' */
void json_close(struct json *json, char bracket);                        /* '}' or ']' */
void json_string(struct json *json, const char *key, const char *value); /* NULL: null; not UTF-8: U+FFFD */
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_end(struct json *json); /* after the outermost value */

#endif
