// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules with names. Which addresses they open is not known when a policy is compiled: that is learned from answers, and
 * kept by the number of a pattern. So the image has two things for them.
 *
 * A pattern has a class, of all rules whose patterns cover it: those of *.example.com are also of smtp.example.com's.
 * The most specific pattern that a name falls under thus says all that the name may open.
 *
 * And the spans of addresses say where a rule with a name comes before the rule that decides. Only there the kernel
 * asks what was learned. Of special-purpose addresses only rules count that say `private: allow`: an answer that gives
 * such an address opens nothing, whoever made it up.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "sets.h"

#define DNS_PORT 53

/* What is found at a service, in spans that are gone through in order. */
struct track {
	const struct sw_span *spans;
	size_t n, i;
};

static struct track track_of(const struct compiler *c, __u32 class)
{
	struct track track = { 0 };

	track.spans = spans_of(c, class, &track.n);
	return track;
}

static __u32 track_end(const struct track *track)
{
	return track->i + 1 < track->n ? track->spans[track->i + 1].first : SW_SERVICES;
}

static bool is_dns(__u32 service)
{
	return (service & 0xffff) == DNS_PORT;
}

/* Where the answer to what is_dns() asks may change, beyond `service`. */
static __u32 dns_end(__u32 service)
{
	__u32 zero = service & ~0xffffU, port = service & 0xffff;

	return zero + (port < DNS_PORT ? DNS_PORT : port == DNS_PORT ? DNS_PORT + 1 : 0x10000);
}

static __u32 least(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

static struct sw_span span_for(struct sw_span span, const struct sw_span *named, __u32 service, enum kind kind,
			       bool gate)
{
	bool dns = is_dns(service) && span.answer & SW_ANSWER_ALLOW;

	if (kind & KIND_PRIVATE)
		span.answer |= SW_ANSWER_PRIVATE;
	if (named->rule < span.rule)
		span.answer |= SW_ANSWER_NAMED;
	if (dns && kind & KIND_RESOLVER)
		span.answer |= SW_ANSWER_RESOLVER;
	if (dns && gate)
		span.answer |= SW_ANSWER_GATED;
	return span;
}

static void mark_class(struct draft *draft)
{
	for (size_t i = 0; i < draft->n; i++)
		if (draft->v[i].answer & SW_ANSWER_NAMED)
			draft->v[0].answer |= SW_ANSWER_CLASS;
}

struct draft spans_for(const struct compiler *c, __u32 class, enum kind kind)
{
	struct track rules = track_of(c, class), names = track_of(c, kind & KIND_PATTERN   ? c->nothing
								     : kind & KIND_PRIVATE ? c->named_private
											   : c->named);
	bool gate = c->policy->gate;
	struct draft draft = { .v = mem_alloc(rules.n + names.n + 3UL * SW_PROTOS, sizeof(*draft.v)) };

	for (__u32 at = 0; at < SW_SERVICES;) {
		__u32 end = least(track_end(&rules), track_end(&names));

		if (gate || kind & KIND_RESOLVER)
			end = least(end, dns_end(at));
		draft_add(&draft, span_for(rules.spans[rules.i], &names.spans[names.i], at, kind, gate), at);
		at = end;
		rules.i += track_end(&rules) == at;
		names.i += track_end(&names) == at;
	}
	mark_class(&draft);
	return draft;
}

bool policy_has_names(const struct policy *policy)
{
	for (size_t r = 0; r < policy->rules.n; r++)
		if (policy->rules.v[r].names.n)
			return true;
	return policy->gate;
}

static void add_items(struct compiler *c, const struct prefixes *set, enum kind kind)
{
	for (size_t i = 0; i < set->n; i++)
		*list_add(&c->items) = (struct item){ .prefix = set->v[i], .class = c->nothing, .kind = kind };
}

void gather_names(struct compiler *c)
{
	LIST(__u16) named = { 0 }, private = { 0 };
	struct prefixes special = { 0 };

	for (size_t r = 0; r < c->policy->rules.n; r++) {
		if (!c->policy->rules.v[r].names.n)
			continue;
		*list_add(&named) = r;
		if (c->policy->rules.v[r].private)
			*list_add(&private) = r;
	}
	c->named = class_of(c, named.v, named.n);
	c->named_private = class_of(c, private.v, private.n);
	if (policy_has_names(c->policy)) {
		set_find(SET_SPECIAL, &special);
		add_items(c, &special, KIND_PRIVATE);
		for (size_t i = 0; i < c->policy->resolvers.n; i++)
			add_items(c, &c->policy->terms.v[c->policy->resolvers.v[i]].prefixes, KIND_RESOLVER);
	}
	prefixes_free(&special);
	free(named.v);
	free(private.v);
}

/* ---- patterns -------------------------------------------------------------------------------------------- */

/* The texts of all patterns, and which rules have each: by the number of the text. */
struct patterns {
	struct intern texts;
	LIST(struct numbers { LIST(__u16) of; }) rules;
};

static struct numbers *rules_with(struct patterns *patterns, const char *text)
{
	__u32 number = intern(&patterns->texts, text, strlen(text));

	if (number == patterns->rules.n)
		memset(list_add(&patterns->rules), 0, sizeof(*patterns->rules.v));
	return &patterns->rules.v[number];
}

static struct patterns patterns_of(const struct policy *policy)
{
	struct patterns patterns = { 0 };

	for (size_t r = 0; r < policy->rules.n; r++)
		for (size_t i = 0; i < policy->rules.v[r].names.n; i++)
			*list_add(&rules_with(&patterns, policy->rules.v[r].names.v[i])->of) = r;
	for (size_t i = 0; i < policy->search.n; i++) {
		char *below = mem_printf("*.%s", policy->search.v[i]);

		rules_with(&patterns, below);
		free(below);
	}
	return patterns;
}

static void patterns_free(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->rules.n; i++)
		free(patterns->rules.v[i].of.v);
	free(patterns->rules.v);
	intern_free(&patterns->texts);
}

/* A bit for each rule: those with a pattern that covers this one. Their numbers, ascending, in `out`. */
static size_t covering(struct patterns *patterns, const char *text, size_t known, bool *has, __u16 *out, size_t max)
{
	char wild[SW_DOMAIN_MAX];
	size_t n = 0;

	memset(has, 0, max * sizeof(*has));
	for (const char *at = text; at; at = strchr(*at == '*' ? at + 2 : at, '.'), at = at ? at + 1 : NULL) {
		const struct numbers *rules;
		__u32 number;

		snprintf(wild, sizeof(wild), "%s%s", at == text ? "" : "*.", at);
		number = intern(&patterns->texts, wild, strlen(wild));
		rules = number < known ? &patterns->rules.v[number] : NULL;
		for (size_t i = 0; rules && i < rules->of.n; i++)
			has[rules->of.v[i]] = true;
	}
	for (size_t r = 0; r < max; r++)
		if (has[r])
			out[n++] = r;
	return n;
}

void add_patterns(struct compiler *c)
{
	struct patterns patterns = patterns_of(c->policy);
	size_t known = patterns.rules.n, max = c->policy->rules.n, len;
	bool *has = mem_alloc(max + 1, sizeof(*has));
	__u16 *rules = mem_alloc(max + 1, sizeof(*rules));

	for (size_t i = 0; i < known && may_go_on(c, max); i++) {
		const char *text = interned(&patterns.texts, i, &len);
		char *copy = mem_strndup(text, len);
		size_t n = covering(&patterns, copy, known, has, rules, max);

		*list_add(&c->image->patterns) = (struct name_pattern){
			.text = copy,
			.class = class_in_image(c, class_of(c, rules, n), KIND_PATTERN),
			.opens = n > 0,
		};
	}
	free(has);
	free(rules);
	patterns_free(&patterns);
}

/* ---- notes ----------------------------------------------------------------------------------------------- */

static bool believes_somebody(const struct image *image)
{
	for (size_t i = 0; i < image->spans.n; i++)
		if (image->spans.v[i].answer & SW_ANSWER_RESOLVER)
			return true;
	return false;
}

/* From service `first` to `last` a rule before `r` decides for all addresses. */
static bool decided_before(const struct compiler *c, size_t r, __u32 first, __u32 last)
{
	struct track track = track_of(c, c->everything);

	for (; track.i < track.n && track.spans[track.i].first <= last; track.i++)
		if (track_end(&track) > first && track.spans[track.i].rule > r)
			return false;
	return true;
}

/* No name of the rule opens anything, whatever its address. */
static bool comes_too_late(struct compiler *c, size_t r)
{
	const struct rule *rule = &c->policy->rules.v[r];
	size_t n = track_of(c, c->everything).n;
	bool late = may_go_on(c, n * (rule->ports.n + 1)); /* else there is too much to look at for a note */

	for (__u32 proto = 0; proto < SW_PROTOS && late; proto++) {
		__u32 zero = SW_SERVICE(proto, 0);

		if (rule->protos && !(rule->protos & 1U << proto))
			continue;
		if (!rule->ports.n)
			late = decided_before(c, r, zero, zero + 65535);
		for (size_t i = 0; i < rule->ports.n && late; i++)
			late = decided_before(c, r, zero + rule->ports.v[i].first, zero + rule->ports.v[i].last);
	}
	return late;
}

static void note_late(const struct policy *policy, size_t r, struct diags *diags)
{
	struct origin from = policy->rules.v[r].from;
	char file[SW_NAME_MAX];

	origin_name(policy, from, file);
	diag_note(diags, &(struct place){ .file = policy->name },
		  "rule %zu, line %u%s%s, opens nothing: rules before it decide on all its ports, whatever the address",
		  r + 1, from.line, *file ? " of " : "", file);
}

void note_names(struct compiler *c, struct diags *diags)
{
	const struct policy *policy = c->policy;
	struct place place = { .file = policy->name };
	bool opens = false;

	for (size_t r = 0; r < policy->rules.n; r++) {
		opens |= policy->rules.v[r].names.n > 0;
		if (policy->rules.v[r].names.n && comes_too_late(c, r))
			note_late(policy, r, diags);
	}
	if (opens && !believes_somebody(c->image))
		diag_note(diags, &place,
			  "no rule with a name opens anything: of the name servers whose answers are believed none is "
			  "allowed: write '- allow: {net: resolvers, port: 53}', or say by 'resolvers' who they are");
	if (policy->gate && !opens)
		diag_note(diags, &place, "gate: dns, and no rule has a name: no name can be asked for");
}
