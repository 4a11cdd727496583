// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "amount.h"
#include "image_parts.h"
#include "names.h"
#include "plain.h"
#include "rule_text.h"
#include "sockopt.h"

static __u32 span_end(const struct cursor *at, __u32 index)
{
	return index + 1 < at->class.count ? at->image->spans.v[at->class.span + index + 1].first : SW_SERVICES;
}

const struct sw_span *cursor_next(struct cursor *at, __u32 service, __u32 *end)
{
	__u32 stop;

	while (span_end(at, at->index) <= service)
		at->index++;
	stop = (service | 0xffff) + 1; /* a line never runs from one protocol into the next */
	*end = span_end(at, at->index) < stop ? span_end(at, at->index) : stop;
	return &at->image->spans.v[at->class.span + at->index];
}

const char *span_answer(const struct sw_span *span)
{
	return !(span->answer & SW_ANSWER_ALLOW) ? "deny" : span->billing == SW_EXEMPT ? "exempt" : "allow";
}

void services_print(__u32 first, __u32 end, FILE *out)
{
	fprintf(out, "%s %u", first >> 16 == SW_TCP ? "tcp" : "udp", first & 0xffff);
	if (end - first > 1)
		fprintf(out, "-%u", (end - 1) & 0xffff);
}

/* `names`: the class is a pattern's, and no address's. */
static void print_answers(const struct image *image, struct sw_class class, bool names, FILE *out)
{
	struct cursor at = { .image = image, .class = class };

	for (__u32 service = 0, end; service < SW_SERVICES; service = end) {
		const struct sw_span *span = cursor_next(&at, service, &end);

		fputs(service ? ", " : "", out);
		services_print(service, end, out);
		fprintf(out, " %s%s", span_answer(span), names && span->answer & SW_ANSWER_PRIVATE ? " private" : "");
		if (span->rule != SW_RULE_DEFAULT)
			fprintf(out, " #%u", span->rule + 1);
		if (span->answer & SW_ANSWER_RESOLVER)
			fputs(" and believe", out);
		if (span->answer & SW_ANSWER_NAMED)
			fputs(span->answer & SW_ANSWER_PRIVATE ? " or by private name" : " or by name", out);
	}
}

void settings_print(const struct sw_settings *s, FILE *out)
{
	static const char *const bind[] = { "deny", "ephemeral", "allow" };
	char bytes[24];

	fprintf(out, "mode %s\nprotocols%s%s\n", s->audit ? "audit" : "enforce",
		s->protocols & 1 << SW_TCP ? " tcp" : "", s->protocols & 1 << SW_UDP ? " udp" : "");
	fprintf(out, "listen %s\nbind %s\ntransfer %s\nidle-timeout %us\n", s->listen ? "allow" : "deny", bind[s->bind],
		s->transfer ? "allow" : "deny", s->idle_timeout);
	fprintf(out, "on-revoke %s\n", s->revoke ? "close" : "drop");
	fprintf(out, "keep %us\ngate %s\n", s->keep, s->gate ? "dns" : "none");
	fprintf(out, "system-calls %s\nuser-namespaces %s\n", s->system_calls ? "allow" : "filter",
		s->user_namespaces ? "allow" : "deny");
	if (s->budget == SW_NO_LIMIT)
		fputs("budget none\n", out);
	else
		fprintf(out, "budget %s per %s, over it %s\n", bytes_canonical(s->budget, bytes),
			period_name(s->budget_period), s->budget_log ? "log" : "refuse");
}

const char *option_text(const struct sw_option *option, char text[OPTION_TEXT])
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

const char *unix_answer(const struct sw_unix *path)
{
	return path->answer == SW_UNIX_ALLOW ? "allow" : path->answer == SW_UNIX_STEER ? "steer" : "deny";
}

static void print_rule(const struct sw_text *text, size_t number, FILE *out)
{
	const char *file = rule_part(text->text, RULE_FILE), *id = rule_part(text->text, RULE_ID),
		   *why = rule_part(text->text, RULE_DESCRIPTION);

	plain_line(out, "rule #%zu line %s%s%u %s%s%s%s%s%s", number, file, *file ? ":" : "", text->line,
		   *id ? "(" : "", id, *id ? ") " : "", text->text, *why ? " # " : "", why);
}

void image_print(const struct image *image, FILE *out)
{
	char text[SW_PREFIX_TEXT], path[SW_UNIX_TEXT];

	plain_line(out, "policy %s", image->settings.policy);
	settings_print(&image->settings, out);
	for (size_t i = 0; i < image->options.n; i++)
		print_option(&image->options.v[i], out);
	fprintf(out, "option others %s\n", image->settings.options ? "pass" : "deny");
	for (size_t i = 0; i < image->paths.n; i++)
		plain_line(out, "unix %s %s", unix_format(&image->paths.v[i], path), unix_answer(&image->paths.v[i]));
	fprintf(out, "unix others %s\n", image->settings.unix_others ? "allow" : "deny");
	for (size_t i = 0; i < image->texts.n; i++)
		print_rule(&image->texts.v[i], i + 1, out);
	for (size_t i = 0; i < image->entries.n; i++) {
		fprintf(out, "%s ", prefix_format(&image->entries.v[i].prefix, text));
		print_answers(image, image->entries.v[i].class, false, out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < image->patterns.n; i++) {
		fprintf(out, "name %s ", image->patterns.v[i].text);
		print_answers(image, image->patterns.v[i].class, true, out);
		fputc('\n', out);
	}
}
