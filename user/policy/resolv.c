// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "load.h"
#include "resolv.h"
#include "sha256.h"

#define BLANKS " \t\r\n"

/* As glibc takes it: short and hexadecimal forms of IPv4 too, and an IPv6 scope is of no meaning here. */
static bool server_parse(char *text, struct sw_addr *addr)
{
	struct in_addr v4;

	if (inet_aton(text, &v4)) {
		*addr = sw_addr_v4(v4.s_addr);
		return true;
	}
	text[strcspn(text, "%")] = '\0';
	return inet_pton(AF_INET6, text, addr->b) == 1;
}

static void add_server(const struct sw_addr *addr, struct prefixes *out)
{
	for (size_t i = 0; i < out->n; i++)
		if (!memcmp(&out->v[i].addr, addr, sizeof(*addr)))
			return;
	*list_add(out) = (struct sw_prefix){ .len = 128, .addr = *addr };
}

/* The keyword begins the line. What follows it, or NULL. */
static char *line_value(char *line, const char *keyword)
{
	size_t len = strlen(keyword);

	return strncmp(line, keyword, len) || (line[len] != ' ' && line[len] != '\t') ? NULL : line + len;
}

/* What follows the address is no matter. */
static void server_line(char *line, void *out)
{
	char *word = line_value(line, "nameserver");
	struct sw_addr addr;

	if (!word)
		return;
	word += strspn(word, BLANKS);
	word[strcspn(word, BLANKS)] = '\0';
	if (server_parse(word, &addr))
		add_server(&addr, out);
}

static void domains_clear(struct domains *domains)
{
	for (size_t i = 0; i < domains->n; i++)
		free(domains->v[i]);
	domains->n = 0;
}

/* "." stands for no domain. A dot at the end is of no meaning. */
static void add_domain(const char *text, struct domains *out)
{
	char *name = domain_name(text);

	for (size_t i = 0; name && i < out->n; i++) {
		if (!strcmp(out->v[i], name)) {
			free(name);
			name = NULL;
		}
	}
	if (name)
		*list_add(out) = name;
}

/* Each such line replaces those before it; `domain` has one domain. */
static void search_line(char *line, void *out)
{
	char *search = line_value(line, "search"), *value = search ? search : line_value(line, "domain"), *save;
	char *word = value ? strtok_r(value, BLANKS, &save) : NULL;

	if (!word)
		return;
	domains_clear(out);
	for (; word; word = search ? strtok_r(NULL, BLANKS, &save) : NULL)
		add_domain(word, out);
}

/* Each line, which may be changed, with what is to be done to `out`. */
typedef void line_fn(char *line, void *out);

static void each_line(const char *text, size_t len, line_fn *each, void *out)
{
	const char *end = text + len;

	while (text < end) {
		const char *stop = memchr(text, '\n', end - text);
		char *line = mem_strndup(text, (stop ? stop : end) - text);

		each(line, out);
		free(line);
		text = stop ? stop + 1 : end;
	}
}

static int each_host_line(line_fn *each, void *out)
{
	size_t len;
	char *text = file_read(RESOLV_CONF, &len);

	if (!text)
		return errno == ENOENT ? 0 : -errno;
	each_line(text, len, each, out);
	free(text);
	return 0;
}

void resolv_parse(const char *text, size_t len, struct prefixes *out)
{
	each_line(text, len, server_line, out);
}

int resolv_read(struct prefixes *out)
{
	return each_host_line(server_line, out);
}

void resolv_search_parse(const char *text, size_t len, struct domains *out)
{
	each_line(text, len, search_line, out);
}

int resolv_search(struct domains *out)
{
	return each_host_line(search_line, out);
}

__u64 resolv_hash(const struct prefixes *resolvers)
{
	__u8 hash[32];
	struct sha256 sha;
	__u64 number;

	sha256_init(&sha);
	sha256_add(&sha, resolvers->v, resolvers->n * sizeof(*resolvers->v));
	sha256_end(&sha, hash);
	memcpy(&number, hash, sizeof(number));
	return number ? number : 1;
}
