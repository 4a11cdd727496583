// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy reader: no text makes it fail otherwise than with messages, what it accepts prints back as the
 * same policy, and the two compile to one image but for the lines of the rules.
 */
#include "image.h"
#include "support.h"

static void same_image(const struct policy *a, const struct policy *b)
{
	struct image *x = compile(a, NULL), *y = compile(b, NULL);

	must_hold(x->texts.n == y->texts.n, "the reprinted policy has as many rules");
	for (size_t i = 0; i < x->texts.n; i++) {
		must_hold(!strcmp(x->texts.v[i].text, y->texts.v[i].text), "the reprinted policy has the same rules");
		y->texts.v[i].line = x->texts.v[i].line;
	}
	memset(x->settings.hash, 0, 32);
	memset(y->settings.hash, 0, 32);
	must_hold(!memcmp(&x->settings, &y->settings, sizeof(x->settings)), "the settings are the same");
	must_hold(x->entries.n == y->entries.n && x->spans.n == y->spans.n && x->options.n == y->options.n &&
			  !memcmp(x->entries.v, y->entries.v, x->entries.n * sizeof(*x->entries.v)) &&
			  !memcmp(x->spans.v, y->spans.v, x->spans.n * sizeof(*x->spans.v)) &&
			  (!x->options.n || !memcmp(x->options.v, y->options.v, x->options.n * sizeof(*x->options.v))),
		  "the images are the same");
	image_free(x);
	image_free(y);
}

static void check_print(const struct policy *policy)
{
	struct diags diags = { 0 };
	size_t len, len_again;
	char *text = printed(policy, &len), *again;
	struct policy *reread = policy_read("fuzz.yaml", text, len, canned_net, NULL, &diags);

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
	struct policy *policy =
		policy_read("fuzz.yaml", size ? (const char *)data : "", size, canned_net, NULL, &diags);

	must_hold(!policy == !!diags.errors, "there is a policy, or there is a message");
	check_diags(&diags);
	if (policy)
		check_print(policy);
	policy_free(policy);
	diags_free(&diags);
	return 0;
}
