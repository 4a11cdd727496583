// SPDX-License-Identifier: GPL-2.0-only
/*
 * A name has no address until somebody asks for it. So of a policy is said which rule opens what an answer gives, and
 * what may come before that rule; of a tenant, what is open for it now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "explain.h"
#include "grants.h"
#include "named.h"
#include "names.h"
#include "plain.h"
#include "publish.h"
#include "rule_text.h"

#define DNS_PORT 53

/* ---- by a policy ------------------------------------------------------------------------------------------- */

struct by_name {
	const struct named_peer *peer;
	struct policy *policy;
	struct image *image;
	size_t pattern; /* the most specific that covers the name; policy's patterns.n: none */
	__u16 rule;     /* that decides, unless the address is of one before it that lists addresses */
	bool allow;
	bool spoken;          /* protocols has it */
	LIST(__u16) unless;   /* such rules */
	LIST(__u32) believed; /* terms of resolvers that are allowed */
};

static bool takes(const struct rule *rule, const struct sw_flow *flow)
{
	bool port = !rule->ports.n;

	for (size_t i = 0; i < rule->ports.n; i++)
		port |= flow->port >= rule->ports.v[i].first && flow->port <= rule->ports.v[i].last;
	return port && (!rule->protos || rule->protos & 1U << flow->proto);
}

/* The rule with a name comes from the image, as the kernel has it; those before it from the policy. */
static void find_rules(struct by_name *by)
{
	const struct sw_flow *flow = &by->peer->flow;
	__u16 named = SW_RULE_DEFAULT;

	if (by->pattern < by->image->patterns.n)
		named = image_opens(by->image, by->pattern, SW_SERVICE(flow->proto, flow->port))->rule;
	by->rule = named;
	for (size_t r = 0; r < by->policy->rules.n && r < named; r++) {
		const struct rule *rule = &by->policy->rules.v[r];

		if (rule->names.n || !takes(rule, flow))
			continue;
		if (!rule->nets.n) {
			by->rule = r;
			break;
		}
		*list_add(&by->unless) = r;
	}
	by->allow = by->rule == SW_RULE_DEFAULT ? by->policy->default_allow : by->policy->rules.v[by->rule].allow;
}

static bool term_is_believed(const struct by_name *by, const struct net_term *term)
{
	struct sw_flow flow = { .port = DNS_PORT };

	for (size_t i = 0; i < term->prefixes.n; i++) {
		flow.peer = term->prefixes.v[i].addr;
		for (flow.proto = 0; flow.proto < SW_PROTOS; flow.proto++)
			if (image_decide(by->image, &flow).resolver)
				return true;
	}
	return false;
}

static void find_resolvers(struct by_name *by)
{
	for (size_t i = 0; i < by->policy->resolvers.n; i++) {
		__u32 term = by->policy->resolvers.v[i];

		if (term_is_believed(by, &by->policy->terms.v[term]))
			*list_add(&by->believed) = term;
	}
}

static bool by_a_name(const struct by_name *by)
{
	return by->rule != SW_RULE_DEFAULT && by->policy->rules.v[by->rule].names.n;
}

/* What the answer to the question is: an address that is learned nowhere opens nothing. */
static bool is_allowed(const struct by_name *by)
{
	return by->spoken && by->allow && (!by_a_name(by) || by->believed.n);
}

static bool may_ask(const struct by_name *by)
{
	return !by->image->settings.gate || by->pattern < by->image->patterns.n;
}

static void print_rule(const struct by_name *by, __u16 rule, const char *before)
{
	char *told = rule_told(rule, by->policy->name, image_rule(by->image, rule));

	plain_line(stdout, "%s%s", before, told);
	free(told);
}

static void print_opened(const struct by_name *by)
{
	puts("  that is for addresses that the tenant is told when it asks for the name");
	printf("  answers are believed of");
	for (size_t i = 0; i < by->believed.n; i++)
		printf("%s %s", i ? "," : "", by->policy->terms.v[by->believed.v[i]].text);
	puts(by->believed.n ? "" : " nobody: no rule allows port 53 of a name server that 'resolvers' has");
	if (!by->policy->rules.v[by->rule].private)
		puts("  no special-purpose addresses (sockwarden ranges special): for these the rule needs private: "
		     "allow");
}

static void print_text(const struct by_name *by)
{
	const struct sw_flow *flow = &by->peer->flow;

	printf("%s  %s %s:%u\n", is_allowed(by) ? "allow" : "deny", proto_name(flow->proto), by->peer->name,
	       flow->port);
	if (!by->spoken) {
		printf("%s: %s\n", reason_name(SW_REASON_PROTOCOL), reason_help(SW_REASON_PROTOCOL));
		return;
	}
	if (by->rule == SW_RULE_DEFAULT)
		plain_line(stdout, "no rule of %s with this name, or without addresses, matches: its default",
			   by->policy->name);
	else
		print_rule(by, by->rule, "");
	if (by_a_name(by))
		print_opened(by);
	for (size_t i = 0; i < by->unless.n; i++)
		print_rule(by, by->unless.v[i], "  unless the address is one of ");
	if (!may_ask(by))
		puts("gate: dns, and no rule has the name: it cannot be asked for");
	if (by->image->settings.audit && !is_allowed(by))
		puts("the policy only audits: it would pass, and be logged");
}

static void json_rule(const struct by_name *by, __u16 rule, struct json *json)
{
	const struct sw_text *text = image_rule(by->image, rule);

	if (rule < SW_RULES_MAX)
		rule_json(rule, by->policy->name, text->line, text->text, json);
	else
		json_string(json, "text", text->text);
}

static void print_json(const struct by_name *by, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "verdict", is_allowed(by) ? "allow" : "deny");
	json_string(json, "protocol", proto_name(by->peer->flow.proto));
	json_string(json, "name", by->peer->name);
	json_number(json, "port", by->peer->flow.port);
	json_string(json, "policy", by->policy->name);
	json_rule(by, by->rule, json);
	json_string(json, "pattern",
		    by->pattern < by->image->patterns.n ? by->image->patterns.v[by->pattern].text : NULL);
	json_bool(json, "private", by_a_name(by) && by->policy->rules.v[by->rule].private);
	json_bool(json, "may_be_asked", may_ask(by));
	json_open(json, "unless", '[');
	for (size_t i = 0; i < by->unless.n; i++) {
		json_open(json, NULL, '{');
		json_rule(by, by->unless.v[i], json);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "believed", '[');
	for (size_t i = 0; i < by->believed.n; i++)
		json_string(json, NULL, by->policy->terms.v[by->believed.v[i]].text);
	json_close(json, ']');
	json_bool(json, "audit", by->image->settings.audit);
	json_close(json, '}');
	json_end(json);
}

int explain_name(struct cli *cli, const char *policy, const struct named_peer *peer)
{
	struct diags diags = { 0 };
	struct by_name by = { .peer = peer, .policy = policy_given(policy, &diags) };
	int status = EXIT_FAILED;

	by.image = by.policy ? compile(by.policy, &diags) : NULL;
	if (diags.errors)
		diags_print(&diags, stderr);
	if (by.image) {
		by.spoken = by.image->settings.protocols & 1U << peer->flow.proto;
		by.pattern = image_pattern(by.image, peer->name);
		find_rules(&by);
		find_resolvers(&by);
		if (cli_has(cli, OPTION_JSON))
			print_json(&by, &cli->json);
		else
			print_text(&by);
		status = is_allowed(&by) ? EXIT_OK : EXIT_DENIED;
	}
	free(by.unless.v);
	free(by.believed.v);
	image_free(by.image);
	policy_free(by.policy);
	diags_free(&diags);
	return status;
}

/* ---- by what is open now ----------------------------------------------------------------------------------- */

/* An address, and what the kernel's own tables say of it. */
struct open_now {
	const struct learned *learned;
	struct sw_verdict verdict;
};

struct now {
	const struct named_peer *peer;
	LIST(struct open_now) of;
	bool allow;
};

static bool covers(const char *pattern, const char *name)
{
	size_t end = strlen(pattern) - 1, len = strlen(name);

	return *pattern == '*' ? len > end && !strcmp(name + len - end, pattern + 1) : !strcmp(pattern, name);
}

static int ask_each(const struct host *host, const struct sw_tenant *tenant, const struct report *report,
		    struct now *now, struct fault *fault)
{
	int err = 0;

	for (size_t i = 0; i < report->learned.n && !err; i++) {
		struct sw_flow flow = now->peer->flow;
		struct open_now *one;

		if (!covers(report->learned.v[i].pattern, now->peer->name))
			continue;
		one = list_add(&now->of);
		one->learned = &report->learned.v[i];
		flow.peer = one->learned->addr;
		err = ask(host, tenant->image, tenant->tenancy, &flow, &one->verdict, fault);
		now->allow |= one->verdict.allow;
	}
	return err;
}

static void print_now(const struct now *now)
{
	char addr[SW_ADDR_TEXT];

	printf("%s  %s %s:%u\n", now->allow ? "allow" : "deny", proto_name(now->peer->flow.proto), now->peer->name,
	       now->peer->flow.port);
	if (!now->of.n)
		puts("nothing is open for the name now: the tenant has not asked for it, or that was too long ago");
	for (size_t i = 0; i < now->of.n; i++) {
		const struct learned *learned = now->of.v[i].learned;
		unsigned rule;
		char *by;

		rule = now->of.v[i].verdict.rule;
		by = rule < SW_RULES_MAX ? mem_printf(", rule %u", rule + 1) : mem_strdup("");
		plain_line(stdout, "  %s  %s: learned %us ago as %s, open for another %us%s",
			   now->of.v[i].verdict.allow ? "allow" : "deny ", addr_format(&learned->addr, addr),
			   learned->age, learned->asked, learned->left, by);
		free(by);
	}
}

static void json_now(const struct now *now, struct json *json)
{
	char addr[SW_ADDR_TEXT];

	json_open(json, NULL, '{');
	json_string(json, "verdict", now->allow ? "allow" : "deny");
	json_string(json, "protocol", proto_name(now->peer->flow.proto));
	json_string(json, "name", now->peer->name);
	json_number(json, "port", now->peer->flow.port);
	json_open(json, "addresses", '[');
	for (size_t i = 0; i < now->of.n; i++) {
		const struct open_now *one = &now->of.v[i];

		json_open(json, NULL, '{');
		json_string(json, "address", addr_format(&one->learned->addr, addr));
		json_string(json, "verdict", one->verdict.allow ? "allow" : "deny");
		if (one->verdict.rule < SW_RULES_MAX)
			json_number(json, "rule", one->verdict.rule + 1);
		json_string(json, "pattern", one->learned->pattern);
		json_string(json, "asked", one->learned->asked);
		json_number(json, "age_seconds", one->learned->age);
		json_number(json, "left_seconds", one->learned->left);
		json_number(json, "ttl_seconds", one->learned->ttl);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
	json_end(json);
}

int explain_name_now(struct cli *cli, const char *tenant, const struct named_peer *peer)
{
	struct now now = { .peer = peer };
	struct report report = { 0 };
	struct sw_tenant storage;
	struct fault fault;
	struct tenancy of;
	struct host host;
	int err = explain_open(&host, tenant, &of, &storage, &fault);

	if (err)
		return fail("%s", fault.text);
	err = grants_read(&host, of, &report, &fault);
	if (!err)
		err = ask_each(&host, &storage, &report, &now, &fault);
	host_close(&host);
	if (!err && cli_has(cli, OPTION_JSON))
		json_now(&now, &cli->json);
	else if (!err)
		print_now(&now);
	free(now.of.v);
	report_free(&report);
	return err ? fail("%s", fault.text) : now.allow ? EXIT_OK : EXIT_DENIED;
}
