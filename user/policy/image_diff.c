// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "sockopt.h"

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
		if (strcmp(span_answer(before), span_answer(after)) && protocols & 1U << (service >> 16))
			differ_add(differ, &(struct difference){
						   .prefix = prefix,
						   .first = service,
						   .last = end - 1,
						   .before = span_answer(before),
						   .after = span_answer(after),
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
		settings_print(&images[i]->settings, mem);
		fprintf(mem, "other-options %s\n", images[i]->settings.options ? "pass" : "deny");
		fprintf(mem, "unix-others %s\n", images[i]->settings.unix_others ? "allow" : "deny");
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

static const char *unix_other(const struct image *image)
{
	return image->settings.unix_others ? "allow" : "deny";
}

static const char *path_answer(const struct image *image, const struct sw_unix *path)
{
	const struct sw_unix *found = unix_find(image->paths.v, image->paths.n, path);

	return found ? unix_answer(found) : unix_other(image);
}

/* Unix sockets that `listed`, one of the two, has; and `a` has not, if `only`. */
static void diff_paths(const struct image *a, const struct image *b, const struct image *listed, bool only,
		       struct differ *differ)
{
	for (size_t i = 0; i < listed->paths.n; i++) {
		const struct sw_unix *path = &listed->paths.v[i];
		const char *before = path_answer(a, path), *after = path_answer(b, path);
		char text[SW_UNIX_TEXT], name[sizeof("unix ") + SW_UNIX_TEXT];

		if (!strcmp(before, after) || (only && unix_find(a->paths.v, a->paths.n, path)))
			continue;
		snprintf(name, sizeof(name), "unix %s", unix_format(path, text));
		differ_add(differ, &(struct difference){ .setting = name, .before = before, .after = after });
	}
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static const char *name_answer(const struct sw_span *span)
{
	bool exempt = span->billing == SW_EXEMPT;

	if (!(span->answer & SW_ANSWER_ALLOW))
		return "deny";
	if (span->rule == SW_RULE_DEFAULT) /* not so by a rule, which may come before others */
		return "default";
	if (!(span->answer & SW_ANSWER_PRIVATE))
		return exempt ? "exempt" : "allow";
	return exempt ? "exempt private" : "allow private";
}

/* What one image says of a pattern. */
struct side {
	struct cursor at;    /* of the class, */
	struct sw_span none; /* or where no pattern of the image covers it: what the default says */
	bool covered;
};

static struct side side_of(const struct image *image, const char *pattern)
{
	struct side side = { .at.image = image, .none.rule = SW_RULE_DEFAULT };
	size_t found = image_pattern(image, pattern);

	side.covered = found < image->patterns.n;
	if (side.covered)
		side.at.class = image->patterns.v[found].class;
	for (size_t i = 0; i < image->spans.n; i++)
		if (image->spans.v[i].rule == SW_RULE_DEFAULT)
			side.none.answer = image->spans.v[i].answer & SW_ANSWER_ALLOW;
	return side;
}

static const struct sw_span *side_next(struct side *side, __u32 service, __u32 *end)
{
	*end = (service | 0xffff) + 1;
	return side->covered ? cursor_next(&side->at, service, end) : &side->none;
}

/* The services of one pattern on which the two differ. */
static void diff_pattern(const struct image *a, const struct image *b, const char *pattern, struct differ *differ)
{
	struct side x = side_of(a, pattern), y = side_of(b, pattern);
	__u32 protocols = a->settings.protocols & b->settings.protocols;

	for (__u32 service = 0, end; service < SW_SERVICES; service = end) {
		__u32 end_x, end_y;
		const struct sw_span *before = side_next(&x, service, &end_x);
		const struct sw_span *after = side_next(&y, service, &end_y);

		end = end_x < end_y ? end_x : end_y;
		if (strcmp(name_answer(before), name_answer(after)) && protocols & 1U << (service >> 16))
			differ_add(differ, &(struct difference){
						   .name = pattern,
						   .first = service,
						   .last = end - 1,
						   .before = name_answer(before),
						   .after = name_answer(after),
						   .rule_before = before->rule,
						   .rule_after = after->rule,
					   });
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every pattern of either image, in order, once. */
static void diff_patterns(const struct image *a, const struct image *b, struct differ *differ)
{
	const struct image *images[2] = { a, b };
	LIST(const char *) all = { 0 };

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < images[k]->patterns.n; i++)
			*list_add(&all) = images[k]->patterns.v[i].text;
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_text);
	for (size_t i = 0; i < all.n; i++)
		if (!i || strcmp(all.v[i - 1], all.v[i]))
			diff_pattern(a, b, all.v[i], differ);
	free(all.v);
}

/* ---- prefixes -------------------------------------------------------------------------------------------- */

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

static bool same_rules(const struct image *a, const struct image *b)
{
	if (a->texts.n != b->texts.n || a->entries.n != b->entries.n || a->spans.n != b->spans.n)
		return false;
	for (size_t i = 0; i < a->texts.n; i++) /* their lines are no matter */
		if (strcmp(a->texts.v[i].text, b->texts.v[i].text))
			return false;
	return !memcmp(a->entries.v, b->entries.v, a->entries.n * sizeof(*a->entries.v)) &&
	       !memcmp(a->spans.v, b->spans.v, a->spans.n * sizeof(*a->spans.v));
}

/*
 * Which addresses a name opens depends on the rules before it, and comparing that would be each name with each prefix.
 * Where all else is the same there is only this to say.
 */
static void diff_order(const struct image *a, const struct image *b, struct differ *differ)
{
	if (!differ->n && a->patterns.n && b->patterns.n && !same_rules(a, b))
		differ_add(differ, &(struct difference){
					   .setting = "rules",
					   .after = "in another order, or in other words: names may open other "
						    "addresses",
				   });
}

size_t image_differences(const struct image *a, const struct image *b, difference_fn *tell, void *data)
{
	struct differ differ = { .tell = tell, .data = data };
	struct prefixes list = { 0 };

	diff_settings(a, b, &differ);
	diff_options(a, b, false, &differ);
	diff_options(b, a, true, &differ);
	diff_paths(a, b, a, false, &differ);
	diff_paths(a, b, b, true, &differ);
	diff_patterns(a, b, &differ);
	merge_prefixes(a, b, &list);
	for (size_t i = 0; i < list.n; i++)
		if (!is_hidden(&list, i))
			diff_prefix(a, b, &list.v[i], &differ);
	prefixes_free(&list);
	diff_order(a, b, &differ);
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
		fprintf(out, "%s %s%s%s\n", d->setting, d->after, d->before ? ", was " : "",
			d->before ? d->before : "");
		return;
	}
	if (d->name)
		fprintf(out, "name %s: ", d->name);
	else
		fprintf(out, "%s ", prefix_format(d->prefix, text));
	services_print(d->first, d->last + 1, out);
	fprintf(out, ": %s, was %s\n", d->after, d->before);
}

size_t image_diff(const struct image *a, const struct image *b, FILE *out)
{
	return image_differences(a, b, print_difference, out);
}
