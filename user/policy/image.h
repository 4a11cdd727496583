/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A compiled policy: all that joins the compiler to the kernel. It is made by compile(), and then sorted,
 * printed, compared, asked and loaded; nobody changes it.
 */
#ifndef SW_IMAGE_H
#define SW_IMAGE_H

#include <stdbool.h>
#include <string.h>

#include "abi.h"
#include "policy.h"

/* One line of the LPM trie. Sorted by prefix_order(); the first is ::/0. */
struct entry {
	struct sw_prefix prefix;
	struct sw_class class;
	__u32 parent; /* index of the entry around it; its own for the first */
};

/* What rules and the search list have as a name, once each. */
struct name_pattern {
	char *text;            /* smtp.example.com, or *.example.com; owned */
	struct sw_class class; /* as in sw_pattern */
	bool opens;            /* as in sw_domain_rule */
};

struct image {
	struct sw_settings settings; /* `serial` is 0 until the kernel has it */
	LIST(struct sw_text) texts;  /* one a rule */
	LIST(struct entry) entries;
	LIST(struct sw_span) spans;
	LIST(struct sw_option) options;
	LIST(struct name_pattern) patterns;
	LIST(struct sw_unix) paths; /* of unix sockets */
};

/*
 * NULL when the policy comes to more than the compiler takes on; that is then in `diags`. Spans of all different
 * classes, and those that it looks at on its way: together they bound its memory and its time.
 */
#define SW_SPANS_MAX 4000000
#define SW_STEPS_MAX 100000000
struct image *compile(const struct policy *policy, struct diags *diags);
void image_free(struct image *image);

/* What is compared of two images: they are the same when their hashes are. */
static inline bool image_has(const struct image *image, const __u8 hash[32])
{
	return !memcmp(image->settings.hash, hash, sizeof(image->settings.hash));
}

/* The verdict the kernel gives, by the same code. */
struct sw_verdict image_decide(const struct image *image, const struct sw_flow *flow);

/* Likewise for an address that was the answer to a question for a name that pattern `pattern` covers; an index, as of
 * image_pattern(). */
struct sw_verdict image_decide_named(const struct image *image, const struct sw_flow *flow, size_t pattern);

/* What names that the pattern covers may open, whatever the address: the pattern's span for the service. */
const struct sw_span *image_opens(const struct image *image, size_t pattern, __u32 service);

/* The most specific pattern that covers the name, in lower case, or a pattern: its index, or image->patterns.n if none
 * does. */
size_t image_pattern(const struct image *image, const char *name);

/* The rule as text; of line 0 for the default. */
const struct sw_text *image_rule(const struct image *image, unsigned rule);

void image_print(const struct image *image, FILE *out);

/* One thing in which two images differ: a setting, an option, or what they answer to some peers. */
struct difference {
	const char *setting, *option; /* its name, or both NULL; */
	const char *name; /* or a pattern of names, and what these open; "allow private": private addresses too; */
	const struct sw_prefix *prefix; /* or of the peers, */
	__u32 first, last;              /* and their services, of one protocol */
	const char *before, *after;     /* an option that is not there, and where there is no more to say: NULL */
	__u16 rule_before, rule_after;  /* as in struct sw_span */
};

typedef void difference_fn(void *data, const struct difference *difference);

/* Tells what `b` has or answers differently from `a`. Returns how much that is. */
size_t image_differences(const struct image *a, const struct image *b, difference_fn *tell, void *data);

/* Likewise, a line each. Returns the number of lines. */
size_t image_diff(const struct image *a, const struct image *b, FILE *out);

#endif
