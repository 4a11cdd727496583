/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share. A property that does not hold ends in abort(), which libFuzzer reports. */
#ifndef SW_FUZZ_SUPPORT_H
#define SW_FUZZ_SUPPORT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "sets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must_hold(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* A net_source that touches no file: the built-in sets, a small google, and one list of prefixes for every file. */
static inline bool canned_net(void *data, const char *from, const char *text, struct prefixes *out, struct diags *diags)
{
	static const char google[] = "8.8.4.0/24\n8.8.8.0/24\n2001:4860::/32\n";
	static const char file[] = "# a list\n192.0.2.0/24\n10.0.0.0/8\n2001:db8::/32\n10.1.0.0/16\n";

	(void)data;
	(void)from;
	if (!strncmp(text, "file:", 5)) {
		prefixes_parse(text, file, strlen(file), out, diags);
		return true;
	}
	if (!strcmp(text, "google") || !strcmp(text, "google-cloud")) {
		prefixes_parse(text, google, strlen(google), out, diags);
		return true;
	}
	if (!strcmp(text, "resolvers")) {
		prefixes_parse(text, "10.0.0.53\n", strlen("10.0.0.53\n"), out, diags);
		return true;
	}
	return set_find(text, out);
}

/*
 * A base_source: the input is policies with a line "===" between, and `extends: N` names one by its number. What is
 * before the first such line is the policy itself.
 */
static inline char *canned_base(void *data, const char *from, const char *name, char **file, size_t *len,
				struct fault *fault)
{
	const char *text = data, *end;

	(void)from;
	for (int n = atoi(name); n > 0 && text; n--) {
		text = strstr(text, "\n===\n");
		text = text ? text + strlen("\n===\n") : NULL;
	}
	if (!text) {
		fault_set(fault, 2, "there are not so many");
		return NULL;
	}
	end = strstr(text, "\n===\n");
	*len = end ? (size_t)(end + 1 - text) : strlen(text);
	*file = mem_printf("%d.yaml", atoi(name));
	return mem_strndup(text, *len);
}

static const struct policy_source canned = { .net = canned_net };

static inline char *printed(const struct policy *policy, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	policy_print(policy, out);
	fclose(out);
	return text;
}

/* Messages are one line each: read as such by people, and by programs as JSON. */
static inline void check_diags(struct diags *diags)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < diags->n; i++)
		must_hold(!strpbrk(diags->v[i].text, "\n\r\x1b"), "a message is one line of plain text");
	diags_print(diags, out);
	fclose(out);
	free(text);
}

#endif
