// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "patterns.h"
#include "resolv.h"
#include "spare.h"
#include "table.h"

static int prepare(const struct image *image, const __u32 *numbers, struct publishing *out, struct fault *fault)
{
	__u32 n;
	struct sw_row *rows = table_build(image, numbers, &n);
	int err;

	*out = (struct publishing){ .image = image, .trie = inner_trie(image), .table = inner_table(rows, n) };
	free(rows);
	if (out->trie >= 0 && out->table >= 0)
		return 0;
	err = out->trie < 0 ? out->trie : out->table;
	publish_discard(out);
	return fault_set(fault, -err, "the kernel does not take the policy (%zu prefixes, %zu answers): %s",
			 image->entries.n, image->spans.n, strerror(-err));
}

/* What its patterns are called is known with the lock only. */
int publish_prepare(const struct image *image, struct publishing *out, struct fault *fault)
{
	*out = (struct publishing){ .image = image, .trie = -1, .table = -1 };
	return image->patterns.n ? 0 : prepare(image, NULL, out, fault);
}

int publish_prepare_large(const struct image *image, struct publishing *out, struct fault *fault)
{
	struct fault ignored;
	struct host host;
	bool known;

	*out = (struct publishing){ .image = image, .trie = -1, .table = -1 };
	if (image->entries.n <= INNER_PIECE || host_open(&host, HOST_READING, &ignored))
		return 0;
	known = host.map[MAP_settings] < 0 || publish_knows(&host, image);
	host_close(&host);
	return known ? 0 : publish_prepare(image, out, fault);
}

void publish_discard(struct publishing *publishing)
{
	inner_close(&publishing->trie, 1);
	inner_close(&publishing->table, 1);
}

/*
 * The serial goes first: it marks the number as taken, so that an image whose loading was cut short is found by
 * publish_collect().
 */
static int begin(struct host *host, struct batch *batch, struct publishing *publishing, const struct published *as,
		 struct fault *fault)
{
	__u32 i = batch->n, *numbers;
	int err = settings_write(host, as->image, &(struct sw_settings){ .serial = as->serial }, fault);

	if (!err)
		err = patterns_number(host, publishing->image, &numbers, fault);
	if (err)
		return err;
	batch->placed[i] = publishing->trie < 0 && spare_fill(host, as->image, publishing->image, numbers,
							      &publishing->trie, &publishing->table);
	if (publishing->trie < 0)
		err = prepare(publishing->image, numbers, publishing, fault);
	if (!err)
		err = patterns_trie(publishing->image, numbers, &batch->names[i], fault);
	free(numbers);
	if (err)
		return err;
	batch->number[i] = as->image;
	batch->serial[i] = as->serial;
	batch->image[i] = publishing->image;
	batch->trie[i] = publishing->trie;
	batch->table[i] = publishing->table;
	batch->n++;
	publishing->trie = publishing->table = -1;
	return inner_pin(host->pins, batch->trie[i], batch->table[i], as->serial, fault);
}

/* The hash goes last: only an image that is whole can be found by it and shared. */
static int finish(struct host *host, struct batch *batch, struct fault *fault)
{
	int err = batch_place(host, batch, fault);

	for (__u32 i = 0; i < batch->n && !err; i++) {
		struct sw_settings settings = batch->image[i]->settings;

		settings.serial = batch->serial[i];
		err = settings_write(host, batch->number[i], &settings, fault);
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
		if (host->settings[i].serial && image_has(image, host->settings[i].hash))
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
		if (image_has(image, batch->image[i]->settings.hash)) {
			*out = (struct published){ batch->number[i], batch->serial[i] };
			return true;
		}
	return false;
}

/* Where the kernel does not show who reaches for a unix socket, a policy that allows but some would hold nobody. */
static int check_unix(const struct host *host, const struct image *image, struct fault *fault)
{
	if (image->settings.unix_others || host_sees_unix(host))
		return 0;
	return fault_set(fault, EOPNOTSUPP,
			 "the policy %s refuses unix sockets, which takes Linux 6.7: leave out 'unix', or say in it "
			 "'other: allow'",
			 image->settings.policy);
}

static int publish_one(struct host *host, struct batch *batch, struct publishing *publishing, struct published *out,
		       struct fault *fault)
{
	int err = check_unix(host, publishing->image, fault);

	if (err)
		return err;
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
	inner_close(batch.trie, batch.n);
	inner_close(batch.table, batch.n);
	inner_close(batch.names, batch.n);
	publish_collect(host, PUBLISH_BATCH, COLLECT_ALL, &ignored);
	return err;
}

int publish(struct host *host, const struct image *image, struct published *out, struct fault *fault)
{
	struct publishing of = { .image = image, .trie = -1, .table = -1 };
	int err = publish_many(host, &of, 1, out, fault);

	publish_discard(&of);
	return err;
}

int publish_as(struct host *host, const struct image *const *images, const struct published *as, size_t n,
	       struct fault *fault)
{
	struct batch batch = { 0 };
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct publishing of = { .image = images[i], .trie = -1, .table = -1 };

		err = begin(host, &batch, &of, &as[i], fault);
		publish_discard(&of);
	}
	if (!err)
		err = finish(host, &batch, fault);
	inner_close(batch.trie, batch.n);
	inner_close(batch.table, batch.n);
	inner_close(batch.names, batch.n);
	return err;
}

__u32 publish_pace(__u32 n, __s64 ms)
{
	if (ms > 100)
		return n > 1 ? n / 2 : 1;
	return ms < 25 && n < PUBLISH_BATCH ? n * 2 : n;
}

bool publish_knows(const struct host *host, const struct image *image)
{
	return find_equal(host, image) != 0;
}

bool publish_has(const struct host *host, const struct published *image)
{
	const struct sw_settings *settings = &host->settings[image->image];

	return settings_whole(settings) && settings->serial == image->serial;
}

/* One that was being put there or taken out has no pins. */
static int pin_again(const struct host *host, const char *to, __u64 serial, struct fault *fault)
{
	int trie = inner_open_trie(host, serial), table = inner_open_table(host, serial), err = 0;

	if (trie >= 0 && table >= 0)
		err = inner_pin(to, trie, table, serial, fault);
	inner_close(&trie, 1);
	inner_close(&table, 1);
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

struct sw_row *published_rows(const struct host *host, __u64 serial, __u32 first, __u32 rows)
{
	__u32 before = first - 1, next, count = rows, *keys;
	int table = rows ? inner_open_table(host, serial) : -1;
	struct sw_row *out;

	if (table < 0)
		return NULL;
	keys = mem_alloc(rows, sizeof(*keys));
	out = mem_alloc(rows, sizeof(*out));
	if ((bpf_map_lookup_batch(table, first ? &before : NULL, &next, keys, out, &count, NULL) && errno != ENOENT) ||
	    count != rows) {
		free(out);
		out = NULL;
	}
	close(table);
	free(keys);
	return out;
}

/* The same of an image by its number. NULL, too, if that is another's by now. */
static struct sw_row *rows_read(const struct host *host, __u32 number, __u32 first, __u32 rows)
{
	const struct sw_settings *settings = &host->settings[number];
	__u64 serial = *(const volatile __u64 *)&settings->serial;
	struct sw_row *out = published_rows(host, serial, first, rows);

	if (out && settings->serial == serial)
		return out;
	free(out);
	return NULL;
}

struct sw_text *published_texts(const struct host *host, __u32 number, size_t *n)
{
	const struct sw_settings *settings = &host->settings[number];
	struct sw_row *rows = rows_read(host, number, settings->texts_at, settings->rules);

	*n = rows ? settings->rules : 0;
	return (struct sw_text *)rows; /* each fills one */
}

struct sw_pattern *published_patterns(const struct host *host, __u32 number, size_t *n)
{
	const struct sw_settings *settings = &host->settings[number];
	struct sw_row *rows = rows_read(host, number, settings->patterns_at,
					(settings->pattern_count + SW_ROW_PATTERNS - 1) / SW_ROW_PATTERNS);

	*n = rows ? settings->pattern_count : 0;
	return (struct sw_pattern *)rows; /* a row is a whole number of them */
}
