/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A denial or a closing with all it takes to print it: what a record of the kernel's ring becomes when it is read, and
 * what the daemon keeps and passes on.
 */
#ifndef SW_EVENT_H
#define SW_EVENT_H

#include <stdio.h>

#include "abi.h"
#include "fault.h"
#include "json.h"

struct event {
	struct sw_event of;
	__s64 time; /* milliseconds since 1970 */
};

/* On a line, and as a JSON object on a line. */
void event_print(const struct event *event, FILE *out);
void event_json(const struct event *event, struct json *json);

/* As an entry of the journal, by `program`. False: there is none, so print it. */
bool event_journal(const struct event *event, const char *program);

/* The members that say what a closed socket carried; none where that is not known. */
void json_payload(const struct sw_closing *closing, struct json *json);

/*
 * What is sent to the daemon. It answers both with a head and the events it keeps, oldest first, each a struct event;
 * and then closes, or goes on with those to come.
 */
#define LOG_ASK    "log\n"
#define FOLLOW_ASK "follow\n"

/* Both ends are of one build, which the head proves. */
struct event_head {
	char magic[8], version[16];
	__u32 size; /* of struct event */
	__u32 kept; /* events that come at once */
};

struct event_head event_head(__u32 kept);

/* 0, or -EBADMSG: of another build. */
int event_head_check(const struct event_head *head, struct fault *fault);

#endif
