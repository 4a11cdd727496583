/* SPDX-License-Identifier: GPL-2.0-only */
/* What compile.c and compile_names.c share: a policy while it becomes an image. */
#ifndef SW_COMPILER_H
#define SW_COMPILER_H

#include "image.h"
#include "intern.h"

/* Bits: what spans say of some addresses beside the rules. */
enum kind {
	KIND_PLAIN = 0,
	KIND_PRIVATE = 1,  /* special-purpose addresses: names open them only if a rule says so */
	KIND_RESOLVER = 2, /* name servers whose answers are believed */
	KIND_PATTERN = 4,  /* no addresses: what a pattern may open */
	KINDS = 8,
};

struct item {
	struct sw_prefix prefix;
	__u32 class; /* of the rules that name it */
	enum kind kind;
};

struct compiler {
	const struct policy *policy;
	struct image *image;
	LIST(struct item) items;
	struct intern classes;         /* arrays of struct sw_span */
	struct intern joins;           /* pairs of classes */
	LIST(__u32) joined;            /* by number in `joins`: the class of both */
	LIST(struct sw_class) span_of; /* by class and kind: where its spans are in the image; count 0: not there yet */
	__u32 nothing;                 /* the class of no rule, */
	__u32 everything;              /* of those that name no prefix, */
	__u32 named;                   /* of those with names, */
	__u32 named_private;           /* and of these those that say private: allow */
	size_t steps;
};

/* Counts steps; false once there is more to do than may be: what is left is then passed over. */
bool may_go_on(struct compiler *c, size_t steps);

/* The class of some rules, which ascend. */
__u32 class_of(struct compiler *c, const __u16 *rules, size_t n);

/* Its spans, `n` of them. */
const struct sw_span *spans_of(const struct compiler *c, __u32 class, size_t *n);

struct sw_class class_in_image(struct compiler *c, __u32 class, enum kind kind);

/* A list of spans while it is made; `v` is allocated before, with room for all. */
struct draft {
	struct sw_span *v;
	size_t n;
};

/* From service `first` on; what says the same as the last span belongs to that one. */
void draft_add(struct draft *draft, struct sw_span span, __u32 first);

/* The class's spans, for addresses of a kind. `v` is to be freed. */
struct draft spans_for(const struct compiler *c, __u32 class, enum kind kind);

/* Of a policy that has names: adds the items that are about names, and the classes of its rules. */
void gather_names(struct compiler *c);

/* Adds the image's patterns. */
void add_patterns(struct compiler *c);

/* Adds the image's unix sockets. */
void add_unix(struct compiler *c);

/* Says where names make no sense as the policy is. */
void note_names(struct compiler *c, struct diags *diags);

#endif
