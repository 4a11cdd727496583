/* SPDX-License-Identifier: GPL-2.0-only */
/* Domain names and patterns of them, as the kernel has them: struct sw_domain of abi.h. */
#ifndef SW_DOMAIN_H
#define SW_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "abi.h"

#define SW_DOMAIN_LEN 253 /* bytes of a name as it is written, without a dot at its end */

/*
 * A name as it is kept: lower case, no dot at the end; to be freed. NULL if it is none: labels of letters, digits,
 * underscores and, inside, hyphens.
 */
char *domain_name(const char *text);

/* A name, or a pattern such as *.example.com, as a key; lower case, and shorter than SW_DOMAIN_MAX. */
struct sw_domain domain_key(const char *text);

/*
 * Back: a key's text, or what is kept of a name for people (sw_grant.asked), of `room` bytes, in `text`, which is
 * returned. Of a name that was cut the rest begins with "..".
 */
const char *domain_text(const char *backwards, size_t room, char text[SW_DOMAIN_MAX + 2]);

#endif
