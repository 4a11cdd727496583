// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "allow.h"
#include "json.h"
#include "mem.h"
#include "prefix.h"
#include "resolv.h"

static bool is_url(const char *text)
{
	return strstr(text, "://");
}

/* Or would be, but for a mistake. */
static bool is_net(const char *text)
{
	struct sw_prefix prefix;

	return !prefix_parse(text, &prefix) || (strchr(text, '/') && !strrchr(text, ':') && !is_url(text));
}

/* Leaves what is before the port; the port, or NULL. */
static char *split_port(char **peer)
{
	char *text = *peer, *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

	if (*text == '[' && bracket && (!bracket[1] || bracket[1] == ':')) {
		*bracket = '\0';
		*peer = text + 1;
		return bracket[1] ? bracket + 2 : NULL;
	}
	if (!colon || is_net(text) || is_url(text))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* True if it has a name, which is to be asked for. */
static bool write_peer(char *peer, struct json *json)
{
	char *port = split_port(&peer);
	bool net = is_net(peer);

	json_open(json, NULL, '{');
	json_open(json, "allow", '{');
	json_string(json, net ? "net" : "name", peer);
	if (port)
		json_string(json, "port", port);
	json_close(json, '}');
	json_close(json, '}');
	return !net;
}

static void write_resolvers(struct json *json)
{
	static const char *const usual[] = { RESOLVERS_USUAL };

	json_open(json, NULL, '{');
	json_open(json, "allow", '{');
	json_open(json, "net", '[');
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		json_string(json, NULL, usual[i]);
	json_close(json, ']');
	json_number(json, "port", 53);
	json_close(json, '}');
	json_close(json, '}');
}

char *allow_text(const char *name, size_t *len)
{
	char *text = NULL, *list = mem_strdup(name + strlen(ALLOW_MARK)), *next = list, *peer;
	struct json json = { .out = open_memstream(&text, len), .pretty = true };
	bool names = false;

	if (!json.out)
		abort();
	json_open(&json, NULL, '{');
	json_open(&json, "rules", '[');
	while ((peer = strsep(&next, ",")))
		names |= write_peer(peer, &json);
	if (names)
		write_resolvers(&json);
	json_close(&json, ']');
	json_string(&json, "default", "deny");
	json_close(&json, '}');
	fclose(json.out);
	free(list);
	return text;
}
