// SPDX-License-Identifier: GPL-2.0-only
/*
 * From ordered rules to longest-prefix entries.
 *
 * What a set of rules answers is a list of spans: for every service the first rule that matches, hence the one with
 * the smallest number. Different lists are numbered: a "class". The answer of two sets of rules together is the
 * smaller of the two numbers, service by service; so classes are joined without a look at the rules.
 *
 * What rules name, a list of prefixes or one, is a term. Its rules are made into a class once. Then the prefixes of
 * all terms are sorted, so that each comes right behind those around it, and walked once with a stack of the
 * enclosing ones: the class of a prefix is that of the prefix around it joined with those of its terms. A prefix
 * whose class is that of the prefix around it says nothing new and is dropped.
 *
 * What rules with names may open is found elsewhere, address by address; the spans only say where to ask
 * (compile_names.c).
 *
 * IPv4 lives at ::ffff:0:0/96 and must not inherit what a policy says of IPv6 prefixes that happen to
 * enclose it (::/0, most of all): there the inheritance starts again, from the rules that name no prefix.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "rule_text.h"
#include "sha256.h"
#include "table.h"

static const struct sw_prefix all = { .len = 0 };
static const struct sw_prefix ipv4 = { .len = SW_V4_BITS, .addr.b = { [10] = 0xff, [11] = 0xff } };

bool may_go_on(struct compiler *c, size_t steps)
{
	c->steps += steps;
	return c->steps <= SW_STEPS_MAX && c->classes.used <= SW_SPANS_MAX * sizeof(struct sw_span);
}

const struct sw_span *spans_of(const struct compiler *c, __u32 class, size_t *n)
{
	const struct sw_span *spans = interned(&c->classes, class, n);

	*n /= sizeof(*spans);
	return spans;
}

void draft_add(struct draft *draft, struct sw_span span, __u32 first)
{
	const struct sw_span *last = draft->n ? &draft->v[draft->n - 1] : NULL;

	span.first = first;
	if (!last || last->rule != span.rule || last->answer != span.answer)
		draft->v[draft->n++] = span;
}

static __u32 draft_end(struct compiler *c, struct draft *draft)
{
	__u32 class = intern(&c->classes, draft->v, draft->n * sizeof(*draft->v));

	free(draft->v);
	return class;
}

/* Service by service the smaller rule. */
static __u32 merge(struct compiler *c, __u32 one, __u32 other)
{
	size_t n, m, i = 0, j = 0;
	const struct sw_span *a = spans_of(c, one, &n), *b = spans_of(c, other, &m);
	struct draft draft = { 0 };

	if (!may_go_on(c, n + m))
		return one;
	draft.v = mem_alloc(n + m, sizeof(*draft.v));
	for (__u32 at = 0; at < SW_SERVICES;) {
		__u32 end_a = i + 1 < n ? a[i + 1].first : SW_SERVICES,
		      end_b = j + 1 < m ? b[j + 1].first : SW_SERVICES;

		draft_add(&draft, a[i].rule <= b[j].rule ? a[i] : b[j], at);
		at = end_a < end_b ? end_a : end_b;
		i += end_a == at;
		j += end_b == at;
	}
	return draft_end(c, &draft);
}

/* Remembered, for a list of a million prefixes asks a million times. */
static __u32 join(struct compiler *c, __u32 one, __u32 other)
{
	__u32 key[2] = { one, other }, number;

	if (one == other || other == c->nothing)
		return one;
	number = intern(&c->joins, key, sizeof(key));
	if (number == c->joined.n) {
		__u32 result = merge(c, one, other);

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
	__u32 *cut;     /* where each begins */
	size_t n, left; /* all, and those that are free */
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
		cells->left--;
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

	cells.n = cells.left = cuts_of(c, rules, n, &cells.cut);
	cells.rule = mem_alloc(cells.n, sizeof(*cells.rule));
	cells.next = mem_alloc(cells.n + 1, sizeof(*cells.next));
	for (size_t i = 0; i <= cells.n; i++)
		cells.next[i] = i;
	for (size_t i = 0; i < cells.n; i++)
		cells.rule[i] = SW_RULE_DEFAULT;
	for (size_t i = 0; i < n && cells.left; i++)
		take_rule(&cells, &c->policy->rules.v[rules[i]], rules[i]);
	return cells;
}

static void cells_free(struct cells *cells)
{
	free(cells->cut);
	free(cells->rule);
	free(cells->next);
}

static __u8 answer_of(const struct policy *policy, __u16 number)
{
	const struct rule *rule = number == SW_RULE_DEFAULT ? NULL : &policy->rules.v[number];
	bool allow = rule ? rule->allow : policy->default_allow;

	return (allow ? SW_ANSWER_ALLOW : 0) | (rule && rule->private ? SW_ANSWER_PRIVATE : 0);
}

static bool rule_exempts(const struct policy *policy, __u16 rule)
{
	return rule != SW_RULE_DEFAULT && policy->rules.v[rule].exempt;
}

/* Sorting a cut, and looking for it again, is worth so many steps through spans. */
#define PORT_STEPS 64

static size_t ports_of(const struct compiler *c, const __u16 *rules, size_t n)
{
	size_t ports = n;

	for (size_t i = 0; i < n; i++)
		ports += c->policy->rules.v[rules[i]].ports.n;
	return ports;
}

/* The class of some rules, which ascend. */
__u32 class_of(struct compiler *c, const __u16 *rules, size_t n)
{
	struct draft draft = { 0 };
	struct cells cells;

	if (!may_go_on(c, ports_of(c, rules, n) * PORT_STEPS))
		return c->nothing;
	cells = cells_of(c, rules, n);
	draft.v = mem_alloc(cells.n, sizeof(*draft.v));
	for (size_t i = 0; i < cells.n; i++) {
		struct sw_span span = {
			.rule = cells.rule[i],
			.answer = answer_of(c->policy, cells.rule[i]),
			.billing = rule_exempts(c->policy, cells.rule[i]) ? SW_EXEMPT : SW_BILLABLE,
		};

		draft_add(&draft, span, cells.cut[i]);
	}
	cells_free(&cells);
	return draft_end(c, &draft);
}

/* Which rules name a term, for all terms: those of term t are rules[start[t]] up to rules[start[t + 1]]. */
struct naming {
	__u32 *start;
	__u16 *rules;
};

static struct naming naming_of(const struct policy *policy)
{
	struct naming by = { .start = mem_alloc(policy->terms.n + 2, sizeof(*by.start)) };

	for (size_t r = 0; r < policy->rules.n; r++)
		for (size_t i = 0; i < policy->rules.v[r].nets.n; i++)
			by.start[policy->rules.v[r].nets.v[i] + 2]++;
	for (size_t t = 0; t < policy->terms.n; t++)
		by.start[t + 2] += by.start[t + 1];
	by.rules = mem_alloc(by.start[policy->terms.n + 1], sizeof(*by.rules));
	for (size_t r = 0; r < policy->rules.n; r++)
		for (size_t i = 0; i < policy->rules.v[r].nets.n; i++)
			by.rules[by.start[policy->rules.v[r].nets.v[i] + 1]++] = r;
	return by;
}

/* The items of all terms. Terms that are named by the same rules have one class, made once. */
static void gather_terms(struct compiler *c)
{
	struct naming by = naming_of(c->policy);
	struct intern groups = { 0 };
	__u32 *classes = mem_alloc(c->policy->terms.n, sizeof(*classes)), made = 0; /* by group */

	for (size_t t = 0; t < c->policy->terms.n; t++) {
		const struct prefixes *set = &c->policy->terms.v[t].prefixes;
		const __u16 *rules = by.rules + by.start[t];
		size_t n = by.start[t + 1] - by.start[t];
		__u32 group = intern(&groups, rules, n * sizeof(*rules));

		if (group == made)
			classes[made++] = class_of(c, rules, n);
		for (size_t i = 0; i < set->n; i++)
			*list_add(&c->items) = (struct item){ .prefix = set->v[i], .class = classes[group] };
	}
	free(by.start);
	free(by.rules);
	free(classes);
	intern_free(&groups);
}

static void gather(struct compiler *c)
{
	LIST(__u16) about_all = { 0 };

	for (size_t r = 0; r < c->policy->rules.n; r++)
		if (!c->policy->rules.v[r].nets.n && !c->policy->rules.v[r].names.n)
			*list_add(&about_all) = r;
	c->nothing = class_of(c, NULL, 0);
	c->everything = class_of(c, about_all.v, about_all.n);
	*list_add(&c->items) = (struct item){ .prefix = all, .class = c->nothing };
	*list_add(&c->items) = (struct item){ .prefix = ipv4, .class = c->nothing };
	gather_terms(c);
	gather_names(c);
	qsort(c->items.v, c->items.n, sizeof(*c->items.v), prefix_order); /* the prefix comes first in an item */
	free(about_all.v);
}

/* The class as the image has it: its spans go there with the first who needs them. */
struct sw_class class_in_image(struct compiler *c, __u32 class, enum kind kind)
{
	__u32 key = class * KINDS + kind;
	struct draft draft;

	while (c->span_of.n <= key)
		*list_add(&c->span_of) = (struct sw_class){ 0 };
	if (!c->span_of.v[key].count) {
		draft = spans_for(c, class, kind);
		c->span_of.v[key] = (struct sw_class){ .span = c->image->spans.n, .count = draft.n };
		for (size_t i = 0; i < draft.n; i++)
			*list_add(&c->image->spans) = draft.v[i];
		free(draft.v);
	}
	return c->span_of.v[key];
}

/* What encloses the prefix at hand. */
struct level {
	struct sw_prefix prefix;
	__u32 class, entry;
	enum kind kind;
};

/* Of `level` all but the entry is known. */
static void add_entry(struct compiler *c, struct level *level, const struct level *parent)
{
	if (parent && level->class == parent->class && level->kind == parent->kind) {
		level->entry = parent->entry;
		return;
	}
	level->entry = c->image->entries.n;
	*list_add(&c->image->entries) = (struct entry){
		.prefix = level->prefix,
		.class = class_in_image(c, level->class, level->kind),
		.parent = parent ? parent->entry : 0,
	};
}

static void walk(struct compiler *c)
{
	struct level stack[129];
	int depth = 0;

	for (size_t i = 0, j; i < c->items.n; i = j) {
		const struct sw_prefix *prefix = &c->items.v[i].prefix;
		struct level level = { .prefix = *prefix, .class = c->everything };

		while (depth && !prefix_covers(&stack[depth - 1].prefix, &prefix->addr))
			depth--;
		if (depth && prefix_order(prefix, &ipv4)) {
			level.class = stack[depth - 1].class;
			level.kind = stack[depth - 1].kind;
		}
		for (j = i; j < c->items.n && !prefix_order(&c->items.v[j], prefix); j++) {
			level.class = join(c, level.class, c->items.v[j].class);
			level.kind |= c->items.v[j].kind;
		}
		add_entry(c, &level, depth ? &stack[depth - 1] : NULL);
		stack[depth++] = level;
	}
}

static char *rule_printed(const struct policy *policy, const struct rule *rule)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	rule_print(policy, rule, out);
	fclose(out);
	return text;
}

static void add_texts(struct compiler *c)
{
	for (size_t i = 0; i < c->policy->rules.n; i++) {
		const struct rule *rule = &c->policy->rules.v[i];
		struct sw_text *text = list_add(&c->image->texts);
		char *printed = rule_printed(c->policy, rule), file[SW_NAME_MAX];

		origin_name(c->policy, rule->from, file);
		text->line = rule->from.line;
		text->allow = rule->allow;
		rule_pack(text->text, (const char *const[RULE_PARTS]){
					      [RULE_TEXT] = printed,
					      [RULE_FILE] = file,
					      [RULE_ID] = rule->id ? rule->id : "",
					      [RULE_DESCRIPTION] = rule->description ? rule->description : "",
				      });
		free(printed);
	}
}

/* Mocks first, as in the canonical text, so that a policy and its canonical text give one image. */
static void add_options(struct compiler *c, __u8 pass)
{
	for (size_t i = 0; i < c->policy->options.n; i++)
		if (c->policy->options.v[i].is.pass == pass)
			*list_add(&c->image->options) = c->policy->options.v[i].is;
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
		.named = policy_has_names(policy),
		.gate = policy->gate,
		.keep = policy->keep,
		.system_calls = policy->system_calls,
		.user_namespaces = policy->user_namespaces,
		.unix_others = policy->unix_others,
	};
	memcpy(c->image->settings.policy, policy->name, sizeof(policy->name));
	add_options(c, 0);
	add_options(c, 1);
	add_unix(c);
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
	sha256_add(&sha, image->paths.v, image->paths.n * sizeof(*image->paths.v));
	for (size_t i = 0; i < image->patterns.n; i++) {
		sha256_add(&sha, image->patterns.v[i].text, strlen(image->patterns.v[i].text) + 1);
		sha256_add(&sha, &image->patterns.v[i].class, sizeof(image->patterns.v[i].class));
		sha256_add(&sha, &image->patterns.v[i].opens, sizeof(image->patterns.v[i].opens));
	}
	sha256_end(&sha, image->settings.hash);
}

struct image *compile(const struct policy *policy, struct diags *diags)
{
	struct compiler c = { .policy = policy, .image = mem_alloc(1, sizeof(*c.image)) };

	gather(&c);
	walk(&c);
	add_patterns(&c);
	if (may_go_on(&c, 0)) {
		add_texts(&c);
		add_settings(&c);
		table_lay_out(c.image);
		add_hash(c.image);
		if (diags)
			note_names(&c, diags);
	} else {
		diag_error(
			diags, &(struct place){ .file = policy->name },
			"its rules overlap in too many ways: write fewer ports, or fewer prefixes inside others that "
			"differ in their rules");
		image_free(c.image);
		c.image = NULL;
	}
	intern_free(&c.classes);
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
	free(image->paths.v);
	for (size_t i = 0; i < image->patterns.n; i++)
		free(image->patterns.v[i].text);
	free(image->patterns.v);
	free(image);
}
