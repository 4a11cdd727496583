// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy reader: no text makes it fail otherwise than with messages, what it accepts prints back as the
 * same policy, and the two compile to one image but for the lines of the rules.
 */
#include "image.h"
#include "rule_text.h"
#include "support.h"

/* One may be cut: what the base of a rule is called takes room, and is not told of what was reprinted. */
static bool same_part(const char *a, const char *b, enum rule_part part)
{
	const char *one = rule_part(a, part), *other = rule_part(b, part), *cut = strstr(one, "...");

	return !strcmp(one, other) || (cut && !strncmp(one, other, cut - one));
}

static void same_image(const struct policy *a, const struct policy *b)
{
	struct image *x = compile(a, NULL), *y = compile(b, NULL);

	must_hold(x->texts.n == y->texts.n, "the reprinted policy has as many rules");
	for (size_t i = 0; i < x->texts.n; i++) {
		for (int part = RULE_TEXT; part < RULE_PARTS; part++)
			must_hold(part == RULE_FILE || same_part(x->texts.v[i].text, y->texts.v[i].text, part),
				  "the reprinted policy has the same rules");
	}
	memset(x->settings.hash, 0, 32);
	memset(y->settings.hash, 0, 32);
	must_hold(!memcmp(&x->settings, &y->settings, sizeof(x->settings)), "the settings are the same");
	must_hold(x->entries.n == y->entries.n && x->spans.n == y->spans.n && x->options.n == y->options.n &&
			  !memcmp(x->entries.v, y->entries.v, x->entries.n * sizeof(*x->entries.v)) &&
			  !memcmp(x->spans.v, y->spans.v, x->spans.n * sizeof(*x->spans.v)) &&
			  (!x->options.n || !memcmp(x->options.v, y->options.v, x->options.n * sizeof(*x->options.v))),
		  "the images are the same");
	must_hold(x->paths.n == y->paths.n &&
			  (!x->paths.n || !memcmp(x->paths.v, y->paths.v, x->paths.n * sizeof(*x->paths.v))),
		  "the unix sockets are the same");
	must_hold(x->patterns.n == y->patterns.n, "the names are as many");
	for (size_t i = 0; i < x->patterns.n; i++)
		must_hold(!strcmp(x->patterns.v[i].text, y->patterns.v[i].text) &&
				  !memcmp(&x->patterns.v[i].class, &y->patterns.v[i].class, sizeof(struct sw_class)),
			  "the names are the same");
	image_free(x);
	image_free(y);
}

static void check_print(const struct policy *policy)
{
	struct diags diags = { 0 };
	size_t len, len_again;
	char *text = printed(policy, &len), *again;
	struct policy *reread = policy_read("fuzz.yaml", text, len, &canned, &diags);

	if (!reread) {
		fputs(text, stderr);
		diags_print(&diags, stderr);
	}
	must_hold(reread, "what is printed can be read");
	again = printed(reread, &len_again);
	must_hold(len == len_again && !memcmp(text, again, len), "what is printed prints as itself");
	same_image(policy, reread);
	diags_free(&diags);
	policy_free(reread);
	free(text);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diags diags = { 0 };
	char *text = mem_alloc(size + 1, 1), *end;
	const struct policy_source source = { .net = canned_net, .base = canned_base, .data = text };
	struct policy *policy;

	if (size)
		memcpy(text, data, size);
	end = strstr(text, "\n===\n");
	policy = policy_read("fuzz.yaml", text, end ? (size_t)(end + 1 - text) : size, &source, &diags);

	must_hold(!policy == !!diags.errors, "there is a policy, or there is a message");
	check_diags(&diags);
	if (policy)
		check_print(policy);
	policy_free(policy);
	diags_free(&diags);
	free(text);
	return 0;
}
