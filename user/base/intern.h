/* SPDX-License-Identifier: GPL-2.0-only */
/* Byte strings, each kept once: equal strings get equal numbers, counted from 0. */
#ifndef SW_INTERN_H
#define SW_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct interned {
	size_t at, len;
	uint64_t hash;
};

struct intern {
	LIST(struct interned) items;
	unsigned char *pool; /* the strings, one behind the other, in order of their numbers */
	size_t used, room;
	uint32_t *table; /* number + 1 by hash; 0 is free */
	size_t slots;
};

uint32_t intern(struct intern *set, const void *data, size_t len);
const void *interned(const struct intern *set, uint32_t number, size_t *len);
void intern_free(struct intern *set);

#endif
