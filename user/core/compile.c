// SPDX-License-Identifier: GPL-2.0-only
/*
 * From ordered rules to longest-prefix entries.
 *
 * The prefixes of all rules are sorted, so that each comes right behind those around it, and walked once
 * with a stack of the enclosing ones. The rules that speak of an address are those of its prefix and of
 * all prefixes around it: a set of rule numbers, the "class" of the prefix. Each different class is turned
 * once into spans: the first rule that matches, for every service. A prefix whose spans are those of the
 * prefix around it says nothing new and is dropped.
 *
 * IPv4 lives at ::ffff:0:0/96 and must not inherit what a policy says of IPv6 prefixes that happen to
 * enclose it (::/0, most of all): there the inheritance starts again, from the rules that name no prefix.
 */
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "intern.h"
#include "sha256.h"

struct item {
	struct sw_prefix prefix;
	__u32 rule; /* NO_RULE: the prefix is there for its own sake */
};

#define NO_RULE 0xffffffffU

struct compiler {
	const struct policy *policy;
	struct image *image;
	LIST(struct item) items;
	struct intern classes; /* arrays of __u16 rule numbers, ascending */
	LIST(__u32) span_of;   /* by class: its number in `spans`, + 1; 0: not made yet */
	struct intern spans;   /* arrays of struct sw_span */
	struct intern joins;   /* { class, rule } */
	LIST(__u32) joined;    /* by number in `joins`: the class with the rule added */
	__u32 everything;      /* the class of rules that name no prefix */
};

static const struct sw_prefix all = { .len = 0 };
static const struct sw_prefix ipv4 = { .len = SW_V4_BITS, .addr.b = { [10] = 0xff, [11] = 0xff } };

static __u32 class_number(struct compiler *c, const __u16 *rules, size_t n)
{
	__u32 class = intern(&c->classes, rules, n * sizeof(*rules));

	if (class == c->span_of.n)
		*list_add(&c->span_of) = 0;
	return class;
}

static __u32 insert_rule(struct compiler *c, __u32 class, __u16 rule)
{
	size_t len, n, at = 0;
	const __u16 *old = interned(&c->classes, class, &len);
	__u16 *rules = mem_alloc(len / sizeof(*old) + 1, sizeof(*rules));

	n = len / sizeof(*old);
	while (at < n && old[at] < rule)
		at++;
	if (at == n || old[at] != rule) {
		memcpy(rules, old, at * sizeof(*old));
		rules[at] = rule;
		memcpy(rules + at + 1, old + at, (n - at) * sizeof(*old));
		class = class_number(c, rules, n + 1);
	}
	free(rules);
	return class;
}

/* The class with one rule more; remembered, for a list of a million prefixes asks a million times. */
static __u32 join(struct compiler *c, __u32 class, __u32 rule)
{
	__u32 key[2] = { class, rule }, number;

	if (rule == NO_RULE)
		return class;
	number = intern(&c->joins, key, sizeof(key));
	if (number == c->joined.n) {
		__u32 result = insert_rule(c, class, rule);

		*list_add(&c->joined) = result;
	}
	return c->joined.v[number];
}

static int ascending(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

/* Services at which the answer may change: where a protocol or a range of ports begins, or has ended. */
static size_t cuts_of(const struct compiler *c, const __u16 *rules, size_t n, __u32 **out)
{
	LIST(__u32) cuts = { 0 };
	size_t unique = 0;

	for (__u32 proto = 0; proto < SW_PROTOS; proto++) {
		*list_add(&cuts) = SW_SERVICE(proto, 0);
		for (size_t i = 0; i < n; i++) {
			const struct rule *rule = &c->policy->rules.v[rules[i]];

			for (size_t j = 0; j < rule->ports.n; j++) {
				*list_add(&cuts) = SW_SERVICE(proto, rule->ports.v[j].first);
				*list_add(&cuts) = SW_SERVICE(proto, 0) + rule->ports.v[j].last + 1;
			}
		}
	}
	qsort(cuts.v, cuts.n, sizeof(*cuts.v), ascending);
	for (size_t i = 0; i < cuts.n && cuts.v[i] < SW_SERVICES; i++)
		if (!unique || cuts.v[i] != cuts.v[unique - 1])
			cuts.v[unique++] = cuts.v[i];
	*out = cuts.v;
	return unique;
}

/* The services between two cuts are a cell, all answered alike: by the first rule that takes it. */
struct cells {
	__u32 *cut; /* where each begins */
	size_t n;
	__u16 *rule;
	__u32 *next; /* itself while the cell is free, else one behind it; followed to the next free one */
};

static __u32 free_cell(struct cells *cells, __u32 cell)
{
	while (cells->next[cell] != cell)
		cell = cells->next[cell] = cells->next[cells->next[cell]];
	return cell;
}

/* The cell that begins at the service, which is a cut. */
static __u32 cell_at(const struct cells *cells, __u32 service)
{
	const __u32 *cut = bsearch(&service, cells->cut, cells->n, sizeof(*cut), ascending);

	return cut - cells->cut;
}

/* Each cell is taken once, so that a long list of ports costs no more than sorting it. */
static void take(struct cells *cells, __u16 rule, __u32 first, __u32 end)
{
	for (__u32 at = free_cell(cells, cell_at(cells, first)); at < cells->n && cells->cut[at] < end;
	     at = free_cell(cells, at)) {
		cells->rule[at] = rule;
		cells->next[at] = at + 1;
	}
}

static void take_rule(struct cells *cells, const struct rule *rule, __u16 number)
{
	for (__u32 proto = 0; proto < SW_PROTOS; proto++) {
		__u32 zero = SW_SERVICE(proto, 0);

		if (rule->protos && !(rule->protos & 1U << proto))
			continue;
		if (!rule->ports.n)
			take(cells, number, zero, zero + 65536);
		for (size_t i = 0; i < rule->ports.n; i++)
			take(cells, number, zero + rule->ports.v[i].first, zero + rule->ports.v[i].last + 1);
	}
}

/* The cells of the class's rules, each with the rule that answers. */
static struct cells cells_of(const struct compiler *c, const __u16 *rules, size_t n)
{
	struct cells cells;

	cells.n = cuts_of(c, rules, n, &cells.cut);
	cells.rule = mem_alloc(cells.n, sizeof(*cells.rule));
	cells.next = mem_alloc(cells.n + 1, sizeof(*cells.next));
	for (size_t i = 0; i <= cells.n; i++)
		cells.next[i] = i;
	for (size_t i = 0; i < cells.n; i++)
		cells.rule[i] = SW_RULE_DEFAULT;
	for (size_t i = 0; i < n; i++)
		take_rule(&cells, &c->policy->rules.v[rules[i]], rules[i]);
	return cells;
}

static void cells_free(struct cells *cells)
{
	free(cells->cut);
	free(cells->rule);
	free(cells->next);
}

static bool rule_allows(const struct policy *policy, __u16 rule)
{
	return rule == SW_RULE_DEFAULT ? policy->default_allow : policy->rules.v[rule].allow;
}

static bool rule_exempts(const struct policy *policy, __u16 rule)
{
	return rule != SW_RULE_DEFAULT && policy->rules.v[rule].exempt;
}

/* The number of the class's spans. */
static __u32 spans_of(struct compiler *c, __u32 class)
{
	size_t len;
	const __u16 *rules = interned(&c->classes, class, &len);
	LIST(struct sw_span) spans = { 0 };
	struct cells cells;

	if (c->span_of.v[class])
		return c->span_of.v[class] - 1;
	cells = cells_of(c, rules, len / sizeof(*rules));
	for (size_t i = 0; i < cells.n; i++) {
		if (i && cells.rule[i] == cells.rule[i - 1])
			continue;
		*list_add(&spans) = (struct sw_span){
			.first = cells.cut[i],
			.rule = cells.rule[i],
			.allow = rule_allows(c->policy, cells.rule[i]),
			.billing = rule_exempts(c->policy, cells.rule[i]) ? SW_EXEMPT : SW_BILLABLE,
		};
	}
	c->span_of.v[class] = intern(&c->spans, spans.v, spans.n * sizeof(*spans.v)) + 1;
	free(spans.v);
	cells_free(&cells);
	return c->span_of.v[class] - 1;
}

static void gather(struct compiler *c)
{
	*list_add(&c->items) = (struct item){ all, NO_RULE };
	*list_add(&c->items) = (struct item){ ipv4, NO_RULE };
	c->everything = class_number(c, NULL, 0);
	for (size_t r = 0; r < c->policy->rules.n; r++) {
		const struct rule *rule = &c->policy->rules.v[r];

		if (!rule->nets.n && !rule->names.n)
			c->everything = join(c, c->everything, r);
		for (size_t i = 0; i < rule->nets.n; i++) {
			const struct prefixes *set = &rule->nets.v[i].prefixes;

			for (size_t j = 0; j < set->n; j++)
				*list_add(&c->items) = (struct item){ set->v[j], r };
		}
	}
	qsort(c->items.v, c->items.n, sizeof(*c->items.v), prefix_order); /* the prefix comes first in an item */
}

/* What encloses the prefix at hand. */
struct level {
	struct sw_prefix prefix;
	__u32 class, entry;
};

static void add_entry(struct compiler *c, const struct sw_prefix *prefix, __u32 class, struct level *level,
		      const struct level *parent)
{
	__u32 spans = spans_of(c, class);

	*level = (struct level){ .prefix = *prefix, .class = class };
	if (parent && spans == spans_of(c, parent->class)) {
		level->entry = parent->entry;
		return;
	}
	level->entry = c->image->entries.n;
	*list_add(&c->image->entries) = (struct entry){
		.prefix = *prefix,
		.class = {
			.span = c->spans.items.v[spans].at / sizeof(struct sw_span),
			.count = c->spans.items.v[spans].len / sizeof(struct sw_span),
		},
		.parent = parent ? parent->entry : 0,
	};
}

static void walk(struct compiler *c)
{
	struct level stack[129];
	int depth = 0;

	for (size_t i = 0, j; i < c->items.n; i = j) {
		const struct sw_prefix *prefix = &c->items.v[i].prefix;
		__u32 class;

		while (depth && !prefix_covers(&stack[depth - 1].prefix, &prefix->addr))
			depth--;
		class = !depth || !prefix_order(prefix, &ipv4) ? c->everything : stack[depth - 1].class;
		for (j = i; j < c->items.n && !prefix_order(&c->items.v[j], prefix); j++)
			class = join(c, class, c->items.v[j].rule);
		add_entry(c, prefix, class, &stack[depth], depth ? &stack[depth - 1] : NULL);
		depth++;
	}
}

static void add_texts(struct compiler *c)
{
	for (size_t i = 0; i < c->policy->rules.n; i++) {
		struct sw_text *text = list_add(&c->image->texts);
		char *full = NULL;
		size_t len;
		FILE *out = open_memstream(&full, &len);

		if (!out)
			abort();
		rule_print(&c->policy->rules.v[i], out);
		fclose(out);
		text->line = c->policy->rules.v[i].line;
		text->allow = c->policy->rules.v[i].allow;
		memcpy(text->text, full, len < SW_TEXT_MAX ? len : SW_TEXT_MAX - 1);
		if (len >= SW_TEXT_MAX)
			memcpy(text->text + SW_TEXT_MAX - 4, "...", 4);
		free(full);
	}
}

/* Mocks first, as in the canonical text, so that a policy and its canonical text give one image. */
static void add_options(struct compiler *c, __u8 pass)
{
	for (size_t i = 0; i < c->policy->options.n; i++)
		if (c->policy->options.v[i].option.pass == pass)
			*list_add(&c->image->options) = c->policy->options.v[i];
}

static void add_settings(struct compiler *c)
{
	const struct policy *policy = c->policy;

	c->image->settings = (struct sw_settings){
		.protocols = policy->protocols,
		.idle_timeout = policy->idle_timeout,
		.rules = policy->rules.n,
		.listen = policy->listen,
		.bind = policy->bind,
		.transfer = policy->transfer,
		.revoke = policy->revoke,
		.audit = policy->audit,
		.options = policy->other_options,
		.allow = policy->default_allow,
		.budget = policy->budget,
		.budget_period = policy->budget_period,
		.budget_log = policy->budget_log,
	};
	memcpy(c->image->settings.policy, policy->name, sizeof(policy->name));
	add_options(c, 0);
	add_options(c, 1);
}

static void add_hash(struct image *image)
{
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, &image->settings, sizeof(image->settings));
	sha256_add(&sha, image->texts.v, image->texts.n * sizeof(*image->texts.v));
	sha256_add(&sha, image->entries.v, image->entries.n * sizeof(*image->entries.v));
	sha256_add(&sha, image->spans.v, image->spans.n * sizeof(*image->spans.v));
	sha256_add(&sha, image->options.v, image->options.n * sizeof(*image->options.v));
	sha256_end(&sha, image->settings.hash);
}

struct image *compile(const struct policy *policy)
{
	struct compiler c = { .policy = policy, .image = mem_alloc(1, sizeof(*c.image)) };

	gather(&c);
	walk(&c);
	c.image->spans.n = c.image->spans.room = c.spans.used / sizeof(struct sw_span);
	c.image->spans.v = (struct sw_span *)c.spans.pool;
	c.spans.pool = NULL;
	add_texts(&c);
	add_settings(&c);
	add_hash(c.image);
	intern_free(&c.classes);
	intern_free(&c.spans);
	intern_free(&c.joins);
	free(c.span_of.v);
	free(c.joined.v);
	free(c.items.v);
	return c.image;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	free(image->texts.v);
	free(image->entries.v);
	free(image->spans.v);
	free(image->options.v);
	free(image);
}
