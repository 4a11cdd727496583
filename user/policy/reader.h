/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that read a policy share: a policy while its text is gone through. */
#ifndef SW_READER_H
#define SW_READER_H

#include <string.h>

#include "intern.h"
#include "node.h"
#include "policy.h"

/* A file while it is read, within that which extends it. */
struct reading {
	struct place place; /* line and col are set at each message */
	unsigned number;    /* of policy->files */
	struct reading *around;
};

/* What every function here works on. */
struct reader {
	struct policy *policy;
	struct reading *at;
	const struct policy_source *source;
	struct diags *diags;
	struct intern texts;         /* of the policy's terms, under the same numbers */
	size_t prefixes;             /* of all terms */
	struct intern patterns;      /* what rules and `search` have as a name, */
	LIST(size_t) last_rule;      /* and by number the last rule that has it, counted from 1; 0: none */
	size_t rule;                 /* the one at hand, likewise */
	struct intern ids;           /* of rules, */
	LIST(struct origin) id_from; /* and by number where each is */
};

#define WRONG(reader, node, ...) diag_error((reader)->diags, place_of(reader, node), __VA_ARGS__)

const struct place *place_of(struct reader *reader, const struct node *node);
const struct place *place_of_key(struct reader *reader, const struct node *node);
struct origin origin_of(const struct reader *reader, unsigned line);

/* A scalar that is not empty; NULL with a message that says what was wanted otherwise. */
const char *word(struct reader *reader, const struct node *node, const char *wanted);

/* Calls `each` for a value, or for every value of a list. */
void each_value(struct reader *reader, const struct node *node, const char *wanted,
		void (*each)(struct reader *, const struct node *, void *), void *data);

/* One of two or three words. Returns its index, or -1 with a message. */
int choice(struct reader *reader, const struct node *node, const char *const words[]);

extern const char *const deny_allow[];

/* ---- policy_read.c --------------------------------------------------------------------------------------- */

void read_keys(struct reader *reader, const struct node *map);

/* ---- policy_files.c -------------------------------------------------------------------------------------- */

/* Takes `file`. `key` as of policy_read_under(). The rules come behind those there are, and the other keys in the place of what there is. */
void read_file(struct reader *reader, char *file, const char *text, size_t len, const char *key);
void read_extends(struct reader *reader, const struct node *node);

/* ---- policy_rules.c -------------------------------------------------------------------------------------- */

void read_rules(struct reader *reader, const struct node *node);

/* tcp, udp or both, as bits. */
void read_protos(struct reader *reader, const struct node *node, __u32 *mask);

/* A list of nets: numbers of terms are added to those of `rule`. */
void read_nets(struct reader *reader, const struct node *node, struct rule *rule);

void rule_free(struct rule *rule);

/* ---- policy_labels.c ------------------------------------------------------------------------------------- */

void read_id(struct reader *reader, const struct node *node, struct rule *rule);
void read_description(struct reader *reader, const struct node *node, struct rule *rule);

/* ---- policy_names.c -------------------------------------------------------------------------------------- */

/* Of a rule: its names, and whether they open private addresses. */
void read_names(struct reader *reader, const struct node *node, struct rule *rule);
void read_private(struct reader *reader, const struct node *node, struct rule *rule);

/* Keys of a policy. */
void read_resolvers(struct reader *reader, const struct node *node);
void read_keep(struct reader *reader, const struct node *node);
void read_gate(struct reader *reader, const struct node *node);
void read_search(struct reader *reader, const struct node *node);

/* After all keys: what the policy does not say, and where names make no sense. */
void finish_names(struct reader *reader);

/* ---- policy_sockopts.c ----------------------------------------------------------------------------------- */

void read_sockopts(struct reader *reader, const struct node *node);

/* ---- policy_unix.c --------------------------------------------------------------------------------------- */

void read_unix(struct reader *reader, const struct node *node);

#endif
