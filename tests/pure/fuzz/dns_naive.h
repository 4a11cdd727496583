/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an answer says, read without haste: all records first, then which names the question's leads to, whatever the
 * order. It shares no code with include/dns.h, and takes more: any bytes in names, pointers that lead forwards.
 */
#ifndef SW_DNS_NAIVE_H
#define SW_DNS_NAIVE_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAIVE_RECORDS  1024
#define NAIVE_NAMES    (2 * NAIVE_RECORDS + 1)
#define NAIVE_WIRE     255 /* bytes of a name */
#define NAIVE_POINTERS 1000
#define NAIVE_FRONT    4
#define NAIVE_MANY     60
#define NAIVE_NEVER    ((int64_t)-1)

/* In lower case, as in a message without pointers. One that cannot be read is the same only as itself. */
struct naive_name {
	size_t len;
	uint8_t wire[NAIVE_WIRE];
	bool readable;
	bool host; /* nothing but [a-z0-9_-] */
	bool odd;  /* it has pointers that lead forwards, or more than NAIVE_FRONT before it begins, or very many */
	size_t at; /* where it stands, behind pointers; 0 for what is readable */
};

struct naive_record {
	size_t owner, target; /* names; the target is a CNAME's */
	unsigned int type, class;
	int64_t ttl;
	size_t data, size;
};

struct naive {
	const uint8_t *msg;
	size_t len;
	size_t count; /* of records, as the header says */
	size_t n;     /* that are there */
	bool odd;     /* a name in it is, or is no host's */
	struct naive_record records[NAIVE_RECORDS];
	size_t names_n;
	struct naive_name names[NAIVE_NAMES]; /* the first is the question's */
	int64_t leads[NAIVE_NAMES];           /* the question leads there for so many seconds, or NAIVE_NEVER */
};

static inline unsigned int naive_16(const struct naive *naive, size_t at)
{
	return naive->msg[at] * 256U + naive->msg[at + 1];
}

/* Behind the name at `at`; 0: it does not end. */
static inline size_t naive_skip(const struct naive *naive, size_t at)
{
	while (at < naive->len) {
		uint8_t c = naive->msg[at];

		if (c >= 0xc0)
			return at + 2 <= naive->len ? at + 2 : 0;
		if (c > 63)
			return 0;
		at += 1 + c;
		if (!c)
			return at;
	}
	return 0;
}

/* A label, with its length before it. False: it does not fit. */
static inline bool naive_label(const struct naive *naive, size_t at, struct naive_name *name)
{
	size_t n = naive->msg[at] + 1U;

	if (at + n > naive->len || name->len + n > NAIVE_WIRE)
		return false;
	name->wire[name->len] = n - 1;
	for (size_t i = 1; i < n; i++) {
		uint8_t c = naive->msg[at + i];

		name->host &= isalnum(c) || c == '-' || c == '_';
		name->wire[name->len + i] = tolower(c);
	}
	name->len += n;
	return true;
}

static inline void naive_read(const struct naive *naive, size_t at, struct naive_name *name)
{
	size_t begin = at; /* of what was read since the last pointer */

	*name = (struct naive_name){ .host = true };
	for (int pointers = 0; pointers < NAIVE_POINTERS && at < naive->len;) {
		uint8_t c = naive->msg[at];

		if (c >= 0xc0) {
			if (at + 2 > naive->len)
				break;
			pointers++;
			at = naive_16(naive, at) & 0x3fff;
			name->odd |= at >= begin || (!name->len && pointers > NAIVE_FRONT) || pointers > NAIVE_MANY;
			begin = at;
			continue;
		}
		if (!name->len)
			name->at = at;
		if (c > 63 || !naive_label(naive, at, name))
			break;
		at += 1 + c;
		if (!c) {
			name->readable = true;
			name->at = 0;
			return;
		}
	}
	name->host = false;
	name->len = 0;
}

/* The number of the name at `at`. */
static inline size_t naive_name(struct naive *naive, size_t at)
{
	struct naive_name *name = &naive->names[naive->names_n];

	naive_read(naive, at, name);
	naive->odd |= name->odd || !name->host;
	for (size_t i = 0; i < naive->names_n; i++) {
		const struct naive_name *other = &naive->names[i];

		if (other->readable == name->readable && other->at == name->at && other->len == name->len &&
		    !memcmp(other->wire, name->wire, name->len))
			return i;
	}
	return naive->names_n++;
}

/* Behind the record at `at`; 0: it is cut short. */
static inline size_t naive_record(struct naive *naive, size_t at)
{
	struct naive_record *record = &naive->records[naive->n];
	size_t fixed = naive_skip(naive, at);

	if (!fixed || fixed + 10 > naive->len)
		return 0;
	record->owner = naive_name(naive, at);
	record->type = naive_16(naive, fixed);
	record->class = naive_16(naive, fixed + 2);
	record->ttl = naive_16(naive, fixed + 4) * 65536LL + naive_16(naive, fixed + 6);
	if (record->ttl >= 1LL << 31)
		record->ttl = 0;
	record->size = naive_16(naive, fixed + 8);
	record->data = fixed + 10;
	if (record->data + record->size > naive->len)
		return 0;
	if (record->type == 5)
		record->target = naive_name(naive, record->data);
	naive->n++;
	return record->data + record->size;
}

static inline bool naive_is_cname(const struct naive_record *record)
{
	return record->class == 1 && record->type == 5;
}

static inline bool naive_is_address(const struct naive_record *record)
{
	return record->class == 1 &&
	       ((record->type == 1 && record->size == 4) || (record->type == 28 && record->size == 16));
}

static inline int64_t naive_less(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Each name is led to by the CNAMEs that last longest. */
static inline void naive_follow(struct naive *naive)
{
	bool more = true;

	for (size_t i = 0; i < naive->names_n; i++)
		naive->leads[i] = i ? NAIVE_NEVER : UINT32_MAX;
	while (more) {
		more = false;
		for (size_t i = 0; i < naive->n; i++) {
			const struct naive_record *record = &naive->records[i];
			int64_t ttl = naive_less(naive->leads[record->owner], record->ttl);

			if (!naive_is_cname(record) || ttl <= naive->leads[record->target])
				continue;
			naive->leads[record->target] = ttl;
			more = true;
		}
	}
}

/* The message has a header, and is read as if it had one question. */
static inline void naive_answer(struct naive *naive, const uint8_t *msg, size_t len)
{
	size_t at;

	naive->msg = msg;
	naive->len = len;
	naive->count = naive_16(naive, 6);
	naive->n = naive->names_n = 0;
	naive->odd = false;
	naive_name(naive, 12);
	at = naive_skip(naive, 12);
	at = at ? at + 4 : 0;
	while (at && at < len && naive->n < naive->count && naive->n < NAIVE_RECORDS)
		at = naive_record(naive, at);
	naive_follow(naive);
}

#endif
