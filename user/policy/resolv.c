// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* The keyword begins the line, and what follows the address is no matter. */
static void line_parse(char *line, struct prefixes *out)
{
	char *word = line + strlen("nameserver");
	struct sw_addr addr;

	if (strncmp(line, "nameserver", strlen("nameserver")) || (*word != ' ' && *word != '\t'))
		return;
	word += strspn(word, BLANKS);
	word[strcspn(word, BLANKS)] = '\0';
	if (server_parse(word, &addr))
		add_server(&addr, out);
}

void resolv_parse(const char *text, size_t len, struct prefixes *out)
{
	const char *end = text + len;

	while (text < end) {
		const char *stop = memchr(text, '\n', end - text);
		char *line = mem_strndup(text, (stop ? stop : end) - text);

		line_parse(line, out);
		free(line);
		text = stop ? stop + 1 : end;
	}
}

int resolv_read(struct prefixes *out)
{
	size_t len;
	char *text = file_read(RESOLV_CONF, &len);

	if (!text)
		return errno == ENOENT ? 0 : -errno;
	resolv_parse(text, len, out);
	free(text);
	return 0;
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
