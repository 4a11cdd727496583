/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zone: a DNS server for the lab; a double of authoritative data, and no resolver.
 *
 * Its data is a file, one name a line, whose words are a table in names.c. An answer is made in three steps: the
 * question is read (message.c), the name's line says what to answer (answer.c), or a hostile form does (hostile.c),
 * and what was made is sent by UDP or TCP (udp.c, tcp.c). Numbers are in host byte order, addresses as in a record.
 */
#ifndef ZONE_H
#define ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define MESSAGE_MAX 65535
#define NAME_BYTES  256 /* bytes of a name, as text or in a message */
#define GIVE_MAX    256 /* addresses of one answer */
#define SENT_MAX    2   /* messages for one question */

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_OPT = 41 };
enum { CLASS_IN = 1, CLASS_CH = 3 };
enum { RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3 };
enum section { ANSWER, AUTHORITY, ADDITIONAL };

/* ---- messages: message.c ---- */

struct question {
	uint16_t id, flags, type, class;
	uint8_t name[NAME_BYTES]; /* as asked: its case is kept */
	size_t name_len;
	char text[NAME_BYTES]; /* in lower case, without the last dot */
	bool edns, tcp;
	size_t limit; /* bytes of the largest answer that may come */
};

struct message {
	size_t len, limit;
	uint8_t data[MESSAGE_MAX];
};

struct record {
	const char *owner; /* NULL: the question's name */
	uint16_t type, class;
	uint32_t ttl; /* seconds */
	const void *data;
	size_t len;
};

/* False when it is no question, or one that is not answered at all. */
bool question_read(struct question *q, const uint8_t *data, size_t len, bool tcp);
/* The header and the question. */
void message_begin(struct message *m, const struct question *q);
/* False, and the message is marked as truncated, when there is no room for it. */
bool message_record(struct message *m, enum section section, const struct record *record);
/* Behind all records: what EDNS wants to see again. */
void message_end(struct message *m, const struct question *q);
void message_flag(struct message *m, uint16_t flags);
/* Into WIRE, of NAME_BYTES bytes; how many they are. */
size_t name_encode(const char *text, uint8_t *wire);
uint16_t get16(const uint8_t *at);
void put16(uint8_t *at, uint16_t value);
/* Where the first record is. */
size_t message_head(const struct question *q);

/* ---- data: names.c ---- */

struct pool {
	size_t n, size; /* addresses, and bytes of each */
	uint8_t (*address)[16];
	size_t next; /* atomic: threads share it */
};

struct entry {
	char name[NAME_BYTES]; /* without the "*." of a wildcard */
	char target[NAME_BYTES];
	bool wild;
	unsigned int ttl, give, chain, delay, rcode, silent, truncated, named, hostile;
	struct pool pool[2]; /* IPv4, IPv6 */
};

void names_read(const char *path);
/* Lines "ADDRESS NAME", as of hosts(5), for names that have no line yet. */
void hosts_read(const char *path);
/* The name's own line, or else that of the longest wildcard above it; NULL when there is none. */
struct entry *names_find(const char *name);

/* ---- answers: answer.c, hostile.c ---- */

enum from { ASKED, OTHER_PORT, OTHER_ADDRESS };        /* where an answer over UDP comes from */
enum manner { WHOLE, SPLIT_PREFIX, BYTEWISE, PIECES }; /* how the answers go over TCP */

struct addresses {
	uint16_t type;
	size_t n, size;
	uint8_t at[GIVE_MAX][16];
};

struct reply {
	const struct question *q;
	unsigned int delay; /* milliseconds */
	enum manner manner;
	size_t n;
	struct sent {
		enum from from;
		struct message m;
	} sent[SENT_MAX];
};

void reply_make(struct reply *r, const struct question *q);
/* A further message, begun; the last one there is room for stays when there are too many. */
struct message *reply_begin(struct reply *r, enum from from);
/* The addresses as records of OWNER. */
void put_addresses(struct message *m, enum section section, const char *owner, const struct addresses *a, uint32_t ttl);
/* By the first label of the question. False: no form has that name. */
bool hostile_reply(struct reply *r, const char *form, const struct addresses *a, uint32_t ttl);
/* A line each: NAME, what becomes of the address over UDP and over TCP (`opens`, `nothing`, `either`), what it is. */
void hostile_list(FILE *out);

/* ---- the wire: udp.c, tcp.c ---- */

/* Addresses of this host that answers come from when they must not come from where the question went. */
extern const char *other_address[2];

void udp_serve(uint16_t port);
void tcp_serve(uint16_t port);
int listen_on(int type, uint16_t port);
ssize_t must(const char *what, ssize_t ret);
void start_thread(void *(*run)(void *), void *with);

#endif
