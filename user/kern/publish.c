// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "publish.h"
#include "resolv.h"

/* An inner map of the image, filled with `n` elements. The descriptor, or -errno. */
struct filling {
	enum bpf_map_type type;
	const char *name;
	__u32 key_size, value_size, flags;
	const void *keys, *values; /* arrays of `n` */
	size_t n;
};

static int fill(const struct filling *with)
{
	LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = with->flags);
	LIBBPF_OPTS(bpf_map_batch_opts, batch);
	__u32 n = with->n;
	int err, fd = bpf_map_create(with->type, with->name, with->key_size, with->value_size, n ? n : 1, &create);

	if (fd < 0 || !n)
		return fd < 0 ? -errno : fd;
	if (!bpf_map_update_batch(fd, with->keys, with->values, &n, &batch))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Makes an inner map and puts it at `number` of the outer one, which then holds it. */
static int place(struct host *host, enum sw_map outer, __u32 number, const struct filling *with, struct fault *fault)
{
	int fd = fill(with), err = 0;

	if (fd < 0)
		return fault_set(fault, -fd, "the kernel does not take the policy's %s (%zu): %s", with->name, with->n,
				 strerror(-fd));
	if (bpf_map_update_elem(host->map[outer], &number, &fd, BPF_ANY))
		err = fault_set(fault, errno, "cannot write the policy's %s: %s", with->name, strerror(errno));
	close(fd);
	return err;
}

static int place_trie(struct host *host, __u32 number, const struct image *image, struct fault *fault)
{
	struct sw_prefix *keys = mem_alloc(image->entries.n, sizeof(*keys));
	struct sw_class *values = mem_alloc(image->entries.n, sizeof(*values));
	int err;

	for (size_t i = 0; i < image->entries.n; i++) {
		keys[i] = image->entries.v[i].prefix;
		values[i] = image->entries.v[i].class;
	}
	err = place(host, MAP_tries, number,
		    &(struct filling){ BPF_MAP_TYPE_LPM_TRIE, "prefixes", sizeof(*keys), sizeof(*values),
				       BPF_F_NO_PREALLOC, keys, values, image->entries.n },
		    fault);
	free(keys);
	free(values);
	return err;
}

static int place_spans(struct host *host, __u32 number, const struct image *image, struct fault *fault)
{
	__u32 *keys = mem_alloc(image->spans.n, sizeof(*keys));
	int err;

	for (size_t i = 0; i < image->spans.n; i++)
		keys[i] = i;
	err = place(host, MAP_spans, number,
		    &(struct filling){ BPF_MAP_TYPE_ARRAY, "answers", sizeof(*keys), sizeof(struct sw_span),
				       BPF_F_INNER_MAP, keys, image->spans.v, image->spans.n },
		    fault);
	free(keys);
	return err;
}

static int place_texts(struct host *host, __u32 number, const struct image *image, struct fault *fault)
{
	for (size_t i = 0; i < image->texts.n; i++) {
		struct sw_text_key key = { number, i };

		if (bpf_map_update_elem(host->map[MAP_texts], &key, &image->texts.v[i], BPF_ANY))
			return fault_set(fault, errno, "cannot write the policy's rules: %s", strerror(errno));
	}
	return 0;
}

static int place_options(struct host *host, __u32 number, const struct image *image, struct fault *fault)
{
	for (size_t i = 0; i < image->options.n; i++) {
		const struct option_rule *rule = &image->options.v[i];
		struct sw_option_key key = { number, rule->level, rule->name };

		if (bpf_map_update_elem(host->map[MAP_options], &key, &rule->option, BPF_ANY))
			return fault_set(fault, errno, "cannot write the policy's socket options: %s", strerror(errno));
	}
	return 0;
}

static int place_settings(struct host *host, __u32 number, const struct sw_settings *settings, struct fault *fault)
{
	if (!bpf_map_update_elem(host->map[MAP_settings], &number, settings, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the policy's settings: %s", strerror(errno));
}

static bool text_of_image(const void *key, __u64 number)
{
	return ((const struct sw_text_key *)key)->image == number;
}

static bool option_of_image(const void *key, __u64 number)
{
	return ((const struct sw_option_key *)key)->image == number;
}

static bool hit_of_serial(const void *key, __u64 serial)
{
	return ((const struct sw_hit_key *)key)->serial == serial;
}

/* Programs no longer find it: forgets everything under the number, and the number last. */
static void take_out(struct host *host, __u32 number)
{
	__u64 serial = host->settings[number].serial;
	struct fault ignored;

	/* the hash goes first: what is not whole any more must not be found by it */
	place_settings(host, number, &(struct sw_settings){ .serial = serial }, &ignored);
	bpf_map_delete_elem(host->map[MAP_tries], &number);
	bpf_map_delete_elem(host->map[MAP_spans], &number);
	host_purge(host, MAP_texts, sizeof(struct sw_text_key), text_of_image, number);
	host_purge(host, MAP_options, sizeof(struct sw_option_key), option_of_image, number);
	host_purge(host, MAP_hits, sizeof(struct sw_hit_key), hit_of_serial, serial);
	place_settings(host, number, &(struct sw_settings){ 0 }, &ignored);
}

/*
 * The serial goes first: it marks the number as taken, so that an image whose loading was cut short is found
 * by publish_collect(). The hash goes last: only an image that is whole can be found by it and shared.
 */
static int load_image(struct host *host, __u32 number, const struct image *image, __u64 serial, struct fault *fault)
{
	struct sw_settings settings = image->settings;
	int err = place_settings(host, number, &(struct sw_settings){ .serial = serial }, fault);

	if (!err)
		err = place_trie(host, number, image, fault);
	if (!err)
		err = place_spans(host, number, image, fault);
	if (!err)
		err = place_texts(host, number, image, fault);
	if (!err)
		err = place_options(host, number, image, fault);
	settings.serial = serial;
	return err ? err : place_settings(host, number, &settings, fault);
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

int publish(struct host *host, const struct image *image, struct published *out, struct fault *fault)
{
	__u32 free_number = 0;
	__u64 serial;
	int err;

	for (__u32 i = 1; i < SW_IMAGES_MAX; i++) {
		const struct sw_settings *settings = &host->settings[i];

		if (!settings->serial && !free_number)
			free_number = i;
		if (settings->serial && !memcmp(settings->hash, image->settings.hash, 32)) {
			*out = (struct published){ i, settings->serial };
			return 0;
		}
	}
	if (!free_number)
		return fault_set(fault, ENOSPC, "%d different policies are in use, which is the most: detach a tenant",
				 SW_IMAGES_MAX - 1);
	err = note_resolvers(host, fault);
	if (!err)
		err = host_next_serial(host, &serial, fault);
	if (err)
		return err;
	err = load_image(host, free_number, image, serial, fault);
	if (err)
		take_out(host, free_number);
	*out = (struct published){ free_number, serial };
	return err;
}

/* Which images tenants point to. When one cannot be told, none may be taken out. */
static int mark_used(const struct host *host, bool *used, struct fault *fault)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++) {
		struct sw_tenant tenant;
		int err;

		if (!host->records[slot].cgroup)
			continue;
		err = host_storage(host, host->records[slot].cgroup, &tenant);
		if (!err)
			used[tenant.image] = true;
		else if (err != -ENOENT)
			return fault_set(fault, -err, "cannot read the storage of tenant %s: %s",
					 host->records[slot].name, strerror(-err));
	}
	return 0;
}

int publish_collect(struct host *host, struct fault *fault)
{
	bool *used = mem_alloc(SW_IMAGES_MAX, sizeof(*used));
	bool waited = false;
	int err = mark_used(host, used, fault);

	for (__u32 i = 1; i < SW_IMAGES_MAX && !err; i++) {
		if (used[i] || !host->settings[i].serial)
			continue;
		if (!waited)
			err = host_synchronize(host, fault);
		waited = true;
		if (!err)
			take_out(host, i);
	}
	free(used);
	return err;
}

int published_text(const struct host *host, __u32 number, __u32 rule, struct sw_text *out)
{
	struct sw_text_key key = { number, rule };

	return bpf_map_lookup_elem(host->map[MAP_texts], &key, out) ? -errno : 0;
}
