/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rule as people are told of it. What the kernel keeps (struct sw_text) is the rule and, behind its NUL, what its
 * author says of it; so a denial brings all of that along.
 */
#ifndef SW_RULE_TEXT_H
#define SW_RULE_TEXT_H

#include "abi.h"
#include "json.h"

/* Strings, one behind the other; those at the end that are empty take no room. */
enum rule_part {
	RULE_TEXT,        /* "deny: {port: 25}" */
	RULE_FILE,        /* what the file is called that has the line; "": as the policy is */
	RULE_ID,          /* or "" */
	RULE_DESCRIPTION, /* or "" */
	RULE_PARTS,
};

/* What does not fit is cut, of the rule or its description, and ends in "...". */
void rule_pack(char to[SW_TEXT_MAX], const char *const parts[RULE_PARTS]);

/* One of them; "" where there is none, whatever the bytes are. */
const char *rule_part(const char text[SW_TEXT_MAX], enum rule_part part);

/* What the file is called that the rule is from. */
const char *rule_file(const char text[SW_TEXT_MAX], const char *policy);

/*
 * "rule 3 (no-mail) of shop, line 7 of base: deny: {port: 25} # why", to be freed; without "of shop" if `policy` is
 * NULL. `rule` is an index.
 */
char *rule_told(unsigned rule, const char *policy, const struct sw_text *text);

/* The same as members of an object. */
void rule_json(unsigned rule, const char *policy, unsigned line, const char text[SW_TEXT_MAX], struct json *json);

#endif
