// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: property [FLOWS [SEED]]. Random policies, compiled and asked about flows at their edges: the verdict
 * and the rule must be those of a plain reading of the policy (naive.h). What image_diff() says of two of
 * them must be what differs, all of it and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>

#include "generate.h"
#include "naive.h"

#define FLOWS           3000000
#define SEED            20240425
#define FLOWS_A_POLICY  500
#define POLICIES_A_DIFF 8 /* one policy in so many is compared with another */

static int number, failures;

/* One test, reported once: at its first failure, or at the end. */
static void report(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, name);
	failures += !good;
}

static void show(const struct policy *policy, const struct image *image)
{
	char *text = NULL, *save;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	policy_print(policy, out);
	image_print(image, out);
	fclose(out);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("# %s\n", line);
	free(text);
}

static void show_flow(const struct policy *policy, const struct image *image, const struct sw_flow *flow,
		      const char *name)
{
	struct sw_verdict want = naive_decide(policy, flow, name), have = naive_ask(image, flow, name);
	char peer[SW_ADDR_TEXT];

	show(policy, image);
	printf("# proto %u, %s of %s, port %u: %s by rule %u, and should be %s by rule %u\n", flow->proto,
	       addr_format(&flow->peer, peer), name ? name : "no name", flow->port, have.allow ? "allowed" : "denied",
	       have.rule, want.allow ? "allowed" : "denied", want.rule);
	printf("# believed %u, by pattern %u, and should be %u, %u\n", have.resolver, have.pattern, want.resolver,
	       want.pattern);
}

static bool check_flows(struct draw *draw, const struct policy *policy, const struct image *image, size_t flows)
{
	for (size_t i = 0; i < flows; i++) {
		struct sw_flow flow = generate_flow(draw, policy);
		const char *name = draw_chance(draw, 60) ? generate_name(draw) : NULL;

		if (!naive_agrees(policy, image, &flow, name)) {
			show_flow(policy, image, &flow, name);
			return false;
		}
	}
	return true;
}

/* `name` as for naive_ask(). */
static const char *answer_to(const struct image *image, const struct sw_flow *flow, const char *name)
{
	struct sw_verdict verdict = naive_ask(image, flow, name);

	return !verdict.allow ? "deny" : verdict.billing == SW_EXEMPT ? "exempt" : "allow";
}

static const char *answer(const struct image *image, const struct sw_flow *flow)
{
	return answer_to(image, flow, NULL);
}

/* ---- image_diff() ------------------------------------------------------------------------------- */

static struct rule rule_copy(const struct rule *from)
{
	struct rule rule = { .allow = from->allow,
			     .from = from->from,
			     .protos = from->protos,
			     .exempt = from->exempt,
			     .private = from->private };

	for (size_t i = 0; i < from->names.n; i++)
		*list_add(&rule.names) = mem_strdup(from->names.v[i]);
	for (size_t i = 0; i < from->ports.n; i++)
		*list_add(&rule.ports) = from->ports.v[i];
	for (size_t i = 0; i < from->nets.n; i++)
		*list_add(&rule.nets) = from->nets.v[i];
	return rule;
}

static struct net_term term_copy(const struct net_term *from)
{
	struct net_term term = { .text = mem_strdup(from->text), .literal = from->literal };

	for (size_t i = 0; i < from->prefixes.n; i++)
		*list_add(&term.prefixes) = from->prefixes.v[i];
	return term;
}

/* A prefix as its two halves: other entries, the same answers. */
static void split(struct prefixes *set, size_t at)
{
	struct sw_prefix half = set->v[at];

	if (half.len == 128)
		return;
	set->v[at].len++;
	half.addr.b[half.len / 8] |= 0x80 >> half.len % 8;
	half.len++;
	*list_add(set) = half;
}

/* The policy again, the same, nearly the same, or the same in other words. */
static struct policy *variant(struct draw *draw, const struct policy *from)
{
	struct policy *policy = mem_alloc(1, sizeof(*policy));
	struct rule *rule, late;

	*policy = *from;
	memset(&policy->rules, 0, sizeof(policy->rules));
	memset(&policy->terms, 0, sizeof(policy->terms));
	memset(&policy->search, 0, sizeof(policy->search));
	memset(&policy->resolvers, 0, sizeof(policy->resolvers));
	memset(&policy->paths, 0, sizeof(policy->paths));
	for (size_t i = 0; i < from->paths.n; i++)
		*list_add(&policy->paths) = from->paths.v[i];
	for (size_t i = 0; i < from->search.n; i++)
		*list_add(&policy->search) = mem_strdup(from->search.v[i]);
	for (size_t i = 0; i < from->resolvers.n; i++)
		*list_add(&policy->resolvers) = from->resolvers.v[i];
	for (size_t i = 0; i < from->terms.n; i++)
		*list_add(&policy->terms) = term_copy(&from->terms.v[i]);
	for (size_t i = 0; i < from->rules.n; i++)
		*list_add(&policy->rules) = rule_copy(&from->rules.v[i]);
	if (!policy->rules.n)
		return policy;
	rule = &policy->rules.v[draw_below(draw, policy->rules.n)];
	switch (draw_below(draw, 9)) {
	case 0: /* a rule that comes too late to say anything */
		late = rule_copy(rule);
		late.allow ^= !late.names.n;
		*list_add(&policy->rules) = late;
		break;
	case 1:
	case 2:
		for (size_t i = 0; i < rule->nets.n; i++) {
			struct prefixes *set = &policy->terms.v[rule->nets.v[i]].prefixes;

			split(set, draw_below(draw, set->n));
		}
		break;
	case 3:
		policy->default_allow ^= 1;
		break;
	case 4:
		rule->allow ^= !rule->names.n;
		break;
	case 7:
		late = *rule;
		*rule = policy->rules.v[0];
		policy->rules.v[0] = late;
		break;
	case 6:
		rule->private ^= rule->names.n > 0;
		break;
	case 5:
		rule->exempt ^= 1;
		break;
	default:
		if (rule->ports.n)
			rule->ports.v[0].last = rule->ports.v[0].first;
		else
			rule->protos = 1;
	}
	return policy;
}

/* The entry of either image that is most specific for the address. */
static struct sw_prefix most_specific(const struct image *const images[2], const struct sw_addr *addr)
{
	struct sw_prefix found = { 0 };

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < images[k]->entries.n; i++) {
			const struct sw_prefix *prefix = &images[k]->entries.v[i].prefix;

			if (prefix->len > found.len && prefix_covers(prefix, addr))
				found = *prefix;
		}
	return found;
}

/* An address that is decided at the prefix itself; false if those inside leave none. */
static bool address_at(const struct image *const images[2], const struct sw_prefix *prefix, struct sw_addr *out)
{
	*out = prefix->addr;
	for (int k = -1; k < 2; k++)
		for (size_t i = 0; i < (k < 0 ? 1 : images[k]->entries.n); i++) {
			struct sw_prefix found;

			if (k >= 0) {
				*out = prefix_last(&images[k]->entries.v[i].prefix);
				addr_step(out, 1);
			}
			found = most_specific(images, out);
			if (!prefix_order(&found, prefix))
				return true;
		}
	return false;
}

/* What names that the pattern covers may open, in the words of image_diff(). */
static const char *opens(const struct image *image, const char *pattern, __u32 service)
{
	size_t at = image_pattern(image, pattern);
	const struct sw_span *span = at < image->patterns.n ? image_opens(image, at, service) : NULL;

	if (!span || span->rule == SW_RULE_DEFAULT)
		return "default";
	return span->billing == SW_EXEMPT         ? span->answer & SW_ANSWER_PRIVATE ? "exempt private" : "exempt"
	       : span->answer & SW_ANSWER_PRIVATE ? "allow private"
						  : "allow";
}

/* `said` is what the default says, too. */
static bool says(const char *said, const char *have)
{
	return !strcmp(said, have) || (!strcmp(have, "default") && !strcmp(said, "deny"));
}

static bool name_line_is_true(const struct image *const images[2], const char *line)
{
	char pattern[SW_DOMAIN_MAX], proto[8], after[24], before[24];
	unsigned first, last;

	if (sscanf(line, "name %255[^:]: %7s %u-%u: %23[a-z ], was %23[a-z ]", pattern, proto, &first, &last, after,
		   before) != 6) {
		if (sscanf(line, "name %255[^:]: %7s %u: %23[a-z ], was %23[a-z ]", pattern, proto, &first, after,
			   before) != 5)
			return false;
		last = first;
	}
	for (unsigned port = first; port <= last; port += last - first ? last - first : 1) {
		__u32 service = SW_SERVICE(strcmp(proto, "udp") ? SW_TCP : SW_UDP, port);

		if (!says(before, opens(images[0], pattern, service)) ||
		    !says(after, opens(images[1], pattern, service)))
			return false;
	}
	return true;
}

/* No name opens something else. */
static bool no_name_differs(const struct image *const images[2])
{
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < images[k]->patterns.n; i++)
			for (size_t s = 0; s < images[k]->spans.n; s++) {
				const char *pattern = images[k]->patterns.v[i].text;
				__u32 service = images[k]->spans.v[s].first;

				if (strcmp(opens(images[0], pattern, service), opens(images[1], pattern, service)))
					return false;
			}
	return true;
}

/* The line must name flows that the two images decide differently, as it says. */
static bool line_is_true(const struct image *const images[2], const char *line)
{
	char net[64], proto[8], after[8], before[8];
	unsigned first, last;
	struct sw_prefix prefix;
	struct sw_flow flow = { 0 };
	struct sw_addr inner;

	if (!strncmp(line, "rules in another order", strlen("rules in another order")))
		return images[0]->patterns.n && images[1]->patterns.n;
	if (!strncmp(line, "name ", 5))
		return name_line_is_true(images, line);
	if (sscanf(line, "%63s %7s %u-%u: %7[a-z], was %7s", net, proto, &first, &last, after, before) != 6) {
		if (sscanf(line, "%63s %7s %u: %7[a-z], was %7s", net, proto, &first, after, before) != 5)
			return false;
		last = first;
	}
	if (prefix_parse(net, &prefix) || !address_at(images, &prefix, &flow.peer))
		return false;
	if (naive_embedded(&flow.peer, &inner))
		return true; /* decided by the address inside, too */
	flow.proto = !strcmp(proto, "udp");
	for (unsigned port = first; port <= last; port += last - first ? last - first : 1) {
		flow.port = port;
		if (strcmp(answer(images[0], &flow), before) || strcmp(answer(images[1], &flow), after))
			return false;
	}
	return true;
}

/* Without a name, and with one of them. */
static bool same_for_names(const struct image *const images[2], const struct sw_flow *flow, size_t at)
{
	const char *name = generate_names[at % GENERATE_NAMES];

	return !strcmp(answer(images[0], flow), answer(images[1], flow)) &&
	       !strcmp(answer_to(images[0], flow, name), answer_to(images[1], flow, name));
}

/* No flow at any edge of either image is decided differently. */
static bool nothing_differs(const struct image *const images[2])
{
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < images[k]->entries.n; i++) {
			const struct sw_prefix *prefix = &images[k]->entries.v[i].prefix;
			struct sw_addr asked[4] = { prefix->addr, prefix_last(prefix), prefix->addr,
						    prefix_last(prefix) };

			addr_step(&asked[2], -1);
			addr_step(&asked[3], 1);
			for (int n = 0; n < 4; n++)
				for (size_t s = 0; s < images[k]->spans.n; s++) {
					__u32 service = images[k]->spans.v[s].first;
					struct sw_flow flow = { .peer = asked[n],
								.port = service,
								.proto = service >> 16 };

					if (!same_for_names(images, &flow, i + n + s))
						return false;
				}
		}
	return true;
}

static bool check_diff(const struct image *const images[2])
{
	char *text = NULL, *save;
	size_t len, lines;
	FILE *out = open_memstream(&text, &len);
	bool good;

	lines = image_diff(images[0], images[1], out);
	fclose(out);
	good = lines || (nothing_differs(images) && no_name_differs(images));
	if (!good)
		printf("# nothing is said to differ, but something does\n");
	for (char *line = strtok_r(text, "\n", &save); good && line; line = strtok_r(NULL, "\n", &save), lines--) {
		good = line_is_true(images, line);
		if (!good)
			printf("# not true: %s\n", line);
	}
	if (good && lines)
		printf("# the number of lines is wrong\n");
	free(text);
	return good && !lines;
}

static size_t diffs, empty_diffs;

static bool check_variant(struct draw *draw, const struct policy *policy, const struct image *image)
{
	struct policy *other = variant(draw, policy);
	const struct image *images[2] = { image, compile(other, NULL) };
	FILE *nowhere = fopen("/dev/null", "w");
	bool good = check_diff(images);

	diffs++;
	empty_diffs += !image_diff(images[0], images[1], nowhere);
	fclose(nowhere);
	if (!good) {
		show(policy, images[0]);
		show(other, images[1]);
	}
	image_free((struct image *)images[1]);
	policy_free(other);
	return good;
}

/* ------------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	const char *seed_text = argc > 2 ? argv[2] : getenv("PROPERTY_SEED");
	size_t flows = argc > 1 ? strtoul(argv[1], NULL, 10) : FLOWS, policies = 0, entries = 0;
	unsigned long seed = seed_text ? strtoul(seed_text, NULL, 10) : SEED;
	bool answers = true, sound = true, diff = true;

	printf("1..3\n# seed %lu\n", seed);
	fflush(stdout);
	for (size_t done = 0; done < flows && answers && sound && diff; done += FLOWS_A_POLICY, policies++) {
		struct draw draw = { .state = seed + policies * 0x9e3779b9UL };
		struct policy *policy = generate_policy(&draw);
		struct image *image = compile(policy, NULL);
		const char *flaw = image_flaw(image);

		entries += image->entries.n;
		if (flaw) {
			show(policy, image);
			printf("# %s\n", flaw);
		}
		sound = !flaw;
		answers = check_flows(&draw, policy, image, FLOWS_A_POLICY);
		if (policies % POLICIES_A_DIFF == 0)
			diff = check_variant(&draw, policy, image);
		image_free(image);
		policy_free(policy);
	}
	printf("# %zu policies, %zu entries, %zu flows, %zu differences, %zu of them none\n", policies, entries,
	       policies * FLOWS_A_POLICY, diffs, empty_diffs);
	report(answers, "an image answers as the rules do");
	report(sound, "an image is sorted, and says nothing twice");
	report(diff, "what differs is what is said to differ");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
