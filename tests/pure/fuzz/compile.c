// SPDX-License-Identifier: GPL-2.0-only
/* The compiler: the bytes become a policy and flows; the image must be sound and answer as the rules do. */
#include "../unit/generate.h"
#include "../unit/naive.h"
#include "support.h"

#define FLOWS 64 /* of the bytes that are left, and as many from a seed they give */

static void check_flow(const struct policy *policy, const struct image *image, const struct sw_flow *flow,
		       const char *name)
{
	char peer[SW_ADDR_TEXT];

	if (naive_agrees(policy, image, flow, NULL) && naive_agrees(policy, image, flow, name))
		return;
	policy_print(policy, stderr);
	image_print(image, stderr);
	fprintf(stderr, "proto %u peer %s port %u name %s\n", flow->proto, addr_format(&flow->peer, peer), flow->port,
		name);
	must_hold(false, "the image answers as the rules do");
}

static void check_text(const struct policy *policy)
{
	struct diags diags = { 0 };
	size_t len;
	char *text = printed(policy, &len);
	struct policy *reread = policy_read("random.yaml", text, len, &canned, &diags);

	must_hold(reread, "a policy that was made can be printed and read");
	policy_free(reread);
	diags_free(&diags);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draw draw = { .bytes = data, .left = size }, random = { .state = size };
	struct policy *policy = generate_policy(&draw);
	struct image *image = compile(policy, NULL);
	struct sw_flow flow;

	if (image_flaw(image))
		must_hold(false, image_flaw(image));
	for (int i = 0; i < FLOWS && draw.left; i++) {
		flow = generate_flow(&draw, policy);
		check_flow(policy, image, &flow, generate_name(&draw));
	}
	for (int i = 0; i < FLOWS; i++) {
		flow = generate_flow(&random, policy);
		check_flow(policy, image, &flow, generate_name(&random));
	}
	must_hold(!image_diff(image, image, stderr), "an image does not differ from itself");
	check_text(policy);
	image_free(image);
	policy_free(policy);
	return 0;
}
