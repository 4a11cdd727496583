/* SPDX-License-Identifier: GPL-2.0-only */
/* The contract's numbers as words, from the tables in abi.h. */
#ifndef SW_NAMES_H
#define SW_NAMES_H

#include <stdbool.h>

const char *reason_name(unsigned reason); /* as counters and logs have it */
const char *reason_help(unsigned reason); /* for people */
const char *naming_name(unsigned naming); /* enum sw_naming, likewise */
const char *naming_help(unsigned naming);
const char *cause_name(unsigned cause); /* likewise, of a closing */
const char *cause_help(unsigned cause);
const char *hook_name(unsigned hook); /* "pass" for SW_HOOK_PASS */
#define SW_COMM_TEXT 17
/* What a process calls itself: plain, and one word. */
const char *comm_format(const char comm[16], char text[SW_COMM_TEXT]);

const char *watch_name(unsigned watch);   /* of a program */
const char *watch_sees(unsigned watch);   /* for people */
const char *proto_name(unsigned proto);   /* enum sw_proto */
const char *period_name(unsigned period); /* enum sw_period */

/* The kernel's numbers, of a socket: "inet6", "stream", "udp"; or written to `text`, "protocol-253". */
#define NUMBER_TEXT 24
const char *family_name(int family, char text[NUMBER_TEXT]);
const char *type_name(int type, char text[NUMBER_TEXT]);
const char *protocol_name(int protocol, char text[NUMBER_TEXT]);

/* True when a socket of that protocol has hardly any other type. */
bool protocol_implies(int protocol, int type);

#endif
