// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "publish.h"
#include "resolv.h"
#include "slots.h"
#include "table.h"

/* Put into the outer maps in one call: inner maps, and under which numbers. */
struct batch {
	__u32 number[PUBLISH_BATCH];
	int trie[PUBLISH_BATCH], table[PUBLISH_BATCH]; /* owned */
	const struct image *image[PUBLISH_BATCH];
	__u64 serial[PUBLISH_BATCH];
	__u32 n;
};

static int write_settings(struct host *host, __u32 number, const struct sw_settings *settings, struct fault *fault)
{
	if (!bpf_map_update_elem(host->map[MAP_settings], &number, settings, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the policy's settings: %s", strerror(errno));
}

static bool is_whole(const struct sw_settings *settings)
{
	static const __u8 none[sizeof(settings->hash)];

	return settings->serial && memcmp(settings->hash, none, sizeof(none)) != 0;
}

static int make_trie(const struct image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = BPF_F_NO_PREALLOC);
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 n = image->entries.n;
	struct sw_prefix *keys = mem_alloc(n, sizeof(*keys));
	struct sw_class *values = mem_alloc(n, sizeof(*values));
	int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "prefixes", sizeof(*keys), sizeof(*values), n ? n : 1, &create);
	int err = fd < 0 ? -errno : 0;

	for (__u32 i = 0; i < n; i++) {
		keys[i] = image->entries.v[i].prefix;
		values[i] = image->entries.v[i].class;
	}
	if (!err && n && bpf_map_update_batch(fd, keys, values, &n, &how))
		err = -errno;
	free(keys);
	free(values);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static int make_table(const struct sw_row *rows, __u32 n)
{
	LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = BPF_F_INNER_MAP);
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 *keys = mem_alloc(n, sizeof(*keys));
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "table", sizeof(*keys), sizeof(*rows), n, &create);
	int err = fd < 0 ? -errno : 0;

	for (__u32 i = 0; i < n; i++)
		keys[i] = i;
	if (!err && bpf_map_update_batch(fd, keys, rows, &n, &how))
		err = -errno;
	free(keys);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
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

static void unpin(const struct host *host, __u64 serial)
{
	char path[256];

	for (int i = 0; i < 2 && host->pins; i++)
		unlink(pin_path(path, host->pins, kinds[i], serial));
}

static int open_pin(const struct host *host, const char *kind, __u64 serial)
{
	char path[256];

	return bpf_obj_get(pin_path(path, host->pins, kind, serial));
}

/* One that was being put there or taken out has none. */
static int pin_again(const struct host *host, const char *to, __u64 serial, struct fault *fault)
{
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		int map = open_pin(host, kinds[i], serial);

		if (map >= 0) {
			err = pin(to, map, kinds[i], serial, fault);
			close(map);
		}
	}
	return err;
}

int publish_pin_again(const struct host *host, const char *to, struct fault *fault)
{
	int err = 0;

	for (__u32 i = 1; i < SW_IMAGES_MAX && !err; i++)
		if (host->settings[i].serial)
			err = pin_again(host, to, host->settings[i].serial, fault);
	return err;
}

static void close_all(int *fds, __u32 n)
{
	for (__u32 i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

/* Puts the batch's inner maps in their places: two grace periods, whatever its size. */
static int place(struct host *host, struct batch *batch, struct fault *fault)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	__u32 n = batch->n;
	int err = 0;

	if (n && bpf_map_update_batch(host->map[MAP_tries], batch->number, batch->trie, &n, &how))
		err = fault_set(fault, errno, "cannot write the policy's prefixes: %s", strerror(errno));
	n = batch->n;
	if (!err && n && bpf_map_update_batch(host->map[MAP_tables], batch->number, batch->table, &n, &how))
		err = fault_set(fault, errno, "cannot write the policy's table: %s", strerror(errno));
	close_all(batch->trie, batch->n);
	close_all(batch->table, batch->n);
	return err;
}

/* What every number that is free points to: an image in which nothing is found. */
static int place_nothing(struct host *host, struct batch *batch, struct fault *fault)
{
	static const struct image nothing;
	static const struct sw_row row;
	int trie = make_trie(&nothing), table = make_table(&row, 1);

	for (__u32 i = 0; i < batch->n; i++) { /* what could not be made, or not be doubled, the kernel does not take */
		batch->trie[i] = i ? dup(trie) : trie;
		batch->table[i] = i ? dup(table) : table;
	}
	return place(host, batch, fault);
}

/*
 * No program finds them any more. The hash goes first: what is not whole must not be found by it; and the number last.
 */
static int take_out(struct host *host, struct batch *batch, struct fault *fault)
{
	int err = 0;

	for (__u32 i = 0; i < batch->n && !err; i++)
		err = write_settings(host, batch->number[i],
				     &(struct sw_settings){ .serial = host->settings[batch->number[i]].serial }, fault);
	if (!err && batch->n)
		err = place_nothing(host, batch, fault);
	for (__u32 i = 0; i < batch->n && !err; i++) {
		unpin(host, host->settings[batch->number[i]].serial);
		err = write_settings(host, batch->number[i], &(struct sw_settings){ 0 }, fault);
	}
	batch->n = 0;
	return err;
}

static int pin_both(const struct host *host, const struct batch *batch, __u32 i, struct fault *fault)
{
	int err = pin(host->pins, batch->trie[i], "trie", batch->serial[i], fault);

	return err ? err : pin(host->pins, batch->table[i], "table", batch->serial[i], fault);
}

int publish_prepare(const struct image *image, struct publishing *out, struct fault *fault)
{
	__u32 n;
	struct sw_row *rows = table_build(image, &n);
	int err;

	*out = (struct publishing){ .image = image, .trie = make_trie(image), .table = make_table(rows, n) };
	free(rows);
	if (out->trie >= 0 && out->table >= 0)
		return 0;
	err = out->trie < 0 ? out->trie : out->table;
	publish_discard(out);
	return fault_set(fault, -err, "the kernel does not take the policy (%zu prefixes, %zu answers): %s",
			 image->entries.n, image->spans.n, strerror(-err));
}

void publish_discard(struct publishing *publishing)
{
	close_all(&publishing->trie, 1);
	close_all(&publishing->table, 1);
}

/*
 * The serial goes first: it marks the number as taken, so that an image whose loading was cut short is found by
 * publish_collect().
 */
static int begin(struct host *host, struct batch *batch, struct publishing *publishing, const struct published *as,
		 struct fault *fault)
{
	__u32 i = batch->n;
	int err = write_settings(host, as->image, &(struct sw_settings){ .serial = as->serial }, fault);

	if (!err && publishing->trie < 0) /* one like it was there when the others were prepared */
		err = publish_prepare(publishing->image, publishing, fault);
	if (err)
		return err;
	batch->number[i] = as->image;
	batch->serial[i] = as->serial;
	batch->image[i] = publishing->image;
	batch->trie[i] = publishing->trie;
	batch->table[i] = publishing->table;
	batch->n++;
	publishing->trie = publishing->table = -1;
	return pin_both(host, batch, i, fault);
}

/* The hash goes last: only an image that is whole can be found by it and shared. */
static int finish(struct host *host, struct batch *batch, struct fault *fault)
{
	int err = place(host, batch, fault);

	for (__u32 i = 0; i < batch->n && !err; i++) {
		struct sw_settings settings = batch->image[i]->settings;

		settings.serial = batch->serial[i];
		err = write_settings(host, batch->number[i], &settings, fault);
	}
	if (!err)
		batch->n = 0;
	return err;
}

/* By the first policy of all; then the daemon sees when they change, or have changed while it was down. */
static int note_resolvers(struct host *host, struct fault *fault)
{
	struct prefixes resolvers = { 0 };
	__u64 hash;
	int err = host_resolvers(host, &hash, fault);

	if (err || hash)
		return err;
	if (!resolv_read(&resolvers))
		err = host_set_resolvers(host, resolv_hash(&resolvers), fault);
	prefixes_free(&resolvers);
	return err;
}

/* An image like this one that is there; 0: none. */
static __u32 find_equal(const struct host *host, const struct image *image)
{
	for (__u32 i = 1; i < SW_IMAGES_MAX; i++)
		if (host->settings[i].serial && !memcmp(host->settings[i].hash, image->settings.hash, 32))
			return i;
	return 0;
}

static __u32 find_free(const struct host *host)
{
	for (__u32 i = 1; i < SW_IMAGES_MAX; i++)
		if (!host->settings[i].serial)
			return i;
	return 0;
}

/* One of the batch that is like it: nobody finds it by its hash yet. */
static bool in_batch(const struct batch *batch, const struct image *image, struct published *out)
{
	for (__u32 i = 0; i < batch->n; i++)
		if (!memcmp(batch->image[i]->settings.hash, image->settings.hash, 32)) {
			*out = (struct published){ batch->number[i], batch->serial[i] };
			return true;
		}
	return false;
}

static int publish_one(struct host *host, struct batch *batch, struct publishing *publishing, struct published *out,
		       struct fault *fault)
{
	int err;

	if (in_batch(batch, publishing->image, out))
		return 0;
	out->image = find_equal(host, publishing->image);
	out->serial = host->settings[out->image].serial;
	if (out->image)
		return 0;
	out->image = find_free(host);
	if (!out->image)
		return fault_set(fault, ENOSPC, "%d different policies are in use, which is the most: detach a tenant",
				 SW_IMAGES_MAX - 1);
	err = host_next_serial(host, &out->serial, fault);
	return err ? err : begin(host, batch, publishing, out, fault);
}

int publish_many(struct host *host, struct publishing *of, size_t n, struct published *out, struct fault *fault)
{
	struct batch batch = { 0 };
	struct fault ignored;
	int err = note_resolvers(host, fault);

	for (size_t i = 0; i < n && !err; i++) {
		err = publish_one(host, &batch, &of[i], &out[i], fault);
		if (!err && (batch.n == PUBLISH_BATCH || i + 1 == n))
			err = finish(host, &batch, fault);
	}
	if (!err)
		return 0;
	close_all(batch.trie, batch.n);
	close_all(batch.table, batch.n);
	publish_collect(host, &ignored);
	return err;
}

int publish(struct host *host, const struct image *image, struct published *out, struct fault *fault)
{
	struct publishing of = { .image = image, .trie = -1, .table = -1 };
	int err = publish_many(host, &of, 1, out, fault);

	publish_discard(&of);
	return err;
}

int publish_as(struct host *host, const struct image *image, const struct published *as, struct fault *fault)
{
	struct publishing of = { .image = image, .trie = -1, .table = -1 };
	struct batch batch = { 0 };
	int err = begin(host, &batch, &of, as, fault);

	if (!err)
		err = finish(host, &batch, fault);
	close_all(batch.trie, batch.n);
	close_all(batch.table, batch.n);
	publish_discard(&of);
	return err;
}

bool publish_knows(const struct host *host, const struct image *image)
{
	return find_equal(host, image) != 0;
}

bool publish_has(const struct host *host, const struct published *image)
{
	const struct sw_settings *settings = &host->settings[image->image];

	return is_whole(settings) && settings->serial == image->serial;
}

/* Which images tenants point to. When one cannot be told, none may be taken out. */
static int mark_used(const struct host *host, bool *used, struct fault *fault)
{
	for_each_slot_of(slot, host, SLOTS_HELD) {
		struct sw_tenant tenant;
		int err = host_storage(host, host->records[slot].cgroup, &tenant);

		if (!err)
			used[tenant.image] = true;
		else if (err != -ENOENT)
			return fault_set(fault, -err, "cannot read the storage of tenant %s: %s",
					 host->records[slot].name, strerror(-err));
	}
	return 0;
}

/* Entries of a trie that are freed in one go: what the kernel does in 10 to 17 ms. */
#define PIECE 5000

/* Unused, and no program reads it: out it goes, or its name only. */
static int put_away(struct host *host, struct batch *batch, __u32 number, struct fault *fault)
{
	const struct sw_settings *settings = &host->settings[number];

	if (settings->prefixes > PIECE)
		return !is_whole(settings) ? 0
					   : write_settings(host, number,
							    &(struct sw_settings){ .serial = settings->serial,
										   .prefixes = settings->prefixes },
							    fault);
	batch->number[batch->n++] = number;
	return batch->n == PUBLISH_BATCH ? take_out(host, batch, fault) : 0;
}

int publish_collect(struct host *host, struct fault *fault)
{
	bool *used = mem_alloc(SW_IMAGES_MAX, sizeof(*used));
	struct batch batch = { 0 };
	bool waited = false;
	int err = mark_used(host, used, fault);

	for (__u32 i = 1; i < SW_IMAGES_MAX && !err; i++) {
		if (used[i] || !host->settings[i].serial)
			continue;
		if (!waited)
			err = host_synchronize(host, fault);
		waited = true;
		if (!err)
			err = put_away(host, &batch, i, fault);
	}
	if (!err)
		err = take_out(host, &batch, fault);
	free(used);
	return err;
}

/* How many entries went; 0: there are none left. */
static __u32 empty_piece(int trie)
{
	LIBBPF_OPTS(bpf_map_batch_opts, how);
	struct sw_prefix *keys = mem_alloc(PIECE, sizeof(*keys));
	struct sw_class *values = mem_alloc(PIECE, sizeof(*values));
	struct sw_prefix token;
	__u32 n = PIECE;

	if (bpf_map_lookup_batch(trie, NULL, &token, keys, values, &n, &how) && errno != ENOENT)
		n = 0;
	if (n && bpf_map_delete_batch(trie, keys, &n, &how))
		n = 0;
	free(keys);
	free(values);
	return n;
}

/* It is empty: the next publish_collect() takes it out as any other. With the lock, that none may be under way. */
static void mark_empty(struct host *host, __u32 number, __u64 serial)
{
	struct fault ignored;

	if (host_lock(host, HOST_PATIENCE, &ignored))
		return;
	if (host->settings[number].serial == serial && !is_whole(&host->settings[number]))
		write_settings(host, number, &(struct sw_settings){ .serial = serial }, &ignored);
	publish_collect(host, &ignored);
	host_unlock(host);
}

static bool is_left(const struct sw_settings *settings)
{
	return settings->serial && settings->prefixes && !is_whole(settings);
}

bool publish_drain(struct host *host)
{
	for (__u32 i = 1; i < SW_IMAGES_MAX; i++) {
		__u64 serial = host->settings[i].serial;
		int trie;

		if (!is_left(&host->settings[i]))
			continue;
		trie = open_pin(host, "trie", serial);
		if (trie < 0 || !empty_piece(trie))
			mark_empty(host, i, serial);
		if (trie >= 0)
			close(trie);
		return true;
	}
	return false;
}

void publish_tidy(struct host *host)
{
	const struct timespec pause = { .tv_nsec = PUBLISH_PAUSE * 1000000L };
	struct fault ignored;

	if (host->lock < 0)
		return;
	if (host_booked()) {
		host_unlock(host);
		return;
	}
	publish_collect(host, &ignored);
	host_unlock(host);
	while (publish_drain(host))
		nanosleep(&pause, NULL);
}

struct sw_text *published_texts(const struct host *host, __u32 number, size_t *n)
{
	const struct sw_settings *settings = &host->settings[number];
	__u32 before = settings->texts_at - 1, next, count = settings->rules, *keys; /* spans come first */
	struct sw_text *texts;
	int table;

	*n = 0;
	if (!count)
		return NULL;
	table = open_pin(host, "table", settings->serial);
	if (table < 0)
		return NULL;
	keys = mem_alloc(count, sizeof(*keys));
	texts = mem_alloc(count, sizeof(*texts));
	if (!bpf_map_lookup_batch(table, &before, &next, keys, texts, &count, NULL) || errno == ENOENT)
		*n = count;
	close(table);
	free(keys);
	return texts;
}
