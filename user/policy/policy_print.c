// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <string.h>

#include "amount.h"
#include "names.h"
#include "policy.h"
#include "sockopt.h"

/* Words that YAML would read as something else, or that need quotes between commas and braces. */
static bool needs_quotes(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("./_-:", *c))
			return true;
	return strstr(text, "::") || text[strlen(text) - 1] == ':';
}

/* The character at `text`, which is UTF-8, and its length. */
static unsigned character(const char *text, int *len)
{
	unsigned char first = *text;
	unsigned value = first < 0x80 ? first : first < 0xe0 ? first & 0x1f : first < 0xf0 ? first & 0xf : first & 7;

	*len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	for (int i = 1; i < *len; i++)
		value = value << 6 | (text[i] & 0x3f);
	return value;
}

/* What YAML reads back as it is between quotes; the rest is a line break or a control character to it. */
static bool is_literal(unsigned character)
{
	return (character >= ' ' && character < 0x7f && character != '"' && character != '\\') ||
	       (character >= 0xa0 && character < 0xe000 && character != 0x2028 && character != 0x2029);
}

static void print_word(const char *text, FILE *out)
{
	if (!needs_quotes(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (int len; *text; text += len) {
		unsigned value = character(text, &len);

		if (is_literal(value))
			fwrite(text, 1, len, out);
		else if (value == '"' || value == '\\')
			fprintf(out, "\\%c", *text);
		else
			fprintf(out, "\\U%08x", value);
	}
	fputc('"', out);
}

/* "key: value" or "key: [value, value]"; the values are printed by the caller between open and close. */
static void open_values(const char *key, size_t n, bool *first, FILE *out)
{
	fprintf(out, "%s%s: %s", *first ? "" : ", ", key, n > 1 ? "[" : "");
	*first = false;
}

static void close_values(size_t n, FILE *out)
{
	if (n > 1)
		fputc(']', out);
}

static void print_ports(const struct rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->ports.n; i++) {
		const struct port_range *range = &rule->ports.v[i];

		fprintf(out, "%s%u", i ? ", " : "", range->first);
		if (range->last != range->first)
			fprintf(out, "-%u", range->last);
	}
}

static void print_protos(__u32 mask, FILE *out)
{
	fputs(mask == 1U << SW_UDP ? "udp" : mask == 1U << SW_TCP ? "tcp" : "tcp, udp", out);
}

void rule_print(const struct policy *policy, const struct rule *rule, FILE *out)
{
	bool first = true;

	fprintf(out, "%s: {", rule->allow ? "allow" : "deny");
	if (rule->nets.n) {
		open_values("net", rule->nets.n, &first, out);
		for (size_t i = 0; i < rule->nets.n; i++) {
			fputs(i ? ", " : "", out);
			print_word(policy->terms.v[rule->nets.v[i]].text, out);
		}
		close_values(rule->nets.n, out);
	}
	if (rule->names.n) {
		open_values("name", rule->names.n, &first, out);
		for (size_t i = 0; i < rule->names.n; i++)
			fprintf(out, "%s%s", i ? ", " : "", rule->names.v[i]);
		close_values(rule->names.n, out);
	}
	if (rule->ports.n) {
		open_values("port", rule->ports.n, &first, out);
		print_ports(rule, out);
		close_values(rule->ports.n, out);
	}
	if (rule->protos) {
		size_t n = __builtin_popcount(rule->protos);

		open_values("proto", n, &first, out);
		print_protos(rule->protos, out);
		close_values(n, out);
	}
	if (rule->exempt)
		fprintf(out, "%sexempt: true", first ? "" : ", ");
	fputc('}', out);
}

static void print_mock(const struct sw_option *rule, FILE *out)
{
	char name[SOCKOPT_TEXT];
	__s32 value[2];

	memcpy(value, rule->val, sizeof(value));
	if (strchr(sockopt_format(rule->level, rule->name, name), ':'))
		fprintf(out, "    \"%s\": ", name);
	else
		fprintf(out, "    %s: ", sockopt_format(rule->level, rule->name, name));
	if (rule->len == 8)
		fprintf(out, "[%d, %d]\n", value[0], value[1]);
	else
		fprintf(out, "%d\n", value[0]);
}

static size_t count_options(const struct policy *policy, bool pass)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->options.n; i++)
		n += policy->options.v[i].pass == pass;
	return n;
}

static void print_sockopts(const struct policy *policy, FILE *out)
{
	char name[SOCKOPT_TEXT];

	fputs("sockopts:\n", out);
	if (count_options(policy, false))
		fputs("  mock:\n", out);
	for (size_t i = 0; i < policy->options.n; i++)
		if (!policy->options.v[i].pass)
			print_mock(&policy->options.v[i], out);
	if (count_options(policy, true))
		fputs("  pass:\n", out);
	for (size_t i = 0; i < policy->options.n; i++)
		if (policy->options.v[i].pass)
			fprintf(out, "    - %s\n",
				sockopt_format(policy->options.v[i].level, policy->options.v[i].name, name));
	fprintf(out, "  other: %s\n", policy->other_options ? "allow" : "deny");
}

static void print_budget(const struct policy *policy, FILE *out)
{
	char bytes[24];

	if (policy->budget == SW_NO_LIMIT)
		fputs("budget: none\n", out);
	else
		fprintf(out, "budget: {bytes: %s, per: %s, over: %s}\n", bytes_canonical(policy->budget, bytes),
			period_name(policy->budget_period), policy->budget_log ? "log" : "refuse");
}

static const char *word_for(bool allow)
{
	return allow ? "allow" : "deny";
}

void policy_print(const struct policy *policy, FILE *out)
{
	static const char *const bind[] = { "deny", "ephemeral", "allow" };
	char timeout[TIMEOUT_TEXT];

	fprintf(out, "mode: %s\nprotocols: [", policy->audit ? "audit" : "enforce");
	print_protos(policy->protocols, out);
	fprintf(out, "]\nlisten: %s\nbind: %s\ntransfer: %s\n", word_for(policy->listen), bind[policy->bind],
		word_for(policy->transfer));
	fprintf(out, "idle-timeout: %s\non-revoke: %s\n", timeout_canonical(policy->idle_timeout, timeout),
		policy->revoke ? "close" : "drop");
	print_budget(policy, out);
	print_sockopts(policy, out);
	fputs(policy->rules.n ? "rules:\n" : "rules: []\n", out);
	for (size_t i = 0; i < policy->rules.n; i++) {
		fputs("  - ", out);
		rule_print(policy, &policy->rules.v[i], out);
		fputc('\n', out);
	}
	fprintf(out, "default: %s\n", word_for(policy->default_allow));
}
