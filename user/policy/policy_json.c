// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "amount.h"
#include "names.h"
#include "policy_json.h"
#include "sockopt.h"

static const char *word_for(bool allow)
{
	return allow ? "allow" : "deny";
}

static void write_protos(__u32 mask, struct json *json, const char *key)
{
	json_open(json, key, '[');
	for (unsigned proto = 0; proto < SW_PROTOS; proto++)
		if (mask & 1U << proto)
			json_string(json, NULL, proto_name(proto));
	json_close(json, ']');
}

static void write_budget(const struct policy *policy, struct json *json)
{
	char bytes[24];

	if (policy->budget == SW_NO_LIMIT) {
		json_string(json, "budget", "none");
		return;
	}
	json_open(json, "budget", '{');
	json_string(json, "bytes", bytes_canonical(policy->budget, bytes));
	json_string(json, "per", period_name(policy->budget_period));
	json_string(json, "over", policy->budget_log ? "log" : "refuse");
	json_close(json, '}');
}

/* The writer's numbers have no sign; the language takes one in quotes. */
static void write_number(__s32 value, struct json *json, const char *key)
{
	char text[12];

	snprintf(text, sizeof(text), "%d", value);
	if (value < 0)
		json_string(json, key, text);
	else
		json_number(json, key, value);
}

static void write_mock(const struct sw_option *rule, struct json *json)
{
	char name[SOCKOPT_TEXT];
	__s32 value[2];

	memcpy(value, rule->val, sizeof(value));
	sockopt_format(rule->level, rule->name, name);
	if (rule->len != 8) {
		write_number(value[0], json, sockopt_format(rule->level, rule->name, name));
		return;
	}
	json_open(json, sockopt_format(rule->level, rule->name, name), '[');
	write_number(value[0], json, NULL);
	write_number(value[1], json, NULL);
	json_close(json, ']');
}

/* The mocks, or what is passed. An empty list could not be read back. */
static void write_options(const struct policy *policy, bool pass, struct json *json)
{
	char name[SOCKOPT_TEXT];
	bool open = false;

	for (size_t i = 0; i < policy->options.n; i++) {
		const struct sw_option *rule = &policy->options.v[i].is;

		if (rule->pass != pass)
			continue;
		if (!open)
			json_open(json, pass ? "pass" : "mock", pass ? '[' : '{');
		open = true;
		if (pass)
			json_string(json, NULL, sockopt_format(rule->level, rule->name, name));
		else
			write_mock(rule, json);
	}
	if (open)
		json_close(json, pass ? ']' : '}');
}

static void write_ports(const struct rule *rule, struct json *json)
{
	char text[16];

	json_open(json, "port", '[');
	for (size_t i = 0; i < rule->ports.n; i++) {
		const struct port_range *range = &rule->ports.v[i];

		snprintf(text, sizeof(text), "%u-%u", range->first, range->last);
		if (range->first == range->last)
			json_number(json, NULL, range->first);
		else
			json_string(json, NULL, text);
	}
	json_close(json, ']');
}

static void write_words(const char *key, char *const *words, size_t n, struct json *json)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < n; i++)
		json_string(json, NULL, words[i]);
	json_close(json, ']');
}

static void write_terms(const struct policy *policy, const char *key, const __u32 *terms, size_t n, struct json *json)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < n; i++)
		json_string(json, NULL, policy->terms.v[terms[i]].text);
	json_close(json, ']');
}

static void write_rule(const struct policy *policy, const struct rule *rule, struct json *json)
{
	json_open(json, NULL, '{');
	json_open(json, word_for(rule->allow), '{');
	if (rule->nets.n)
		write_terms(policy, "net", rule->nets.v, rule->nets.n, json);
	if (rule->names.n)
		write_words("name", rule->names.v, rule->names.n, json);
	if (rule->ports.n)
		write_ports(rule, json);
	if (rule->protos)
		write_protos(rule->protos, json, "proto");
	if (rule->exempt)
		json_bool(json, "exempt", true);
	if (rule->private)
		json_string(json, "private", "allow");
	if (rule->id)
		json_string(json, "id", rule->id);
	if (rule->description)
		json_string(json, "description", rule->description);
	json_close(json, '}');
	json_close(json, '}');
}

static void write_names(const struct policy *policy, struct json *json)
{
	char keep[TIMEOUT_TEXT];

	if (policy->says_resolvers)
		write_terms(policy, "resolvers", policy->resolvers.v, policy->resolvers.n, json);
	json_string(json, "keep", timeout_canonical(policy->keep, keep));
	json_string(json, "gate", policy->gate ? "dns" : "none");
	if (policy->says_search && policy->search.n)
		write_words("search", policy->search.v, policy->search.n, json);
	else if (policy->says_search)
		json_string(json, "search", "none");
}

/* An empty list could not be read back. */
static void write_paths(const struct policy *policy, enum sw_unix_answer answer, struct json *json)
{
	char text[SW_UNIX_TEXT];
	bool open = false;

	for (size_t i = 0; i < policy->paths.n; i++) {
		if (policy->paths.v[i].answer != answer)
			continue;
		if (!open)
			json_open(json, word_for(answer == SW_UNIX_ALLOW), '[');
		open = true;
		json_string(json, NULL, unix_format(&policy->paths.v[i], text));
	}
	if (open)
		json_close(json, ']');
}

static void write_unix(const struct policy *policy, struct json *json)
{
	if (!policy->paths.n) {
		json_string(json, "unix", word_for(policy->unix_others));
		return;
	}
	json_open(json, "unix", '{');
	write_paths(policy, SW_UNIX_ALLOW, json);
	write_paths(policy, SW_UNIX_DENY, json);
	json_string(json, "other", word_for(policy->unix_others));
	json_close(json, '}');
}

static void write_settings(const struct policy *policy, struct json *json)
{
	static const char *const bind[] = { "deny", "ephemeral", "allow" };
	char timeout[TIMEOUT_TEXT];

	json_string(json, "mode", policy->audit ? "audit" : "enforce");
	write_protos(policy->protocols, json, "protocols");
	json_string(json, "listen", word_for(policy->listen));
	json_string(json, "bind", bind[policy->bind]);
	json_string(json, "transfer", word_for(policy->transfer));
	json_string(json, "idle-timeout", timeout_canonical(policy->idle_timeout, timeout));
	json_string(json, "on-revoke", policy->revoke ? "close" : "drop");
	write_budget(policy, json);
	write_names(policy, json);
	json_string(json, "system-calls", policy->system_calls ? "allow" : "filter");
	json_string(json, "user-namespaces", word_for(policy->user_namespaces));
	write_unix(policy, json);
}

void policy_json(const struct policy *policy, struct json *json)
{
	json_open(json, NULL, '{');
	write_settings(policy, json);
	json_open(json, "sockopts", '{');
	write_options(policy, false, json);
	write_options(policy, true, json);
	json_string(json, "other", word_for(policy->other_options));
	json_close(json, '}');
	json_open(json, "rules", '[');
	for (size_t i = 0; i < policy->rules.n; i++)
		write_rule(policy, &policy->rules.v[i], json);
	json_close(json, ']');
	json_string(json, "default", word_for(policy->default_allow));
	json_close(json, '}');
	json_end(json);
}
