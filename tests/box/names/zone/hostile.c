// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers as somebody makes them who wants an address opened that was not asked for, and honest ones that are hard to
 * read. The address A is the one that the question says; what a client may open afterwards is in the table below.
 */
#include <string.h>

#include "zone.h"

#define FLAG_QR   0x8000
#define FLAG_TC   0x0200
#define FLAG_CODE 0x0800 /* the lowest bit of the opcode */
#define POINTER   0xc000
#define STRANGER  "stranger.example.net"

/* What a form's function is given. */
struct form_of {
	struct reply *r;
	const struct addresses *a; /* what is to be opened */
	uint32_t ttl;
	unsigned int with; /* the last column of the table */
};

/* An address of nobody, of A's family: 192.0.2.99 or 2001:db8::99. */
static struct addresses decoy(const struct form_of *f)
{
	struct addresses d = { .type = f->a->type, .size = f->a->size, .n = 1 };
	uint8_t v4[] = { 192, 0, 2, 99 }, v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 0x99 };

	memcpy(d.at[0], f->a->size == 4 ? v4 : v6, f->a->size);
	return d;
}

static struct message *good(const struct form_of *f)
{
	struct message *m = reply_begin(f->r, ASKED);

	put_addresses(m, ANSWER, NULL, f->a, f->ttl);
	return m;
}

/* An answer that has nothing to do with A. */
static struct message *other(const struct form_of *f)
{
	struct addresses d = decoy(f);
	struct message *m = reply_begin(f->r, ASKED);

	put_addresses(m, ANSWER, NULL, &d, f->ttl);
	return m;
}

/* ---- not an answer to that question ---- */

static void wrong_id(const struct form_of *f)
{
	struct message *m = good(f);

	put16(m->data, get16(m->data) ^ 0x5555);
}

static void wrong_name(const struct form_of *f)
{
	struct message *m = good(f);

	m->data[13] = m->data[13] == 'x' ? 'y' : 'x'; /* its first letter, and by the pointer the owner's */
}

static void wrong_type(const struct form_of *f)
{
	struct message *m = good(f);

	put16(m->data + message_head(f->r->q) - 4, f->a->type == TYPE_A ? TYPE_AAAA : TYPE_A);
}

static void class_ch(const struct form_of *f)
{
	struct message *m = good(f);

	put16(m->data + message_head(f->r->q) - 2, CLASS_CH);
}

static void record_ch(const struct form_of *f)
{
	struct message *m = reply_begin(f->r, ASKED);
	struct record record = { NULL, f->a->type, CLASS_CH, f->ttl, f->a->at[0], f->a->size };

	message_record(m, ANSWER, &record);
}

static void flag(const struct form_of *f)
{
	message_flag(good(f), f->with);
}

/* The header's count at that place, and so much. */
#define COUNT(at, value) ((at) << 16 | (value))
static void count(const struct form_of *f)
{
	put16(good(f)->data + (f->with >> 16), f->with);
}

static void from(const struct form_of *f)
{
	good(f);
	f->r->sent[0].from = f->with;
}

static void is_question(const struct form_of *f)
{
	struct message *m = good(f);

	put16(m->data + 2, get16(m->data + 2) & ~FLAG_QR);
}

/* ---- addresses that answer another question ---- */

static void extra(const struct form_of *f)
{
	put_addresses(other(f), f->with, f->with == ANSWER ? STRANGER : NULL, f->a, f->ttl);
}

static void other_owner(const struct form_of *f)
{
	put_addresses(reply_begin(f->r, ASKED), ANSWER, STRANGER, f->a, f->ttl);
}

/* Owner's name, the first two bytes behind the question, becomes a pointer to AT. */
static void point(const struct form_of *f, struct message *m, size_t at)
{
	put16(m->data + message_head(f->r->q), POINTER | at);
}

static void forward_pointer(const struct form_of *f)
{
	struct message *m = good(f);

	point(f, m, m->len);
	memcpy(m->data + m->len, f->r->q->name, f->r->q->name_len);
	m->len += f->r->q->name_len;
}

static void own_pointer(const struct form_of *f)
{
	point(f, good(f), message_head(f->r->q));
}

/* Two names that point to each other: the owners of two records. */
static void circle(const struct form_of *f)
{
	struct message *m = good(f);
	size_t first = message_head(f->r->q), second = m->len;

	put_addresses(m, ANSWER, NULL, f->a, f->ttl);
	point(f, m, second);
	put16(m->data + second, POINTER | first);
}

static void long_pointer(const struct form_of *f)
{
	point(f, good(f), 0x3fff);
}

static void cname_aside(const struct form_of *f)
{
	uint8_t wire[NAME_BYTES];
	struct record record = { STRANGER, TYPE_CNAME, CLASS_IN, f->ttl, wire, name_encode("hop.example.net", wire) };
	struct message *m = other(f);

	message_record(m, ANSWER, &record);
	put_addresses(m, ANSWER, "hop.example.net", f->a, f->ttl);
}

static void cname_circle(const struct form_of *f)
{
	uint8_t there[NAME_BYTES];
	struct record away = { NULL, TYPE_CNAME, CLASS_IN, f->ttl, there, name_encode(STRANGER, there) };
	struct record back = { STRANGER, TYPE_CNAME, CLASS_IN, f->ttl, f->r->q->name, f->r->q->name_len };
	struct message *m = reply_begin(f->r, ASKED);

	message_record(m, ANSWER, &away);
	message_record(m, ANSWER, &back);
	put_addresses(m, ANSWER, "hop.example.net", f->a, f->ttl);
}

/* ---- lengths that are not so ---- */

/* The length of the first record's data. */
static void data_length(const struct form_of *f)
{
	put16(good(f)->data + message_head(f->r->q) + 10, f->with ? f->with : f->a->size - 1);
}

static void swapped_family(const struct form_of *f)
{
	put16(good(f)->data + message_head(f->r->q) + 2, f->a->type == TYPE_A ? TYPE_AAAA : TYPE_A);
}

static void cut(const struct form_of *f)
{
	good(f)->len -= 1;
}

/* ---- a second answer ---- */

static void second_answer(const struct form_of *f)
{
	other(f);
	good(f);
}

static void after(const struct form_of *f)
{
	message_flag(reply_begin(f->r, ASKED), f->with);
	good(f);
}

static void together(const struct form_of *f)
{
	if (f->r->q->tcp)
		second_answer(f);
	else
		message_flag(reply_begin(f->r, ASKED), FLAG_TC);
}

static void silent(const struct form_of *f)
{
	f->r->n = 0;
}

/* ---- honest, but hard ---- */

static void ttl(const struct form_of *f)
{
	put_addresses(reply_begin(f->r, ASKED), ANSWER, NULL, f->a, f->with);
}

/* A last, behind 199 of nobody. */
static void many(const struct form_of *f)
{
	struct addresses d = decoy(f);
	struct message *m = reply_begin(f->r, ASKED);

	for (int i = 0; i < 199; i++) {
		d.at[0][d.size - 1] = i;
		put_addresses(m, ANSWER, NULL, &d, f->ttl);
	}
	put_addresses(m, ANSWER, NULL, f->a, f->ttl);
}

/* So many aliases I -> I + 1, each so many places behind the one before. */
#define ALIASES(n, step) ((n) << 8 | (step))
static void aliases(const struct form_of *f)
{
	unsigned int number = f->with >> 8, step = f->with & 0xff;
	struct message *m = reply_begin(f->r, ASKED);
	char owner[32], target[32];
	uint8_t wire[NAME_BYTES];

	for (unsigned int n = 0, i = 0; n < number; n++, i = (i + step) % number) {
		struct record record = { i ? owner : NULL, TYPE_CNAME, CLASS_IN, f->ttl, wire };

		snprintf(owner, sizeof(owner), "a%u.example.net", i);
		snprintf(target, sizeof(target), "a%u.example.net", i + 1);
		record.len = name_encode(target, wire);
		message_record(m, ANSWER, &record);
	}
	snprintf(owner, sizeof(owner), "a%u.example.net", number);
	put_addresses(m, ANSWER, owner, f->a, f->ttl);
}

static void by_tcp(const struct form_of *f)
{
	f->r->manner = f->with;
	if (f->r->q->tcp)
		many(f);
	else
		message_flag(reply_begin(f->r, ASKED), FLAG_TC);
}

/* TC=1 with the addresses there all the same: some use them as they are. */
static void tc_full(const struct form_of *f)
{
	message_flag(good(f), f->r->q->tcp ? 0 : FLAG_TC);
}

static const struct {
	const char *name, *udp, *tcp, *what;
	void (*make)(const struct form_of *f);
	unsigned int with;
} forms[] = {
	{ "wrong-id", "nothing", "either", "another id", wrong_id },
	{ "wrong-name", "nothing", "either", "the question and the owner have another name", wrong_name },
	{ "wrong-type", "nothing", "either", "the question has another type", wrong_type },
	{ "class-ch", "nothing", "nothing", "the question has the class CH", class_ch },
	{ "record-ch", "nothing", "nothing", "the record has the class CH", record_ch },
	{ "is-question", "nothing", "nothing", "QR is 0", is_question },
	{ "opcode", "nothing", "nothing", "another opcode", flag, FLAG_CODE },
	{ "two-questions", "nothing", "nothing", "two are counted", count, COUNT(4, 2) },
	{ "no-question", "nothing", "nothing", "none is counted", count, COUNT(4, 0) },
	{ "other-port", "nothing", "opens", "from another port", from, OTHER_PORT },
	{ "other-host", "nothing", "opens", "from another address", from, OTHER_ADDRESS },
	{ "other-owner", "nothing", "nothing", "the record has another owner", other_owner },
	{ "extra-answer", "nothing", "nothing", "a stranger's record in the answer section", extra, ANSWER },
	{ "extra-authority", "nothing", "nothing", "one more in the authority section", extra, AUTHORITY },
	{ "extra-additional", "nothing", "nothing", "one more in the additional section", extra, ADDITIONAL },
	{ "forward-pointer", "nothing", "nothing", "the owner points forward", forward_pointer },
	{ "own-pointer", "nothing", "nothing", "the owner points to itself", own_pointer },
	{ "circle", "nothing", "nothing", "two owners point to each other", circle },
	{ "long-pointer", "nothing", "nothing", "the owner points behind the end", long_pointer },
	{ "cname-aside", "nothing", "nothing", "an alias of a stranger", cname_aside },
	{ "cname-circle", "nothing", "nothing", "an alias of an alias of itself", cname_circle },
	{ "none-counted", "nothing", "nothing", "a record that is not counted", count, COUNT(6, 0) },
	{ "data-long", "nothing", "nothing", "a record longer than the message", data_length, 0xfff0 },
	{ "data-short", "nothing", "nothing", "an address a byte short", data_length },
	{ "cut", "nothing", "nothing", "the message a byte short", cut },
	{ "swapped-family", "nothing", "nothing", "an A of 16 bytes, an AAAA of 4", swapped_family },
	{ "second-answer", "nothing", "either", "a second answer", second_answer },
	{ "after-servfail", "nothing", "either", "a second answer, after SERVFAIL", after, RCODE_SERVFAIL },
	{ "after-nxdomain", "nothing", "either", "a second answer, after NXDOMAIN", after, RCODE_NXDOMAIN },
	{ "with-servfail", "nothing", "nothing", "an address and SERVFAIL", flag, RCODE_SERVFAIL },
	{ "with-nxdomain", "nothing", "nothing", "an address and NXDOMAIN", flag, RCODE_NXDOMAIN },
	{ "tcp-together", "nothing", "either", "a second answer, over TCP in one segment", together },
	{ "silent", "nothing", "nothing", "there is no answer", silent },
	{ "counted", "either", "either", "65535 records are counted", count, COUNT(6, 0xffff) },
	{ "plain", "opens", "opens", "nothing is wrong", flag },
	{ "ttl-0", "opens", "opens", "TTL 0", ttl, 0 },
	{ "ttl-negative", "opens", "opens", "TTL 2^31 + 1, which means 0", ttl, 0x80000001 },
	{ "many", "either", "either", "last of 200 records", many },
	{ "chain", "opens", "opens", "30 aliases in order", aliases, ALIASES(30, 1) },
	{ "chain-disorder", "either", "either", "30 aliases in disorder", aliases, ALIASES(30, 7) },
	{ "chain-backwards", "opens", "opens", "7 aliases, backwards but for the first", aliases, ALIASES(7, 6) },
	{ "tc-full", "opens", "opens", "TC=1 with the address", tc_full },
	{ "tcp-whole", "either", "either", "last of 200 records, over TCP", by_tcp, WHOLE },
	{ "tcp-prefix", "either", "either", "each byte of the length in a segment of its own", by_tcp, SPLIT_PREFIX },
	{ "tcp-bytes", "either", "either", "every byte in a segment of its own", by_tcp, BYTEWISE },
	{ "tcp-pieces", "either", "either", "in segments of 700 bytes", by_tcp, PIECES },
};

bool hostile_reply(struct reply *r, const char *form, const struct addresses *a, uint32_t ttl_of_line)
{
	struct form_of f = { r, a, ttl_of_line };

	for (size_t i = 0; a->n && i < sizeof(forms) / sizeof(*forms); i++) {
		if (strcmp(forms[i].name, form))
			continue;
		f.with = forms[i].with;
		forms[i].make(&f);
		return true;
	}
	return false;
}

void hostile_list(FILE *out)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		fprintf(out, "%-17s %-8s %-8s %s\n", forms[i].name, forms[i].udp, forms[i].tcp, forms[i].what);
}
