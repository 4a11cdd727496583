// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "spare.h"
#include "table.h"

/* What is kept for images that may never come is bounded: the numbers that are taken first, and tables of 32 KB. */
#define NUMBERS_KEPT 256
#define ROWS_KEPT    256

/* Who has not the right to open a map by the kernel's number has no spare ones, and leaves what is pinned. */
static int open_at(int outer, __u32 number)
{
	__u32 id;

	return bpf_map_lookup_elem(outer, &number, &id) ? -1 : bpf_map_get_fd_by_id(id);
}

static __u32 room_of(int map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return map < 0 || bpf_obj_get_info_by_fd(map, &info, &len) ? 0 : info.max_entries;
}

/*
 * A smaller trie is that of the image in which nothing is found, which many numbers have. A larger one is emptied by
 * whoever has it open, without the lock, so it must not come into use again.
 */
static bool is_own(int trie, int table)
{
	return room_of(trie) == INNER_PIECE && room_of(table) > 1;
}

static bool is_empty(int trie)
{
	struct sw_prefix key;

	return bpf_map_get_next_key(trie, NULL, &key) && errno == ENOENT;
}

static bool fill(int trie, int table, const struct image *image, const __u32 *numbers)
{
	__u32 n;
	struct sw_row *rows;
	bool fits = is_own(trie, table) && image->entries.n <= INNER_PIECE && is_empty(trie);

	if (!fits)
		return false;
	rows = table_build(image, numbers, &n);
	fits = n <= room_of(table) && !inner_fill_table(table, rows, n) && !inner_fill_trie(trie, image);
	free(rows);
	return fits;
}

bool spare_fill(const struct host *host, __u32 number, const struct image *image, const __u32 *numbers, int *trie,
		int *table)
{
	*trie = open_at(host->map[MAP_tries], number);
	*table = open_at(host->map[MAP_tables], number);
	if (fill(*trie, *table, image, numbers))
		return true;
	inner_close(trie, 1);
	inner_close(table, 1);
	return false;
}

bool spare_leave(const struct host *host, __u32 number)
{
	static const struct sw_row none[ROWS_KEPT];
	__u64 serial = host->settings[number].serial;
	int trie = open_at(host->map[MAP_tries], number), table = open_at(host->map[MAP_tables], number), more = 1;
	__u32 rows;
	bool stays;

	if (trie < 0)
		trie = inner_open_trie(host, serial);
	if (table < 0)
		table = inner_open_table(host, serial);
	rows = room_of(table);
	stays = number < NUMBERS_KEPT && is_own(trie, table) && rows <= ROWS_KEPT &&
		!inner_fill_table(table, none, rows);
	while (stays && more > 0)
		more = inner_empty(trie);
	inner_close(&trie, 1);
	inner_close(&table, 1);
	return stays && !more;
}

static bool has_maps(const struct host *host, __u32 number)
{
	int trie = open_at(host->map[MAP_tries], number), table = open_at(host->map[MAP_tables], number);
	bool has = is_own(trie, table);

	inner_close(&trie, 1);
	inner_close(&table, 1);
	return has;
}

/* The first numbers that are free: those that find_free() of publish.c takes next. */
__u32 spare_make(const struct host *host, __u32 max, __u32 *numbers, int *tries, int *tables)
{
	static const struct image nothing;
	__u32 n = 0, seen = 0;

	for (__u32 i = 1; host->settings && i < SW_IMAGES_MAX && seen < max; i++) {
		if (host->settings[i].serial)
			continue;
		seen++;
		if (has_maps(host, i))
			continue;
		numbers[n] = i;
		tries[n] = inner_trie(&nothing);
		tables[n] = inner_table(NULL, 0);
		if (tries[n] < 0 || tables[n] < 0) {
			inner_close(&tries[n], 1);
			inner_close(&tables[n], 1);
			break;
		}
		n++;
	}
	return n;
}
