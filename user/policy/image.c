// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "image.h"
#include "names.h"
#include "sockopt.h"

typedef struct image sw_image;

#include "decide.h"

/* The entry the kernel's trie would find for the prefix, which may be a whole address. */
static size_t entry_find(const struct image *image, const struct sw_prefix *prefix)
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

static inline const struct sw_class *sw_image_class(const sw_image *image, const struct sw_addr *addr)
{
	struct sw_prefix whole = { .len = 128, .addr = *addr };

	return &image->entries.v[entry_find(image, &whole)].class;
}

static inline const struct sw_span *sw_image_span(const sw_image *image, __u32 index)
{
	return index < image->spans.n ? &image->spans.v[index] : NULL;
}

struct sw_verdict image_decide(const struct image *image, const struct sw_flow *flow)
{
	return sw_decide(image, &image->settings, flow);
}

const char *image_rule(const struct image *image, unsigned rule, unsigned *line)
{
	*line = 0;
	if (rule >= image->texts.n)
		return rule == SW_RULE_DEFAULT ? "default" : "no rule";
	*line = image->texts.v[rule].line;
	return image->texts.v[rule].text;
}

/* Walks the spans of a class by protocol, so that each port range is shown under its own. */
struct cursor {
	const struct image *image;
	struct sw_class class;
	__u32 index;
};

static __u32 span_end(const struct cursor *at, __u32 index)
{
	return index + 1 < at->class.count ? at->image->spans.v[at->class.span + index + 1].first : SW_SERVICES;
}

/* The answer for the service, and where it ends: the first service that may be answered otherwise. */
static const struct sw_span *cursor_next(struct cursor *at, __u32 service, __u32 *end)
{
	__u32 stop;

	while (span_end(at, at->index) <= service)
		at->index++;
	stop = (service | 0xffff) + 1; /* a line never runs from one protocol into the next */
	*end = span_end(at, at->index) < stop ? span_end(at, at->index) : stop;
	return &at->image->spans.v[at->class.span + at->index];
}

static const char *answer(const struct sw_span *span)
{
	return !span->allow ? "deny" : span->billing == SW_EXEMPT ? "exempt" : "allow";
}

static void print_services(__u32 first, __u32 end, FILE *out)
{
	fprintf(out, "%s %u", first >> 16 == SW_TCP ? "tcp" : "udp", first & 0xffff);
	if (end - first > 1)
		fprintf(out, "-%u", (end - 1) & 0xffff);
}

static void print_answers(const struct image *image, struct sw_class class, FILE *out)
{
	struct cursor at = { .image = image, .class = class };

	for (__u32 service = 0, end; service < SW_SERVICES; service = end) {
		const struct sw_span *span = cursor_next(&at, service, &end);

		fputs(service ? ", " : "", out);
		print_services(service, end, out);
		fprintf(out, " %s", answer(span));
		if (span->rule != SW_RULE_DEFAULT)
			fprintf(out, " #%u", span->rule + 1);
	}
}

static void print_settings(const struct sw_settings *s, FILE *out)
{
	static const char *const bind[] = { "deny", "ephemeral", "allow" };
	char bytes[24];

	fprintf(out, "mode %s\nprotocols%s%s\n", s->audit ? "audit" : "enforce",
		s->protocols & 1 << SW_TCP ? " tcp" : "", s->protocols & 1 << SW_UDP ? " udp" : "");
	fprintf(out, "listen %s\nbind %s\ntransfer %s\nidle-timeout %us\n", s->listen ? "allow" : "deny", bind[s->bind],
		s->transfer ? "allow" : "deny", s->idle_timeout);
	fprintf(out, "on-revoke %s\n", s->revoke ? "close" : "drop");
	if (s->budget == SW_NO_LIMIT)
		fputs("budget none\n", out);
	else
		fprintf(out, "budget %s per %s, over it %s\n", bytes_canonical(s->budget, bytes),
			period_name(s->budget_period), s->budget_log ? "log" : "refuse");
}

#define OPTION_TEXT 40

/* "mock 0 0" or "pass". Returns `text`. */
static const char *option_text(const struct sw_option *option, char text[OPTION_TEXT])
{
	__s32 value[2];

	memcpy(value, option->val, sizeof(value));
	if (option->pass)
		snprintf(text, OPTION_TEXT, "pass");
	else if (option->len == 8)
		snprintf(text, OPTION_TEXT, "mock %d %d", value[0], value[1]);
	else
		snprintf(text, OPTION_TEXT, "mock %d", value[0]);
	return text;
}

static void print_option(const struct sw_option *rule, FILE *out)
{
	char name[SOCKOPT_TEXT], text[OPTION_TEXT];

	fprintf(out, "option %s %s\n", sockopt_format(rule->level, rule->name, name), option_text(rule, text));
}

void image_print(const struct image *image, FILE *out)
{
	char text[SW_PREFIX_TEXT];

	fprintf(out, "policy %s\n", image->settings.policy);
	print_settings(&image->settings, out);
	for (size_t i = 0; i < image->options.n; i++)
		print_option(&image->options.v[i], out);
	fprintf(out, "option others %s\n", image->settings.options ? "pass" : "deny");
	for (size_t i = 0; i < image->texts.n; i++)
		fprintf(out, "rule #%zu line %u %s\n", i + 1, image->texts.v[i].line, image->texts.v[i].text);
	for (size_t i = 0; i < image->entries.n; i++) {
		fprintf(out, "%s ", prefix_format(&image->entries.v[i].prefix, text));
		print_answers(image, image->entries.v[i].class, out);
		fputc('\n', out);
	}
}

/* Who is told of each difference, and how many there were. */
struct differ {
	difference_fn *tell;
	void *data;
	size_t n;
};

static void differ_add(struct differ *differ, const struct difference *difference)
{
	differ->tell(differ->data, difference);
	differ->n++;
}

/* The services of one prefix on which the two differ. */
static void diff_prefix(const struct image *a, const struct image *b, const struct sw_prefix *prefix,
			struct differ *differ)
{
	struct cursor x = { .image = a, .class = a->entries.v[entry_find(a, prefix)].class };
	struct cursor y = { .image = b, .class = b->entries.v[entry_find(b, prefix)].class };
	__u32 protocols = a->settings.protocols & b->settings.protocols; /* what only one has, the settings show */

	for (__u32 service = 0, end; service < SW_SERVICES; service = end) {
		__u32 end_x, end_y;
		const struct sw_span *before = cursor_next(&x, service, &end_x);
		const struct sw_span *after = cursor_next(&y, service, &end_y);

		end = end_x < end_y ? end_x : end_y;
		if (strcmp(answer(before), answer(after)) && protocols & 1U << (service >> 16))
			differ_add(differ, &(struct difference){
						   .prefix = prefix,
						   .first = service,
						   .last = end - 1,
						   .before = answer(before),
						   .after = answer(after),
						   .rule_before = before->rule,
						   .rule_after = after->rule,
					   });
	}
}

/* Two texts of as many lines, each a name and a value. */
static void diff_text(char *a, char *b, struct differ *differ)
{
	char *save_a, *save_b, *x = strtok_r(a, "\n", &save_a), *y = strtok_r(b, "\n", &save_b);

	for (; x && y; x = strtok_r(NULL, "\n", &save_a), y = strtok_r(NULL, "\n", &save_b)) {
		char *before = strchr(x, ' '), *after = strchr(y, ' ');

		if (!strcmp(x, y))
			continue;
		*before++ = *after++ = '\0';
		differ_add(differ, &(struct difference){ .setting = y, .before = before, .after = after });
	}
}

static void diff_settings(const struct image *a, const struct image *b, struct differ *differ)
{
	char *text[2];
	size_t len[2];
	const struct image *images[2] = { a, b };

	for (int i = 0; i < 2; i++) {
		FILE *mem = open_memstream(&text[i], &len[i]);

		if (!mem)
			abort();
		print_settings(&images[i]->settings, mem);
		fprintf(mem, "other-options %s\n", images[i]->settings.options ? "pass" : "deny");
		fclose(mem);
	}
	diff_text(text[0], text[1], differ);
	free(text[0]);
	free(text[1]);
}

static const struct sw_option *option_find(const struct image *image, const struct sw_option *wanted)
{
	for (size_t i = 0; i < image->options.n; i++)
		if (image->options.v[i].level == wanted->level && image->options.v[i].name == wanted->name)
			return &image->options.v[i];
	return NULL;
}

/* Options of `a` that `b` lacks or has otherwise. */
static void diff_options(const struct image *a, const struct image *b, bool after, struct differ *differ)
{
	for (size_t i = 0; i < a->options.n; i++) {
		const struct sw_option *rule = &a->options.v[i], *other = option_find(b, rule);
		char name[SOCKOPT_TEXT], text[OPTION_TEXT];

		if (other && !memcmp(other, rule, sizeof(*other)))
			continue;
		option_text(rule, text);
		differ_add(differ, &(struct difference){
					   .option = sockopt_format(rule->level, rule->name, name),
					   .before = after ? NULL : text,
					   .after = after ? text : NULL,
				   });
	}
}

/* Every prefix of either image, in order, once. */
static void merge_prefixes(const struct image *a, const struct image *b, struct prefixes *out)
{
	size_t i = 0, j = 0;

	while (i < a->entries.n || j < b->entries.n) {
		int order = i == a->entries.n   ? 1
			    : j == b->entries.n ? -1
						: prefix_order(&a->entries.v[i].prefix, &b->entries.v[j].prefix);

		*list_add(out) = order <= 0 ? a->entries.v[i].prefix : b->entries.v[j].prefix;
		i += order <= 0;
		j += order >= 0;
	}
}

static bool addr_next(struct sw_addr *addr)
{
	for (int i = 15; i >= 0; i--)
		if (++addr->b[i])
			return true;
	return false;
}

/* No address is decided by the prefix itself: those behind it in the list leave none of it. */
static bool is_hidden(const struct prefixes *list, size_t at)
{
	const struct sw_prefix *prefix = &list->v[at];
	struct sw_addr next = prefix->addr; /* the first that may be left */

	for (size_t i = at + 1; i < list->n && prefix_covers(prefix, &list->v[i].addr); i++) {
		int order = memcmp(list->v[i].addr.b, next.b, 16);

		if (order > 0)
			return false;
		if (order < 0)
			continue;
		next = prefix_last(&list->v[i]);
		if (!addr_next(&next) || !prefix_covers(prefix, &next))
			return true;
	}
	return false;
}

size_t image_differences(const struct image *a, const struct image *b, difference_fn *tell, void *data)
{
	struct differ differ = { .tell = tell, .data = data };
	struct prefixes list = { 0 };

	diff_settings(a, b, &differ);
	diff_options(a, b, false, &differ);
	diff_options(b, a, true, &differ);
	merge_prefixes(a, b, &list);
	for (size_t i = 0; i < list.n; i++)
		if (!is_hidden(&list, i))
			diff_prefix(a, b, &list.v[i], &differ);
	prefixes_free(&list);
	return differ.n;
}

static void print_difference(void *out, const struct difference *d)
{
	char text[SW_PREFIX_TEXT];

	if (d->option) {
		fprintf(out, "%c option %s %s\n", d->after ? '+' : '-', d->option, d->after ? d->after : d->before);
		return;
	}
	if (d->setting) {
		fprintf(out, "%s %s, was %s\n", d->setting, d->after, d->before);
		return;
	}
	fprintf(out, "%s ", prefix_format(d->prefix, text));
	print_services(d->first, d->last + 1, out);
	fprintf(out, ": %s, was %s\n", d->after, d->before);
}

size_t image_diff(const struct image *a, const struct image *b, FILE *out)
{
	return image_differences(a, b, print_difference, out);
}
