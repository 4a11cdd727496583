// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inner.h"
#include "mem.h"

static int make_trie(__u32 room)
{
	LIBBPF_OPTS(bpf_map_create_opts, how, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "prefixes", sizeof(struct sw_prefix), sizeof(struct sw_class),
				room, &how);

	return fd < 0 ? -errno : fd;
}

static int make_table(__u32 room)
{
	LIBBPF_OPTS(bpf_map_create_opts, how, .map_flags = BPF_F_INNER_MAP);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "table", sizeof(__u32), sizeof(struct sw_row), room, &how);

	return fd < 0 ? -errno : fd;
}

int inner_fill_trie(int fd, const struct image *image)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 n = image->entries.n;
	struct sw_prefix *keys = mem_alloc(n, sizeof(*keys));
	struct sw_class *values = mem_alloc(n, sizeof(*values));
	int err = 0;

	for (__u32 i = 0; i < n; i++) {
		keys[i] = image->entries.v[i].prefix;
		values[i] = image->entries.v[i].class;
	}
	if (n && bpf_map_update_batch(fd, keys, values, &n, &how))
		err = -errno;
	free(keys);
	free(values);
	return err;
}

int inner_fill_table(int fd, const struct sw_row *rows, __u32 n)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 *keys = mem_alloc(n, sizeof(*keys));
	int err = 0;

	for (__u32 i = 0; i < n; i++)
		keys[i] = i;
	if (n && bpf_map_update_batch(fd, keys, rows, &n, &how))
		err = -errno;
	free(keys);
	return err;
}

static int close_unless(int err, int fd)
{
	if (err)
		close(fd);
	return err ? err : fd;
}

static __u32 room_for(__u32 n, __u32 least)
{
	return n > least ? n : least;
}

int inner_trie(const struct image *image)
{
	int fd = make_trie(room_for(image->entries.n, INNER_PIECE));

	return fd < 0 ? fd : close_unless(inner_fill_trie(fd, image), fd);
}

int inner_table(const struct sw_row *rows, __u32 n)
{
	int fd = make_table(room_for(n, INNER_ROWS));

	return fd < 0 ? fd : close_unless(inner_fill_table(fd, rows, n), fd);
}

void inner_make_nothing(int *trie, int *table)
{
	*trie = make_trie(1);
	*table = make_table(1);
}

int inner_empty(int trie)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	struct sw_prefix *keys = mem_alloc(INNER_PIECE, sizeof(*keys));
	struct sw_class *values = mem_alloc(INNER_PIECE, sizeof(*values));
	struct sw_prefix token;
	__u32 n = INNER_PIECE;
	int some = 0;

	if (bpf_map_lookup_batch(trie, NULL, &token, keys, values, &n, &how) && errno != ENOENT)
		some = -errno;
	else if (n)
		some = bpf_map_delete_batch(trie, keys, &n, &how) && errno != ENOENT ? -errno
										     : 1; /* another does it too */
	free(keys);
	free(values);
	return some;
}

void inner_close(int *fds, __u32 n)
{
	for (__u32 i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

static const char *const kinds[] = { "trie", "table" };

static const char *pin_path(char path[256], const char *folder, const char *kind, __u64 serial)
{
	snprintf(path, 256, "%s/image-%llu-%s", folder, serial, kind);
	return path;
}

static int pin(const char *folder, int map, const char *kind, __u64 serial, struct fault *fault)
{
	char path[256];

	if (!folder || !bpf_obj_pin(map, pin_path(path, folder, kind, serial)))
		return 0;
	return fault_set(fault, errno, "cannot pin %s: %s", path, strerror(errno));
}

void inner_unpin(const struct host *host, __u64 serial)
{
	char path[256];

	for (int i = 0; i < 2 && host->pins; i++)
		unlink(pin_path(path, host->pins, kinds[i], serial));
}

int inner_pin(const char *folder, int trie, int table, __u64 serial, struct fault *fault)
{
	int err = pin(folder, trie, kinds[0], serial, fault);

	return err ? err : pin(folder, table, kinds[1], serial, fault);
}

void inner_rename(const struct host *host, __u64 serial, __u64 as)
{
	char from[256], to[256];

	for (int i = 0; i < 2; i++)
		rename(pin_path(from, host->pins, kinds[i], serial), pin_path(to, host->pins, kinds[i], as));
}

int inner_open_trie(const struct host *host, __u64 serial)
{
	char path[256];

	return bpf_obj_get(pin_path(path, host->pins, kinds[0], serial));
}

int inner_open_table(const struct host *host, __u64 serial)
{
	char path[256];

	return bpf_obj_get(pin_path(path, host->pins, kinds[1], serial));
}
