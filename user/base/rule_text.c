// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rule_text.h"

#define CUT "..."

/* At most `max` bytes of the text, and no part of a character. Returns where to go on, behind the NUL. */
static char *put(char *to, const char *text, size_t max)
{
	size_t len = strlen(text), whole = max;

	if (len <= max)
		return stpcpy(to, text) + 1;
	whole = max > strlen(CUT) ? max - strlen(CUT) : 0;
	while (whole && ((unsigned char)text[whole] & 0xc0) == 0x80)
		whole--;
	memcpy(to, text, whole);
	return stpcpy(to + whole, max > strlen(CUT) ? CUT : "") + 1;
}

/* Bytes for the NULs. */
static size_t ends_of(const char *const parts[RULE_PARTS])
{
	size_t n = RULE_PARTS;

	while (n > 1 && !*parts[n - 1])
		n--;
	return n;
}

/* The rule and its description share what is left; who takes less than half leaves the rest to the other. */
void rule_pack(char to[SW_TEXT_MAX], const char *const parts[RULE_PARTS])
{
	size_t left = SW_TEXT_MAX - ends_of(parts) - strlen(parts[RULE_FILE]) - strlen(parts[RULE_ID]), half = left / 2,
	       rule = strlen(parts[RULE_TEXT]), description = strlen(parts[RULE_DESCRIPTION]);
	char whole[SW_TEXT_MAX + RULE_PARTS] = "", *at = whole;

	if (rule + description > left && description > half)
		description = rule < half ? left - rule : half;
	at = put(at, parts[RULE_TEXT], left - description);
	at = put(at, parts[RULE_FILE], SW_NAME_MAX);
	at = put(at, parts[RULE_ID], SW_NAME_MAX);
	put(at, parts[RULE_DESCRIPTION], description);
	memcpy(to, whole, SW_TEXT_MAX);
}

const char *rule_part(const char text[SW_TEXT_MAX], enum rule_part part)
{
	const char *end = text + SW_TEXT_MAX, *nul = memchr(text, '\0', SW_TEXT_MAX);

	for (int i = 0; i < (int)part && nul; i++) {
		text = nul + 1;
		nul = memchr(text, '\0', end - text);
	}
	return nul ? text : "";
}

const char *rule_file(const char text[SW_TEXT_MAX], const char *policy)
{
	const char *file = rule_part(text, RULE_FILE);

	return *file ? file : policy;
}

/* Two texts around one, or nothing if that is empty; to be freed. */
static char *around(const char *before, const char *text, const char *after)
{
	return *text ? mem_printf("%s%s%s", before, text, after) : mem_strdup("");
}

char *rule_told(unsigned rule, const char *policy, const struct sw_text *text)
{
	char *id = around(" (", rule_part(text->text, RULE_ID), ")"), *of = around(" of ", policy ? policy : "", ""),
	     *file = around(" of ", rule_part(text->text, RULE_FILE), ""),
	     *why = around(" # ", rule_part(text->text, RULE_DESCRIPTION), "");
	char *told = mem_printf("rule %u%s%s, line %u%s: %s%s", rule + 1, id, of, text->line, file,
				rule_part(text->text, RULE_TEXT), why);

	free(id);
	free(of);
	free(file);
	free(why);
	return told;
}

static void optional(const char *key, const char *text, struct json *json)
{
	if (*text)
		json_string(json, key, text);
}

void rule_json(unsigned rule, const char *policy, unsigned line, const char text[SW_TEXT_MAX], struct json *json)
{
	json_number(json, "rule", rule + 1);
	json_number(json, "line", line);
	json_string(json, "file", rule_file(text, policy));
	optional("id", rule_part(text, RULE_ID), json);
	optional("description", rule_part(text, RULE_DESCRIPTION), json);
	json_string(json, "text", rule_part(text, RULE_TEXT));
}
