// SPDX-License-Identifier: GPL-2.0-only
/* What a name's line says to a question. */
#include <arpa/inet.h>
#include <string.h>

#include "zone.h"

#define FLAG_TC   0x0200
#define ALIAS_MAX 16 /* names that lead to names with lines of their own */

struct message *reply_begin(struct reply *r, enum from from)
{
	struct sent *sent = &r->sent[r->n < SENT_MAX ? r->n++ : SENT_MAX - 1];

	sent->from = from;
	message_begin(&sent->m, r->q);
	return &sent->m;
}

void put_addresses(struct message *m, enum section section, const char *owner, const struct addresses *a, uint32_t ttl)
{
	for (size_t i = 0; i < a->n; i++) {
		struct record record = { owner, a->type, CLASS_IN, ttl, a->at[i], a->size };

		if (!message_record(m, section, &record))
			return;
	}
}

/* The next ones of a pool that all who ask share. */
static void take(struct addresses *a, struct entry *e)
{
	struct pool *pool = &e->pool[a->type == TYPE_AAAA];
	size_t first;

	a->size = pool->size;
	a->n = e->give < pool->n ? e->give : pool->n;
	if (a->n > GIVE_MAX)
		a->n = GIVE_MAX;
	first = a->n ? __atomic_fetch_add(&pool->next, a->n, __ATOMIC_RELAXED) : 0;
	for (size_t i = 0; i < a->n; i++)
		memcpy(a->at[i], pool->address[(first + i) % pool->n], a->size);
}

/* The address that TEXT, LEN bytes, says with dashes for what is between its numbers. */
static void take_named(struct addresses *a, const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN] = "";
	bool six = a->type == TYPE_AAAA;

	if (len >= sizeof(address))
		return;
	for (size_t i = 0; i < len; i++)
		address[i] = text[i] != '-' ? text[i] : six ? ':' : '.';
	a->size = six ? 16 : 4;
	a->n = inet_pton(six ? AF_INET6 : AF_INET, address, a->at[0]) == 1;
}

/* Of the question [FORM.]ADDRESS.NAME; FORM is empty when there is none. */
static void read_labels(const struct question *q, const struct entry *e, char *form, struct addresses *a)
{
	const char *end = q->text + strlen(q->text) - strlen(e->name) - 1, *start = end;

	*form = '\0';
	if (end <= q->text)
		return;
	while (start > q->text && start[-1] != '.')
		start--;
	take_named(a, start, end - start);
	if (start > q->text)
		snprintf(form, NAME_BYTES, "%.*s", (int)(start - 1 - q->text), q->text);
}

/* The name whose alias TEXT is, and which one: a resolver that trusts no chain asks for each. */
static struct entry *find_hop(const char *text, unsigned int *hop)
{
	struct entry *e;
	int at = 0;

	if (sscanf(text, "hop%u.%n", hop, &at) == 1 && at) {
		e = names_find(text + at);
		if (e && *e->target && *hop < e->chain)
			return e;
	}
	*hop = 0;
	return NULL;
}

/* FROM, by way of E's aliases behind the one of number HOP, is E's target. */
static void put_chain(struct message *m, const char *from, const struct entry *e, unsigned int hop)
{
	char owner[NAME_BYTES] = "", alias[NAME_BYTES];
	uint8_t wire[NAME_BYTES];

	if (from)
		snprintf(owner, sizeof(owner), "%s", from);
	for (unsigned int i = hop + 1; i <= e->chain; i++) {
		struct record record = { *owner ? owner : NULL, TYPE_CNAME, CLASS_IN, e->ttl, wire };

		snprintf(alias, sizeof(alias), "hop%u.%.200s", i, e->name);
		if (i == e->chain)
			snprintf(alias, sizeof(alias), "%s", e->target);
		record.len = name_encode(alias, wire);
		message_record(m, ANSWER, &record);
		snprintf(owner, sizeof(owner), "%s", alias);
	}
}

static void honest(struct reply *r, struct entry *e, unsigned int hop, struct addresses *a)
{
	struct message *m = reply_begin(r, ASKED);
	const char *owner = NULL;

	for (unsigned int i = 0; e && *e->target && i < ALIAS_MAX; i++) {
		put_chain(m, owner, e, i ? 0 : hop);
		owner = e->target;
		e = names_find(owner);
	}
	if (e && !e->named && a->type)
		take(a, e);
	if (e && e->truncated && !r->q->tcp && a->n) {
		a->n = 1;
		message_flag(m, FLAG_TC);
	}
	if (e)
		put_addresses(m, ANSWER, owner, a, e->ttl);
	message_flag(m, e ? e->rcode : RCODE_NXDOMAIN);
	message_end(m, r->q);
}

static bool dishonest(struct reply *r, struct entry *e, struct addresses *a)
{
	char form[NAME_BYTES];

	if (!e || !e->named || !a->type)
		return false;
	read_labels(r->q, e, form, a);
	return e->hostile && *form && hostile_reply(r, form, a, e->ttl);
}

void reply_make(struct reply *r, const struct question *q)
{
	unsigned int hop = 0;
	struct entry *e = find_hop(q->text, &hop) ?: names_find(q->text);
	struct addresses a = { .type = q->type == TYPE_A || q->type == TYPE_AAAA ? q->type : 0 };

	r->q = q;
	r->n = 0;
	r->manner = WHOLE;
	r->delay = e ? e->delay : 0;
	if (e && e->silent)
		return;
	if (q->class != CLASS_IN || !dishonest(r, e, &a))
		honest(r, e, hop, &a);
}
