// SPDX-License-Identifier: GPL-2.0-only
/* Reading a question, and writing an answer. */
#include <ctype.h>
#include <string.h>

#include "zone.h"

#define HEAD      12
#define OPT_BYTES 11
#define UDP_PLAIN 512  /* without EDNS */
#define UDP_MAX   4096 /* with it, when as much is asked for: in fragments */
#define UDP_OURS  1232 /* what we say that we take */
#define FLAG_QR   0x8000
#define FLAG_AA   0x0400
#define FLAG_TC   0x0200
#define FLAG_RD   0x0100
#define FLAG_RA   0x0080

uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* The name at AT, which must not be compressed; its length, or 0. */
static size_t name_read(struct question *q, const uint8_t *data, size_t len, size_t at)
{
	size_t start = at, text = 0;

	while (at < len && data[at]) {
		size_t label = data[at];

		if (label > 63 || at + label + 1 >= len || text + label + 1 >= sizeof(q->text))
			return 0;
		if (text)
			q->text[text++] = '.';
		for (size_t i = 1; i <= label; i++)
			q->text[text++] = tolower(data[at + i]);
		at += label + 1;
	}
	if (at >= len || at + 1 - start > sizeof(q->name))
		return 0;
	q->text[text] = '\0';
	memcpy(q->name, data + start, at + 1 - start);
	return at + 1 - start;
}

/* An OPT record without options, right behind the question, as stubs send it; others are read as if there were none. */
static void read_opt(struct question *q, const uint8_t *data, size_t len, size_t at)
{
	if (get16(data + 10) == 0 || at + OPT_BYTES > len || data[at] || get16(data + at + 1) != TYPE_OPT)
		return;
	q->edns = true;
	if (!q->tcp && get16(data + at + 3) > q->limit)
		q->limit = get16(data + at + 3) < UDP_MAX ? get16(data + at + 3) : UDP_MAX;
}

bool question_read(struct question *q, const uint8_t *data, size_t len, bool tcp)
{
	size_t at;

	if (len < HEAD || get16(data + 2) & FLAG_QR || get16(data + 4) != 1)
		return false;
	q->id = get16(data);
	q->flags = get16(data + 2);
	q->tcp = tcp;
	q->edns = false;
	q->limit = tcp ? MESSAGE_MAX : UDP_PLAIN;
	q->name_len = name_read(q, data, len, HEAD);
	at = HEAD + q->name_len + 4;
	if (!q->name_len || at > len)
		return false;
	q->type = get16(data + at - 4);
	q->class = get16(data + at - 2);
	read_opt(q, data, len, at);
	return true;
}

size_t message_head(const struct question *q)
{
	return HEAD + q->name_len + 4;
}

void message_begin(struct message *m, const struct question *q)
{
	memset(m->data, 0, HEAD);
	put16(m->data, q->id);
	put16(m->data + 2, FLAG_QR | FLAG_AA | FLAG_RA | (q->flags & FLAG_RD));
	put16(m->data + 4, 1);
	memcpy(m->data + HEAD, q->name, q->name_len);
	m->len = message_head(q);
	put16(m->data + m->len - 4, q->type);
	put16(m->data + m->len - 2, q->class);
	m->limit = q->limit - (q->edns ? OPT_BYTES : 0);
}

void message_flag(struct message *m, uint16_t flags)
{
	put16(m->data + 2, get16(m->data + 2) | flags);
}

size_t name_encode(const char *text, uint8_t *wire)
{
	size_t at = 0;

	while (*text) {
		size_t label = strcspn(text, ".");

		wire[at++] = label;
		memcpy(wire + at, text, label);
		at += label;
		text += label + (text[label] == '.');
	}
	wire[at++] = 0;
	return at;
}

/* The question's own name is a pointer to it. */
static size_t owner_encode(const char *owner, uint8_t *wire)
{
	if (owner)
		return name_encode(owner, wire);
	put16(wire, 0xc000 | HEAD);
	return 2;
}

bool message_record(struct message *m, enum section section, const struct record *record)
{
	uint8_t owner[NAME_BYTES], *count = m->data + 6 + 2 * section, *at = m->data + m->len;
	size_t owner_len = owner_encode(record->owner, owner);

	if (m->len + owner_len + 10 + record->len > m->limit) {
		message_flag(m, FLAG_TC);
		return false;
	}
	memcpy(at, owner, owner_len);
	at += owner_len;
	put16(at, record->type);
	put16(at + 2, record->class);
	put16(at + 4, record->ttl >> 16);
	put16(at + 6, record->ttl);
	put16(at + 8, record->len);
	memcpy(at + 10, record->data, record->len);
	m->len += owner_len + 10 + record->len;
	put16(count, get16(count) + 1);
	return true;
}

void message_end(struct message *m, const struct question *q)
{
	struct record opt = { .owner = "", .type = TYPE_OPT, .class = UDP_OURS };

	if (!q->edns)
		return;
	m->limit += OPT_BYTES;
	message_record(m, ADDITIONAL, &opt);
}
