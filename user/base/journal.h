/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal's own protocol: a datagram of fields, by which `journalctl TENANT=shop` finds what a line of text only
 * says. It is for output that leads to the journal anyway: elsewhere there is only the text.
 *
 * Nobody waits for the journal. What it does not take at once is lost, and counted: the next entry says how much it was.
 */
#ifndef SW_JOURNAL_H
#define SW_JOURNAL_H

#include <stdbool.h>
#include <stdio.h>

/* What share/systemd/sockwarden.catalog explains. These never change. */
#define JOURNAL_MESSAGES(X)                                                                                            \
	X(DENIED, "5e52014dcfed878156ea176d86aa5e6f")                                                                  \
	X(CLOSED, "6c11828ef6363c395cc62a865ac127a0")                                                                  \
	X(RELOADED, "253d8f22dfeee615bcc628d117105ce3")                                                                \
	X(POLICY, "9bc6fea3efc01df003b2c32a9a6f21f7")                                                                  \
	X(ATTACHED, "97fbb286498ad158cb740f077c84708f")                                                                \
	X(ENDED, "5df57ebb335f131f91c52da47993bb9f")                                                                   \
	X(UNPROTECTED, "269d083cee320f40cfe01d99d71f3602")

enum journal_message {
#define X(name, id) JOURNAL_##name,
	JOURNAL_MESSAGES(X)
#undef X
};

enum journal_priority { JOURNAL_ALERT = 1, JOURNAL_WARNING = 4, JOURNAL_NOTICE = 5, JOURNAL_INFO = 6 };

/* Whether a descriptor leads to the journal, as the service manager says it in $JOURNAL_STREAM. */
bool journal_is(int fd);

struct journal_entry {
	char *text;
	size_t len;
	FILE *out;
};

/* `program` is what stands before its lines. */
void journal_begin(struct journal_entry *entry, enum journal_message message, enum journal_priority priority,
		   const char *program);
/* Whatever is in the value: it is given with its length. NULL and the empty value: no field. */
void journal_field(struct journal_entry *entry, const char *name, const char *value);
void journal_number(struct journal_entry *entry, const char *name, unsigned long long value);
/* With the text for people; the entry is gone afterwards. False: there is no journal, so say it otherwise. */
bool journal_send(struct journal_entry *entry, const char *text);

#endif
