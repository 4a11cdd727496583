// SPDX-License-Identifier: GPL-2.0-only
/* What there is: NAME WORD..., a line each. */
#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "zone.h"

#define ENTRIES_MAX 512

static struct entry entries[ENTRIES_MAX];
static size_t n_entries;

static struct entry *entry_add(const char *name)
{
	struct entry *e = &entries[n_entries];

	if (n_entries++ == ENTRIES_MAX)
		errx(2, "more than %d names", ENTRIES_MAX);
	e->wild = !strncmp(name, "*.", 2);
	snprintf(e->name, sizeof(e->name), "%s", name + (e->wild ? 2 : 0));
	for (char *c = e->name; *c; c++)
		*c = tolower(*c);
	e->ttl = 60;
	e->give = 1;
	e->chain = 1;
	return e;
}

/* ---- addresses: ADDRESS, or PREFIX/BITSxCOUNT, so many of them spread over the prefix ---- */

static void pool_add(struct pool *pool, const uint8_t *address, size_t size)
{
	pool->address = reallocarray(pool->address, pool->n + 1, sizeof(*pool->address));
	if (!pool->address)
		err(1, "memory");
	pool->size = size;
	memcpy(pool->address[pool->n++], address, size);
}

/* The I-th of COUNT, at equal distances in the prefix. */
static void spread(uint8_t *address, size_t size, unsigned int bits, size_t count, size_t i)
{
	unsigned int room = size * 8 - bits;
	uint64_t host;

	if (room > 60)
		room = 60;
	host = (1ULL << room) / (count + 1) * (i + 1);
	for (size_t at = size; at-- && host; host >>= 8)
		address[at] |= host;
}

static bool add_addresses(struct entry *e, const char *word)
{
	char prefix[NAME_BYTES];
	unsigned int bits = 0;
	size_t count = 1;
	int found = sscanf(word, "%255[^/]/%ux%zu", prefix, &bits, &count), six;
	uint8_t start[16], address[16];

	six = found >= 1 && inet_pton(AF_INET6, prefix, start) == 1;
	if (found == 2 || (!six && (found < 1 || inet_pton(AF_INET, prefix, start) != 1)))
		return false;
	for (size_t i = 0; i < count; i++) {
		memcpy(address, start, sizeof(address));
		if (found == 3)
			spread(address, six ? 16 : 4, bits, count, i);
		pool_add(&e->pool[six], address, six ? 16 : 4);
	}
	return true;
}

/* ---- the words ---- */

#define FIELD(name) offsetof(struct entry, name)

/* A field that is set: to IS, or to the number behind the word when that ends in "=". */
static const struct {
	const char *word;
	size_t field;
	unsigned int is;
} words[] = {
	{ "ttl=", FIELD(ttl) },     /* seconds; 60 */
	{ "give=", FIELD(give) },   /* so many addresses an answer, the next ones each time; 1 */
	{ "delay=", FIELD(delay) }, /* milliseconds */
	{ "chain=", FIELD(chain) }, /* to the name of `cname` by way of so many aliases; 1 */
	{ "servfail", FIELD(rcode), RCODE_SERVFAIL },
	{ "nxdomain", FIELD(rcode), RCODE_NXDOMAIN },
	{ "silent", FIELD(silent), true },  /* no answer at all */
	{ "tc", FIELD(truncated), true },   /* over UDP one address, and TC=1 */
	{ "named", FIELD(named), true },    /* the label before this name is the address: 10-0-0-1, 2001-db8--1 */
	{ "hostile", FIELD(hostile), true } /* and the first label the form of the answer: `zone forms` */
};

static bool field_word(struct entry *e, const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word);
		bool valued = words[i].word[len - 1] == '=';

		if (valued ? strncmp(word, words[i].word, len) : strcmp(word, words[i].word))
			continue;
		*(unsigned int *)((char *)e + words[i].field) = valued ? strtoul(word + len, NULL, 10) : words[i].is;
		return true;
	}
	return false;
}

static void entry_word(struct entry *e, const char *word)
{
	if (!strncmp(word, "cname=", 6))
		snprintf(e->target, sizeof(e->target), "%s", word + 6);
	else if (!field_word(e, word) && !add_addresses(e, word))
		errx(2, "%s: '%s' is neither an address nor a word of the table", e->name, word);
}

/* ---- files ---- */

/* Calls LINE for each line that is not empty, without its comment. */
static void read_lines(const char *path, void (*line)(char *text))
{
	FILE *in = fopen(path, "re");
	char text[4096];

	if (!in)
		err(2, "%s", path);
	while (fgets(text, sizeof(text), in)) {
		text[strcspn(text, "#\n")] = '\0';
		if (text[strspn(text, " \t")])
			line(text);
	}
	fclose(in);
}

static void name_line(char *text)
{
	char *at = NULL, *word = strtok_r(text, " \t", &at);
	struct entry *e = entry_add(word);

	while ((word = strtok_r(NULL, " \t", &at)))
		entry_word(e, word);
}

static void host_line(char *text)
{
	char *at = NULL, *address = strtok_r(text, " \t", &at), *name = strtok_r(NULL, " \t", &at);
	struct entry *e;

	if (!name)
		errx(2, "%s: no name", address);
	e = names_find(name);
	if (e && !e->wild && e->give != GIVE_MAX)
		return;
	if (!e || e->wild)
		e = entry_add(name);
	if (!add_addresses(e, address))
		errx(2, "%s: no address", address);
	e->give = GIVE_MAX;
}

void names_read(const char *path)
{
	read_lines(path, name_line);
}

void hosts_read(const char *path)
{
	read_lines(path, host_line);
}

static bool below(const char *name, const char *top)
{
	size_t len = strlen(name), top_len = strlen(top);

	return len > top_len + 1 && name[len - top_len - 1] == '.' && !strcmp(name + len - top_len, top);
}

struct entry *names_find(const char *name)
{
	struct entry *best = NULL;

	for (struct entry *e = entries; e < entries + n_entries; e++) {
		if (!e->wild && !strcmp(e->name, name))
			return e;
		if (e->wild && below(name, e->name) && (!best || strlen(e->name) > strlen(best->name)))
			best = e;
	}
	return best;
}
