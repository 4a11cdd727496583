// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "mem.h"

#define LABEL_LEN 63

static bool is_name(const char *text)
{
	size_t label = 0, len = strlen(text);

	if (!len || len > SW_DOMAIN_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dot = text[i] == '.', hyphen = text[i] == '-';

		if (!isalnum((unsigned char)text[i]) && text[i] != '_' && !hyphen && !dot)
			return false;
		if (dot ? !label || text[i - 1] == '-' : label >= LABEL_LEN || (!label && hyphen))
			return false;
		label = dot ? 0 : label + 1;
	}
	return label && text[len - 1] != '-';
}

char *domain_name(const char *text)
{
	size_t len = strlen(text);
	char *name = mem_strndup(text, len && text[len - 1] == '.' ? len - 1 : len);

	if (!is_name(name)) {
		free(name);
		return NULL;
	}
	for (char *c = name; *c; c++)
		*c = tolower((unsigned char)*c);
	return name;
}

struct sw_domain domain_key(const char *text)
{
	bool below = !strncmp(text, "*.", 2);
	const char *name = below ? text + 1 : text; /* with the dot */
	size_t n = strlen(name);
	struct sw_domain key = { .len = 8 * (below ? n : n + 1) };

	for (size_t i = 0; i < n && i < sizeof(key.text); i++)
		key.text[i] = name[n - 1 - i];
	return key;
}

const char *domain_text(const char *backwards, size_t room, char text[SW_DOMAIN_MAX + 2])
{
	size_t n = strnlen(backwards, room);
	bool below = n && backwards[n - 1] == '.', cut = n + 1 >= room && room < SW_DOMAIN_MAX;
	char *out = text + sprintf(text, "%s", cut ? ".." : below ? "*" : "");

	for (size_t i = 0; i < n; i++)
		out[i] = backwards[n - 1 - i];
	out[n] = '\0';
	return text;
}
