// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain.h"
#include "patterns.h"
#include "publish.h"
#include "table.h"

static int number_new(struct host *host, const struct sw_pattern_text *text, __u32 *number, struct fault *fault)
{
	__u64 serial;
	int err = host_next_serial(host, &serial, fault);

	if (err)
		return err;
	*number = serial;
	if (*number != serial)
		return fault_set(fault, EOVERFLOW,
				 "every number was given out: detach all tenants, and attach them again");
	if (!bpf_map_update_elem(host->map[MAP_patterns], text, number, BPF_NOEXIST))
		return 0;
	return errno == E2BIG ? -E2BIG
			      : fault_set(fault, errno, "cannot write the map 'patterns': %s", strerror(errno));
}

/* Marks which of `all` some image has. False when an image cannot be read: then none may be forgotten. */
static bool mark_used(const struct host *host, struct pattern_number *all, size_t n, bool *used)
{
	for (__u32 image = 1; image < SW_IMAGES_MAX; image++) {
		const struct sw_settings *settings = &host->settings[image];
		size_t count;
		struct sw_pattern *patterns = settings->pattern_count ? published_patterns(host, image, &count) : NULL;

		if (!settings->pattern_count)
			continue;
		if (!patterns)
			return false;
		for (size_t i = 0; i < n; i++)
			used[i] |= table_pattern(patterns, count, all[i].number) != NULL;
		free(patterns);
	}
	return true;
}

/* Forgets texts that no image has. What was learned for them opens nothing from then on, and did in no image. */
static void forget_unused(struct host *host)
{
	size_t n;
	struct pattern_number *all = patterns_read(host, &n);
	bool *used = mem_alloc(n + 1, sizeof(*used));

	if (mark_used(host, all, n, used))
		for (size_t i = 0; i < n; i++)
			if (!used[i])
				bpf_map_delete_elem(host->map[MAP_patterns], &all[i].text);
	free(used);
	free(all);
}

static int number_of(struct host *host, const char *pattern, __u32 *number, struct fault *fault)
{
	struct sw_domain key = domain_key(pattern);
	struct sw_pattern_text text;
	int err;

	memcpy(text.text, key.text, sizeof(text.text));
	if (!bpf_map_lookup_elem(host->map[MAP_patterns], &text, number))
		return 0;
	err = number_new(host, &text, number, fault);
	if (err != -E2BIG)
		return err;
	forget_unused(host);
	err = number_new(host, &text, number, fault);
	return err == -E2BIG ? fault_set(fault, E2BIG,
					 "%d different names are in use on this host, which is the most: write "
					 "*.example.com for many of them",
					 SW_PATTERNS_MAX)
			     : err;
}

int patterns_number(struct host *host, const struct image *image, __u32 **numbers, struct fault *fault)
{
	int err = 0;

	*numbers = NULL;
	if (!image->patterns.n)
		return 0;
	*numbers = mem_alloc(image->patterns.n, sizeof(**numbers));
	for (size_t i = 0; i < image->patterns.n && !err; i++)
		err = number_of(host, image->patterns.v[i].text, &(*numbers)[i], fault);
	if (!err)
		return 0;
	free(*numbers);
	*numbers = NULL;
	return err;
}

int patterns_trie(const struct image *image, const __u32 *numbers, int *out, struct fault *fault)
{
	LIBBPF_OPTS(bpf_map_create_opts, how, .map_flags = BPF_F_NO_PREALLOC);
	int err = 0;

	*out = -1;
	if (!image->patterns.n)
		return 0;
	*out = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "names", sizeof(struct sw_domain), sizeof(struct sw_domain_rule),
			      image->patterns.n, &how);
	if (*out < 0)
		err = -errno;
	for (size_t i = 0; i < image->patterns.n && !err; i++) {
		struct sw_domain key = domain_key(image->patterns.v[i].text);
		struct sw_domain_rule rule = { .pattern = numbers[i], .opens = image->patterns.v[i].opens };

		if (bpf_map_update_elem(*out, &key, &rule, BPF_ANY))
			err = -errno;
	}
	if (!err)
		return 0;
	if (*out >= 0)
		close(*out);
	*out = -1;
	return fault_set(fault, -err, "the kernel does not take the policy's names: %s", strerror(-err));
}

struct pattern_number *patterns_read(const struct host *host, size_t *n)
{
	struct sw_pattern_text key, *last = NULL;
	LIST(struct pattern_number) all = { 0 };

	while (host->map[MAP_patterns] >= 0 && !bpf_map_get_next_key(host->map[MAP_patterns], last, &key)) {
		struct pattern_number one = { .text = key };

		last = &key;
		if (!bpf_map_lookup_elem(host->map[MAP_patterns], &key, &one.number))
			*list_add(&all) = one;
		if (all.n > 2 * SW_PATTERNS_MAX) /* it changes under us: enough */
			break;
	}
	*n = all.n;
	return all.v;
}
