// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "intern.h"

/* Each bit comes to be in the low ones, by which a place is found: strings may differ in their last byte only. */
static uint64_t mix(uint64_t hash)
{
	hash *= 0x9e3779b97f4a7c15;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15;
	return hash ^ hash >> 29;
}

static uint64_t hash_of(const unsigned char *data, size_t len)
{
	uint64_t hash = len, word;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		hash = mix(hash ^ word);
	}
	word = 0;
	if (len)
		memcpy(&word, data, len);
	return mix(hash ^ word);
}

static void place(struct intern *set, uint64_t hash, uint32_t number)
{
	size_t slot = hash & (set->slots - 1);

	while (set->table[slot])
		slot = (slot + 1) & (set->slots - 1);
	set->table[slot] = number + 1;
}

static void make_room(struct intern *set)
{
	if (set->items.n * 2 < set->slots)
		return;
	set->slots = set->slots ? set->slots * 2 : 64;
	free(set->table);
	set->table = mem_alloc(set->slots, sizeof(*set->table));
	for (size_t i = 0; i < set->items.n; i++)
		place(set, set->items.v[i].hash, i);
}

static void append(struct intern *set, const void *data, size_t len)
{
	if (set->used + len > set->room) {
		set->room = (set->used + len) * 2;
		set->pool = mem_resize(set->pool, set->room, 1);
	}
	if (len)
		memcpy(set->pool + set->used, data, len);
	set->used += len;
}

uint32_t intern(struct intern *set, const void *data, size_t len)
{
	uint64_t hash = hash_of(data, len);
	struct interned *item;

	make_room(set);
	for (size_t slot = hash & (set->slots - 1); set->table[slot]; slot = (slot + 1) & (set->slots - 1)) {
		item = &set->items.v[set->table[slot] - 1];
		if (item->hash == hash && item->len == len && (!len || !memcmp(set->pool + item->at, data, len)))
			return set->table[slot] - 1;
	}
	item = list_add(&set->items);
	*item = (struct interned){ .at = set->used, .len = len, .hash = hash };
	append(set, data, len);
	place(set, hash, set->items.n - 1);
	return set->items.n - 1;
}

const void *interned(const struct intern *set, uint32_t number, size_t *len)
{
	*len = set->items.v[number].len;
	return *len ? set->pool + set->items.v[number].at : (const void *)"";
}

void intern_free(struct intern *set)
{
	free(set->items.v);
	free(set->pool);
	free(set->table);
	*set = (struct intern){ 0 };
}
