/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy as its author wrote it: read from YAML or JSON, every mistake reported at once, and printed back
 * in one canonical form that reads as the same policy.
 */
#ifndef SW_POLICY_H
#define SW_POLICY_H

#include <stdbool.h>

#include "abi.h"
#include "diag.h"
#include "prefix.h"

/* What `net:` lists: a prefix, a named set or file:PATH, and the addresses it stands for. */
struct net_term {
	char *text;
	bool literal; /* a prefix written out: `text` is its canonical form */
	bool missing; /* there is no such set; only while a policy is read */
	struct prefixes prefixes;
};

struct port_range {
	__u16 first, last;
};

struct rule {
	bool allow;
	unsigned line;
	LIST(__u32) nets; /* numbers of the policy's terms */
	LIST(char *) names;
	LIST(struct port_range) ports; /* none: every port */
	__u32 protos;                  /* bits 1 << enum sw_proto; 0: every protocol */
	bool exempt;                   /* what it allows is not billed */
};

#define SW_OPTIONS_MAX 4096 /* of a policy: as many as the programs find by halving */

struct policy {
	char name[SW_NAME_MAX]; /* the file's, without its folder and .yaml */
	__u32 protocols;        /* as in sw_settings, and so on to `audit` */
	__u32 idle_timeout;
	bool listen, transfer, revoke, audit;
	enum sw_bind bind;
	bool other_options; /* options not listed are the kernel's own */
	bool default_allow;
	__u64 budget; /* and its two, as in sw_settings too */
	enum sw_period budget_period;
	bool budget_log;
	LIST(struct sw_option) options;
	LIST(struct net_term) terms; /* what rules list by `net:`, each once, however many do */
	LIST(struct rule) rules;
};

#define SW_PREFIXES_MAX 2000000 /* of a policy, those of a list counted once; kept and sorted they take 200 MB */

/*
 * Where `net:` words that are not prefixes come from. Returns false when there is no such set or file; what
 * is wrong inside it goes to `diags`. `from` is the file that names it.
 */
typedef bool net_source(void *data, const char *from, const char *text, struct prefixes *out, struct diags *diags);

/* NULL if there was any mistake; free with policy_free(). `file` is used in messages, and gives the name. */
struct policy *policy_read(const char *file, const char *text, size_t len, net_source *source, void *data,
			   struct diags *diags);
void policy_free(struct policy *policy);

/* What a policy from `file` is called: appengine for /usr/share/sockwarden/policies/appengine.yaml. */
void policy_name(const char *file, char name[SW_NAME_MAX]);

/* The canonical form. */
void policy_print(const struct policy *policy, FILE *out);

/* One rule in the canonical form's inner part: "deny: {port: 25}". */
void rule_print(const struct policy *policy, const struct rule *rule, FILE *out);

#define RULE_NAMES_NOTE "opens nothing yet: the addresses of names are not learned"

#endif
