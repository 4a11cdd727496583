// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lookup.h"
#include "mem.h"

#define BLANKS " \t\r\n\f\v"

/* ---- what a service says of a name that only DNS knows, and what follows from it --------------------------- */

enum status { SUCCESS, NOTFOUND, UNAVAIL, TRYAGAIN, STATUSES };

static const char *const status_names[] = { "SUCCESS", "NOTFOUND", "UNAVAIL", "TRYAGAIN" };

/* Services that know this host and its own names only; any other may know all. */
static const struct local {
	const char *name;
	enum status status;
} locals[] = {
	{ "files", NOTFOUND },        { "db", NOTFOUND },
	{ "myhostname", NOTFOUND },   { "mymachines", NOTFOUND },
	{ "mdns_minimal", UNAVAIL }, /* but for names below .local, which are none of DNS */
	{ "mdns4_minimal", UNAVAIL }, { "mdns6_minimal", UNAVAIL },
	{ "resolve", UNAVAIL }, /* where nobody answers it */
};

static const struct local *local_find(const char *service)
{
	for (size_t i = 0; i < sizeof(locals) / sizeof(*locals); i++)
		if (!strcmp(locals[i].name, service))
			return &locals[i];
	return NULL;
}

/* "!UNAVAIL=return" or the like: bits 1 << enum status after which the list is left. */
static unsigned criterion_parse(const char *text, unsigned returns)
{
	bool not = *text == '!';
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text - not ) : 0;
	unsigned of = 0;

	for (int i = 0; i < STATUSES && equals; i++)
		if (strlen(status_names[i]) == len && !strncasecmp(text + not, status_names[i], len))
			of = 1U << i;
	if (not &&of)
		of = ~of;
	return of && !strcasecmp(equals + 1, "return") ? returns | of : returns & ~of;
}

/* What stands in brackets behind a service. `at` is left behind it. */
static unsigned criteria_parse(char **at)
{
	unsigned returns = 1U << SUCCESS;
	char *end, *word, *rest;

	*at += strspn(*at, BLANKS);
	if (**at != '[')
		return returns;
	end = strchr(*at, ']');
	if (end)
		*end = '\0';
	for (word = strtok_r(*at + 1, BLANKS, &rest); word; word = strtok_r(NULL, BLANKS, &rest))
		returns = criterion_parse(word, returns);
	*at = end ? end + 1 : "";
	return returns;
}

static void name_service(char to[LOOKUP_SERVICE], const char *service)
{
	snprintf(to, LOOKUP_SERVICE, "%s", service);
}

static struct lookup walk(char *list, bool resolved)
{
	struct lookup lookup = { .way = LOOKUP_NO_DNS };
	char service[LOOKUP_SERVICE];

	while (*(list += strspn(list, BLANKS))) {
		size_t len = strcspn(list, BLANKS "[");
		bool answers;
		const struct local *local;
		enum status status;
		unsigned returns;

		snprintf(service, sizeof(service), "%.*s", (int)len, list);
		list += len;
		returns = criteria_parse(&list);
		if (!strcmp(service, "dns")) {
			if (lookup.way == LOOKUP_NO_DNS)
				lookup.way = LOOKUP_DNS;
			return lookup;
		}
		local = local_find(service);
		answers = resolved && !strcmp(service, "resolve");
		status = answers ? SUCCESS : local ? local->status : NOTFOUND;
		if (!local && !*lookup.before)
			name_service(lookup.before, service);
		if (lookup.way != LOOKUP_NO_DNS || !(returns & 1U << status))
			continue;
		lookup.way = answers ? LOOKUP_ANSWERS : LOOKUP_STOPS;
		name_service(lookup.at, service);
	}
	return lookup;
}

/* ---- files ------------------------------------------------------------------------------------------------- */

/* The next line without its comment, to be freed; NULL: there is none. */
static char *line_next(const char **text, const char *end)
{
	const char *stop = *text < end ? memchr(*text, '\n', end - *text) : NULL;
	char *line;

	if (*text >= end)
		return NULL;
	stop = stop ? stop : end;
	line = mem_strndup(*text, stop - *text);
	line[strcspn(line, "#")] = '\0';
	*text = stop + 1;
	return line;
}

/* What glibc does without a line for hosts (2.36). */
static const struct lookup as_built = { .way = LOOKUP_DNS };

struct lookup lookup_parse(const char *text, size_t len, bool resolved)
{
	struct lookup lookup = as_built;
	const char *end = text + len;
	char *line;

	while ((line = line_next(&text, end))) {
		char *at = line + strspn(line, BLANKS);

		if (!strncmp(at, "hosts", 5)) {
			at += 5 + strspn(at + 5, BLANKS);
			if (*at == ':')
				lookup = walk(at + 1, resolved);
		}
		free(line);
	}
	return lookup;
}

bool lookup_nscd_has_hosts(const char *text, size_t len)
{
	const char *end = text + len;
	char *line, yes[4];
	bool has = false;

	while ((line = line_next(&text, end))) {
		if (sscanf(line, " enable-cache hosts %3s", yes) == 1)
			has = !strcmp(yes, "yes");
		free(line);
	}
	return has;
}
