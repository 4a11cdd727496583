// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions to a name server, and its answers, which are made once: only the number of the question and the addresses
 * change. What each operation does is ask, answer and hear the answer.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define HEADER      12 /* bytes */
#define SIZE        2  /* bytes before a message over TCP: how long it is */
#define RECORD      16 /* bytes of one with an address */
#define MESSAGE_MAX 1400

#define TYPE_A     1
#define TYPE_CNAME 5
#define CLASS_IN   1

#define FLAG_WANTED 0x0100 /* recursion is */
#define FLAG_ANSWER 0x8180

struct message {
	size_t n;
	unsigned char bytes[SIZE + MESSAGE_MAX]; /* the first are for the size */
};

struct dialog {
	struct message question, answer;
	size_t skip;      /* SIZE, where no size is sent */
	size_t addresses; /* where the first record with one is */
	__u16 number, next;
	struct sockaddr_storage server;
	socklen_t len;
};

static struct {
	int datagrams, listener;
} server = { -1, -1 };

void answers_open(void)
{
	struct sockaddr_storage to;
	socklen_t len = address_set(&to, NAME_SERVER, 53);

	if (server.datagrams >= 0)
		return;
	server.datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (server.datagrams < 0 || bind(server.datagrams, (struct sockaddr *)&to, len))
		die("%s: %s", NAME_SERVER, strerror(errno));
	server.listener = listening(NAME_SERVER, 53);
}

/* ---- messages ---- */

static void put(struct message *m, const void *what, size_t n)
{
	if (m->n + n > sizeof(m->bytes))
		die("a message is too long");
	memcpy(&m->bytes[m->n], what, n);
	m->n += n;
}

static void put16(struct message *m, unsigned value)
{
	__be16 word = htons(value);

	put(m, &word, sizeof(word));
}

static void put_name(struct message *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");
		unsigned char label = n;

		put(m, &label, 1);
		put(m, name, n);
		name += n + (name[n] == '.');
	}
	put(m, "", 1);
}

static void begin(struct message *m, unsigned flags, unsigned records, const char *name)
{
	m->n = SIZE;
	put16(m, 0);
	put16(m, flags);
	put16(m, 1);
	put16(m, records);
	put16(m, 0);
	put16(m, 0);
	put_name(m, name);
	put16(m, TYPE_A);
	put16(m, CLASS_IN);
}

/* Returns where in the message its data is. The owner's name stands at `owner`. */
static size_t put_record(struct message *m, size_t owner, unsigned type, const struct message *data)
{
	size_t at;

	put16(m, 0xc000 | owner);
	put16(m, type);
	put16(m, CLASS_IN);
	put16(m, 0);
	put16(m, 300);
	put16(m, data->n);
	at = m->n - SIZE;
	put(m, data->bytes, data->n);
	return at;
}

static void end(struct message *m)
{
	__be16 size = htons(m->n - SIZE);

	memcpy(m->bytes, &size, sizeof(size));
}

/* The one that comes `i` after `first`. */
static void put_address(struct message *m, const char *first, unsigned i)
{
	struct sockaddr_storage to;
	__be32 *address = &((struct sockaddr_in *)&to)->sin_addr.s_addr;

	address_set(&to, first, 0);
	*address = htonl(ntohl(*address) + i);
	put(m, address, sizeof(*address));
}

static void answer_make(struct dialog *d, const struct answer *answer)
{
	struct message *m = &d->answer, data;
	size_t owner = HEADER;
	char alias[64];

	begin(m, FLAG_ANSWER, answer->aliases + answer->addresses, answer->name);
	for (unsigned i = 0; i < answer->aliases; i++) {
		data.n = 0;
		snprintf(alias, sizeof(alias), "edge-%u.cdn.example.net", i);
		put_name(&data, alias);
		owner = put_record(m, owner, TYPE_CNAME, &data);
	}
	d->addresses = m->n;
	for (unsigned i = 0; i < answer->addresses; i++) {
		data.n = 0;
		put_address(&data, answer->first ? answer->first : "151.101.0.0", i);
		put_record(m, owner, TYPE_A, &data);
	}
	end(m);
}

/* ---- operations ---- */

static int dialog_begin(struct work *work, size_t skip)
{
	const struct answer *answer = work->load->answer;
	struct dialog *d = calloc(1, sizeof(*d));

	work->dialog = d;
	if (!d)
		return -1;
	begin(&d->question, FLAG_WANTED, 0, answer->name);
	end(&d->question);
	answer_make(d, answer);
	d->skip = skip;
	d->len = address_set(&d->server, NAME_SERVER, 53);
	return 0;
}

static int asking(struct work *work, int type)
{
	work->fd = socket(AF_INET, type, 0);
	return work->fd < 0 ? -1 : connect(work->fd, (struct sockaddr *)&work->dialog->server, work->dialog->len);
}

int open_asking(struct work *work)
{
	return dialog_begin(work, SIZE) || asking(work, SOCK_DGRAM) ? -1 : 0;
}

int open_asking_anew(struct work *work)
{
	return dialog_begin(work, SIZE);
}

int open_asking_stream(struct work *work)
{
	if (dialog_begin(work, 0) || asking(work, SOCK_STREAM))
		return -1;
	work->other = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
	return work->other < 0 ? -1 : 0;
}

/* 65,536 are as good as without end: what is open at a time is less. */
static void addresses_renew(struct dialog *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		__be16 low = htons(d->next++);

		memcpy(&d->answer.bytes[d->addresses + (i + 1) * RECORD - sizeof(low)], &low, sizeof(low));
	}
}

static int whole(ssize_t got, const struct message *m, size_t skip)
{
	if (got == (ssize_t)(m->n - skip))
		return 0;
	if (got >= 0)
		errno = EBADMSG;
	return -1;
}

static int answer_give(struct work *work)
{
	struct dialog *d = work->dialog;
	int fd = work->other >= 0 ? work->other : server.datagrams;
	unsigned char asked[MESSAGE_MAX];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);

	if (whole(recvfrom(fd, asked, sizeof(asked), 0, (struct sockaddr *)&from, &len), &d->question, d->skip))
		return -1;
	memcpy(&d->answer.bytes[SIZE], &asked[SIZE - d->skip], sizeof(d->number));
	if (work->load->answer->fresh)
		addresses_renew(d, work->load->answer->addresses);
	return whole(sendto(fd, &d->answer.bytes[d->skip], d->answer.n - d->skip, 0,
			    len ? (struct sockaddr *)&from : NULL, len),
		     &d->answer, d->skip);
}

int run_ask(struct work *work)
{
	struct dialog *d = work->dialog;
	unsigned char got[MESSAGE_MAX];

	d->number++;
	memcpy(&d->question.bytes[SIZE], &d->number, sizeof(d->number));
	if (whole(send(work->fd, &d->question.bytes[d->skip], d->question.n - d->skip, 0), &d->question, d->skip))
		return -1;
	if (answer_give(work))
		return -1;
	if (whole(recv(work->fd, got, sizeof(got), 0), &d->answer, d->skip))
		return -1;
	errno = EBADMSG;
	return memcmp(&got[SIZE - d->skip], &d->number, sizeof(d->number)) ? -1 : 0;
}

int run_ask_anew(struct work *work)
{
	int err = asking(work, SOCK_DGRAM) || run_ask(work) ? -1 : 0;

	if (work->fd >= 0)
		close(work->fd);
	work->fd = -1;
	return err;
}

int ask_once(struct work *work)
{
	return dialog_begin(work, SIZE) || run_ask_anew(work) ? -1 : 0;
}
