// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain.h"
#include "inner.h"
#include "patterns.h"
#include "retrieve.h"

static int by_prefix(const void *a, const void *b)
{
	return prefix_order(&((const struct entry *)a)->prefix, &((const struct entry *)b)->prefix);
}

/* Each lies in the nearest before it that covers it. */
static void find_parents(struct image *image)
{
	struct entry *entries = image->entries.v;

	for (size_t i = 1; i < image->entries.n; i++) {
		__u32 above = i - 1;

		while (above && !prefix_covers(&entries[above].prefix, &entries[i].prefix.addr))
			above = entries[above].parent;
		entries[i].parent = above;
	}
}

static bool read_entries(const struct host *host, struct image *image)
{
	int trie = inner_open_trie(host, image->settings.serial);
	struct sw_prefix key, *last = NULL;

	while (trie >= 0 && image->entries.n < image->settings.prefixes && !bpf_map_get_next_key(trie, last, &key)) {
		struct entry *entry = list_add(&image->entries);

		last = &key;
		entry->prefix = key;
		if (bpf_map_lookup_elem(trie, &key, &entry->class))
			break;
	}
	inner_close(&trie, 1);
	if (!image->entries.n || image->entries.n != image->settings.prefixes)
		return false;
	qsort(image->entries.v, image->entries.n, sizeof(*image->entries.v), by_prefix);
	find_parents(image);
	return true;
}

#define COPY(list, from, count)                                                                                        \
	do {                                                                                                           \
		(list)->n = (list)->room = (count);                                                                    \
		(list)->v = mem_alloc((count), sizeof(*(list)->v));                                                    \
		memcpy((list)->v, (from), (count) * sizeof(*(list)->v));                                               \
	} while (0)

static __u32 end_of(const struct sw_class *class, __u32 end)
{
	return class->span + class->count > end ? class->span + class->count : end;
}

/* The last row of them may not be full: there are as many as something has. */
static void copy_spans(struct image *image, const struct sw_row *rows)
{
	__u32 n = 0;

	for (size_t i = 0; i < image->entries.n; i++)
		n = end_of(&image->entries.v[i].class, n);
	for (size_t i = 0; i < image->patterns.n; i++)
		n = end_of(&image->patterns.v[i].class, n);
	if (n > image->settings.options_at * SW_ROW_SPANS)
		n = image->settings.options_at * SW_ROW_SPANS;
	COPY(&image->spans, (const struct sw_span *)rows, n);
}

static const char *text_of(const struct pattern_number *all, size_t n, __u32 number, char text[SW_DOMAIN_MAX + 2])
{
	for (size_t i = 0; i < n; i++)
		if (all[i].number == number)
			return domain_text(all[i].text.text, sizeof(all[i].text.text), text);
	return "?";
}

static void copy_patterns(const struct host *host, struct image *image, const struct sw_row *rows)
{
	const struct sw_pattern *patterns = (const struct sw_pattern *)&rows[image->settings.patterns_at];
	size_t n = 0;
	struct pattern_number *all = image->settings.pattern_count ? patterns_read(host, &n) : NULL;

	for (size_t i = 0; i < image->settings.pattern_count; i++) {
		struct name_pattern *pattern = list_add(&image->patterns);
		char text[SW_DOMAIN_MAX + 2];

		pattern->text = mem_strdup(text_of(all, n, patterns[i].number, text));
		pattern->class = patterns[i].class;
	}
	free(all);
}

static bool read_rows(const struct host *host, struct image *image)
{
	const struct sw_settings *settings = &image->settings;
	__u32 n = settings->unix_at + settings->unix_count;
	struct sw_row *rows = published_rows(host, settings->serial, 0, n);

	if (!rows)
		return n == 0;
	COPY(&image->options, (const struct sw_option *)&rows[settings->options_at], settings->option_count);
	copy_patterns(host, image, rows);
	copy_spans(image, rows);
	COPY(&image->texts, (const struct sw_text *)&rows[settings->texts_at], settings->rules);
	COPY(&image->paths, (const struct sw_unix *)&rows[settings->unix_at], settings->unix_count);
	free(rows);
	return true;
}

struct image *image_retrieve(const struct host *host, const struct published *from)
{
	struct image *image = mem_alloc(1, sizeof(*image));

	image->settings = host->settings[from->image];
	if (image->settings.serial == from->serial && read_entries(host, image) && read_rows(host, image) &&
	    publish_has(host, from))
		return image;
	image_free(image);
	return NULL;
}
