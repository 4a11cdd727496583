// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "names.h"
#include "plain.h"
#include "policy.h"
#include "sockopt.h"
#include "utf8.h"

/* Words that YAML would read as something else, or that need quotes between commas and braces. */
static bool needs_quotes(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("./_-:", *c))
			return true;
	return *text == '-' || strstr(text, "::") || text[strlen(text) - 1] == ':';
}

/* The character at `text`, which is UTF-8, and its length. */
/* What YAML reads back as it is between quotes; the rest is a line break or a control character to it. */
static bool is_literal(unsigned character)
{
	return plain_is(character) && character != '"' && character != '\\' && character < 0xe000;
}

static void print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (int len; *text; text += len) {
		unsigned value;

		len = utf8_len((const unsigned char *)text);
		value = utf8_value((const unsigned char *)text, len);

		if (is_literal(value))
			fwrite(text, 1, len, out);
		else if (value == '"' || value == '\\')
			fprintf(out, "\\%c", *text);
		else
			fprintf(out, "\\U%08x", value);
	}
	fputc('"', out);
}

static void print_word(const char *text, FILE *out)
{
	if (needs_quotes(text))
		print_quoted(text, out);
	else
		fputs(text, out);
}

static void print_words(const char *const *words, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		print_word(words[i], out);
	}
}

static void print_terms(const struct policy *policy, const __u32 *terms, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		print_word(policy->terms.v[terms[i]].text, out);
	}
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

/* All but the brace at its end. */
static void print_match(const struct policy *policy, const struct rule *rule, FILE *out)
{
	bool first = true;

	fprintf(out, "%s: {", rule->allow ? "allow" : "deny");
	if (rule->nets.n) {
		open_values("net", rule->nets.n, &first, out);
		print_terms(policy, rule->nets.v, rule->nets.n, out);
		close_values(rule->nets.n, out);
	}
	if (rule->names.n) {
		open_values("name", rule->names.n, &first, out);
		print_words((const char *const *)rule->names.v, rule->names.n, out);
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
	if (rule->private)
		fprintf(out, "%sprivate: allow", first ? "" : ", ");
}

void rule_print(const struct policy *policy, const struct rule *rule, FILE *out)
{
	print_match(policy, rule, out);
	fputc('}', out);
}

/* A rule says what it is about before it has a name. */
static void print_labels(const struct rule *rule, FILE *out)
{
	if (rule->id) {
		fputs(", id: ", out);
		print_word(rule->id, out);
	}
	if (rule->description) {
		fputs(", description: ", out);
		print_quoted(rule->description, out);
	}
}

/* ---- lines --------------------------------------------------------------------------------------------------- */

struct printer {
	const struct policy *policy;
	FILE *out;
	bool origins; /* lines end in where they are from */
};

static void end_line(const struct printer *p, struct origin from)
{
	if (p->origins && from.line) {
		char *file = plain(mem_strdup(p->policy->files.v[from.file]));

		fprintf(p->out, "  # %s:%u", file, from.line);
		free(file);
	}
	fputc('\n', p->out);
}

/* A key and its one word. */
static void print_key(const struct printer *p, enum policy_key key, const char *name, const char *word)
{
	fprintf(p->out, "%s: %s", name, word);
	end_line(p, p->policy->said[key]);
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
		fprintf(out, "[%d, %d]", value[0], value[1]);
	else
		fprintf(out, "%d", value[0]);
}

static void print_pass(const struct sw_option *rule, FILE *out)
{
	char name[SOCKOPT_TEXT];

	fprintf(out, "    - %s", sockopt_format(rule->level, rule->name, name));
}

static void print_options(const struct printer *p, const char *key, bool pass)
{
	bool open = false;

	for (size_t i = 0; i < p->policy->options.n; i++) {
		const struct option_rule *rule = &p->policy->options.v[i];

		if (rule->is.pass != pass)
			continue;
		if (!open)
			fprintf(p->out, "  %s:\n", key);
		open = true;
		(pass ? print_pass : print_mock)(&rule->is, p->out);
		end_line(p, rule->from);
	}
}

static const char *word_for(bool allow)
{
	return allow ? "allow" : "deny";
}

static void print_sockopts(const struct printer *p)
{
	fputs("sockopts:\n", p->out);
	print_options(p, "mock", false);
	print_options(p, "pass", true);
	fprintf(p->out, "  other: %s", word_for(p->policy->other_options));
	end_line(p, p->policy->other_said);
}

static void print_protocols(const struct printer *p)
{
	fputs("protocols: [", p->out);
	print_protos(p->policy->protocols, p->out);
	fputc(']', p->out);
	end_line(p, p->policy->said[KEY_PROTOCOLS]);
}

static void print_budget(const struct printer *p)
{
	const struct policy *policy = p->policy;
	char bytes[24];

	if (policy->budget == SW_NO_LIMIT) {
		print_key(p, KEY_BUDGET, "budget", "none");
		return;
	}
	fprintf(p->out, "budget: {bytes: %s, per: %s, over: %s}", bytes_canonical(policy->budget, bytes),
		period_name(policy->budget_period), policy->budget_log ? "log" : "refuse");
	end_line(p, policy->said[KEY_BUDGET]);
}

static void print_resolvers(const struct printer *p)
{
	if (!p->policy->says_resolvers)
		return;
	fputs("resolvers: [", p->out);
	print_terms(p->policy, p->policy->resolvers.v, p->policy->resolvers.n, p->out);
	fputc(']', p->out);
	end_line(p, p->policy->said[KEY_RESOLVERS]);
}

/* Those that the policy says, not the host's. */
static void print_search(const struct printer *p)
{
	const struct policy *policy = p->policy;

	if (!policy->says_search)
		return;
	if (!policy->search.n) {
		print_key(p, KEY_SEARCH, "search", "none");
		return;
	}
	fputs("search: [", p->out);
	print_words((const char *const *)policy->search.v, policy->search.n, p->out);
	fputc(']', p->out);
	end_line(p, policy->said[KEY_SEARCH]);
}

static void print_paths(const struct policy *policy, enum sw_unix_answer answer, FILE *out)
{
	char text[SW_UNIX_TEXT];
	const char *key = answer == SW_UNIX_ALLOW ? "allow: [" : "deny: [";
	bool open = false;

	for (size_t i = 0; i < policy->paths.n; i++) {
		if (policy->paths.v[i].answer != answer)
			continue;
		fputs(open ? ", " : key, out);
		print_word(unix_format(&policy->paths.v[i], text), out);
		open = true;
	}
	fputs(open ? "], " : "", out);
}

static void print_unix(const struct printer *p)
{
	const struct policy *policy = p->policy;

	if (!policy->paths.n) {
		print_key(p, KEY_UNIX, "unix", word_for(policy->unix_others));
		return;
	}
	fputs("unix: {", p->out);
	print_paths(policy, SW_UNIX_ALLOW, p->out);
	print_paths(policy, SW_UNIX_DENY, p->out);
	fprintf(p->out, "other: %s}", word_for(policy->unix_others));
	end_line(p, policy->said[KEY_UNIX]);
}

static void print_rules(const struct printer *p)
{
	fputs(p->policy->rules.n ? "rules:\n" : "rules: []\n", p->out);
	for (size_t i = 0; i < p->policy->rules.n; i++) {
		fputs("  - ", p->out);
		print_match(p->policy, &p->policy->rules.v[i], p->out);
		print_labels(&p->policy->rules.v[i], p->out);
		fputc('}', p->out);
		end_line(p, p->policy->rules.v[i].from);
	}
}

static void print_all(const struct printer *p)
{
	static const char *const bind[] = { "deny", "ephemeral", "allow" };
	const struct policy *policy = p->policy;
	char time[TIMEOUT_TEXT];

	print_key(p, KEY_MODE, "mode", policy->audit ? "audit" : "enforce");
	print_protocols(p);
	print_key(p, KEY_LISTEN, "listen", word_for(policy->listen));
	print_key(p, KEY_BIND, "bind", bind[policy->bind]);
	print_key(p, KEY_TRANSFER, "transfer", word_for(policy->transfer));
	print_key(p, KEY_TIMEOUT, "idle-timeout", timeout_canonical(policy->idle_timeout, time));
	print_key(p, KEY_REVOKE, "on-revoke", policy->revoke ? "close" : "drop");
	print_budget(p);
	print_resolvers(p);
	print_key(p, KEY_KEEP, "keep", timeout_canonical(policy->keep, time));
	print_key(p, KEY_GATE, "gate", policy->gate ? "dns" : "none");
	print_search(p);
	print_key(p, KEY_SYSTEM_CALLS, "system-calls", policy->system_calls ? "allow" : "filter");
	print_key(p, KEY_USER_NAMESPACES, "user-namespaces", word_for(policy->user_namespaces));
	print_unix(p);
	print_sockopts(p);
	print_rules(p);
	print_key(p, KEY_DEFAULT, "default", word_for(policy->default_allow));
}

void policy_print(const struct policy *policy, FILE *out)
{
	print_all(&(struct printer){ .policy = policy, .out = out });
}

void policy_print_origins(const struct policy *policy, FILE *out)
{
	print_all(&(struct printer){ .policy = policy, .out = out, .origins = true });
}
