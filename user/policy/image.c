// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "image_parts.h"

/* An image, and for which of its patterns the address at hand is open; NULL: none. */
typedef struct {
	const struct image *image;
	const struct sw_pattern *open;
} sw_image;

#include "decide.h"

size_t entry_find(const struct image *image, const struct sw_prefix *prefix)
{
	size_t low = 0, high = image->entries.n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (prefix_order(&image->entries.v[middle].prefix, prefix) <= 0)
			low = middle;
		else
			high = middle;
	}
	while (!prefix_covers(&image->entries.v[low].prefix, &prefix->addr))
		low = image->entries.v[low].parent;
	return low;
}

static inline const struct sw_class *sw_image_class(const sw_image *of, const struct sw_addr *addr)
{
	struct sw_prefix whole = { .len = 128, .addr = *addr };

	return &of->image->entries.v[entry_find(of->image, &whole)].class;
}

static inline const struct sw_span *sw_image_span(const sw_image *of, __u32 index)
{
	return index < of->image->spans.n ? &of->image->spans.v[index] : NULL;
}

static inline void sw_image_named(const sw_image *of, const struct sw_addr *addr, __u32 service, __u8 answer,
				  struct sw_verdict *verdict)
{
	(void)addr;
	if (of->open)
		sw_decide_pattern(of, of->open, service, answer, verdict);
}

struct sw_verdict image_decide(const struct image *image, const struct sw_flow *flow)
{
	return sw_decide(&(sw_image){ .image = image }, &image->settings, flow);
}

struct sw_verdict image_decide_named(const struct image *image, const struct sw_flow *flow, size_t pattern)
{
	struct sw_pattern open = { .number = pattern + 1, .class = image->patterns.v[pattern].class };

	return sw_decide(&(sw_image){ .image = image, .open = &open }, &image->settings, flow);
}

const struct sw_span *image_opens(const struct image *image, size_t pattern, __u32 service)
{
	return sw_find_span(&(sw_image){ .image = image }, &image->patterns.v[pattern].class, service);
}

static size_t find_pattern(const struct image *image, const char *text)
{
	size_t i = 0;

	while (i < image->patterns.n && strcmp(image->patterns.v[i].text, text))
		i++;
	return i;
}

size_t image_pattern(const struct image *image, const char *name)
{
	size_t found = find_pattern(image, name);
	char below[SW_DOMAIN_MAX];

	if (*name == '*') /* *.example.com is not covered by itself, once more */
		name += 2;
	for (const char *dot = strchr(name, '.'); dot && found == image->patterns.n; dot = strchr(dot + 1, '.')) {
		snprintf(below, sizeof(below), "*%s", dot);
		found = find_pattern(image, below);
	}
	return found;
}

const struct sw_text *image_rule(const struct image *image, unsigned rule)
{
	static const struct sw_text by_default = { .text = "default" }, none = { .text = "no rule" };

	if (rule >= image->texts.n)
		return rule == SW_RULE_DEFAULT ? &by_default : &none;
	return &image->texts.v[rule];
}
