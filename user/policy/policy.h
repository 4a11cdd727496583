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
#include "fault.h"
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

/* Where something is written. A line from 1 on, of policy->files.v[file]; line 0: nowhere. */
struct origin {
	unsigned file, line;
};

#define SW_ID_MAX   32  /* bytes of a rule's id, with its NUL */
#define SW_NOTE_MAX 201 /* likewise of its description */

struct rule {
	bool allow;
	struct origin from;
	char *id;                      /* a-z, 0-9 and -, of no other rule; or NULL */
	char *description;             /* one line, or NULL */
	LIST(__u32) nets;              /* numbers of the policy's terms */
	LIST(char *) names;            /* lower case: smtp.example.com, or *.example.com */
	LIST(struct port_range) ports; /* none: every port */
	__u32 protos;                  /* bits 1 << enum sw_proto; 0: every protocol */
	bool exempt;                   /* what it allows is not billed */
	bool private;                  /* its names open special-purpose addresses, too */
};

#define SW_KEEP       60              /* seconds: what `keep` is when a policy does not say, */
#define SW_KEEP_MAX   (7 * 24 * 3600) /* and the most that it may be */
#define SW_SEARCH_MAX 32

#define SW_PATHS_MAX 60 /* unix sockets of a policy: the image has some more */

#define SW_OPTIONS_MAX 4096 /* of a policy: as many as the programs find by halving */

struct option_rule {
	struct sw_option is;
	struct origin from;
};

#define SW_LEVELS_MAX 8 /* policies, one extending the next */

/* Those of one line in the canonical form, but for `extends`, `sockopts` and `rules`. */
enum policy_key {
	KEY_RULES,
	KEY_EXTENDS,
	KEY_MODE,
	KEY_PROTOCOLS,
	KEY_LISTEN,
	KEY_BIND,
	KEY_TRANSFER,
	KEY_TIMEOUT,
	KEY_REVOKE,
	KEY_BUDGET,
	KEY_RESOLVERS,
	KEY_KEEP,
	KEY_GATE,
	KEY_SEARCH,
	KEY_SYSTEM_CALLS,
	KEY_USER_NAMESPACES,
	KEY_UNIX,
	KEY_SOCKOPTS,
	KEY_DEFAULT,
	POLICY_KEYS,
};

struct policy {
	char name[SW_NAME_MAX]; /* the file's, without its folder and .yaml */
	LIST(char *) files;     /* its own, and then that of each base */
	struct origin said[POLICY_KEYS];
	__u32 protocols; /* as in sw_settings, and so on to `audit` */
	__u32 idle_timeout;
	bool listen, transfer, revoke, audit;
	enum sw_bind bind;
	bool other_options; /* options not listed are the kernel's own */
	bool default_allow;
	__u64 budget; /* and its two, as in sw_settings too */
	enum sw_period budget_period;
	bool budget_log;
	__u32 keep; /* as in sw_settings */
	bool gate;
	bool system_calls, user_namespaces; /* as in sw_settings */
	LIST(__u32) resolvers; /* numbers of terms: name servers whose answers are believed, where a rule allows them */
	LIST(char *) search;   /* domains below which everything may be asked for, whatever the gate; lower case */
	bool says_resolvers;   /* false: those are the usual ones, */
	bool says_search;      /* and this is for the host to say */
	bool unix_others;      /* as in sw_settings */
	LIST(struct sw_unix) paths; /* of unix sockets: allowed or denied */
	LIST(struct option_rule) options;
	struct origin other_said;    /* `other` among the options; line 0: no file speaks of options */
	LIST(struct net_term) terms; /* what rules list by `net:`, each once, however many do */
	LIST(struct rule) rules;
};

#define SW_PREFIXES_MAX 2000000 /* of a policy, those of a list counted once; kept and sorted they take 200 MB */

/*
 * Where `net:` words that are not prefixes come from. Returns false when there is no such set or file; what
 * is wrong inside it goes to `diags`. `from` is the file that names it.
 */
typedef bool net_source(void *data, const char *from, const char *text, struct prefixes *out, struct diags *diags);

/*
 * Where the policies come from that `extends:` names. Returns the text, or NULL with what is wrong, and what to do, in
 * `fault`. `file` is what the text is called in messages, and tells it from others. Both are to be freed.
 */
typedef char *base_source(void *data, const char *from, const char *name, char **file, size_t *len,
			  struct fault *fault);

/* What a policy needs beside its own text. */
struct policy_source {
	net_source *net;
	char *(*sets)(void *data); /* names of sets, for a message, to be freed; NULL: they cannot be listed */
	base_source *base;         /* NULL: there is none to extend */
	void *data;                /* for all */
};

/*
 * NULL if there was any mistake, in its own text or in a base's; free with policy_free(). `file` is used in messages,
 * and gives the name.
 */
struct policy *policy_read(const char *file, const char *text, size_t len, const struct policy_source *source,
			   struct diags *diags);

/* The same of the map that stands under `key` in a document that is no policy itself; NULL: of the document. */
struct policy *policy_read_under(const char *key, const char *file, const char *text, size_t len,
				 const struct policy_source *source, struct diags *diags);
void policy_free(struct policy *policy);

/* Answers of name servers matter to it. */
bool policy_has_names(const struct policy *policy);

/* What a policy from `file` is called: appengine for /usr/share/sockwarden/policies/appengine.yaml. */
void policy_name(const char *file, char name[SW_NAME_MAX]);

/* A unix socket as policies write it. Returns `text`. */
const char *unix_format(const struct sw_unix *path, char text[SW_UNIX_TEXT]);

/* The one of these with the same name; NULL: there is none. */
const struct sw_unix *unix_find(const struct sw_unix *paths, size_t n, const struct sw_unix *wanted);

/* The canonical form. */
void policy_print(const struct policy *policy, FILE *out);

/* The same with comments: where each line is from. */
void policy_print_origins(const struct policy *policy, FILE *out);

/* What a rule matches, without its labels, in the canonical form's inner part: "deny: {port: 25}". */
void rule_print(const struct policy *policy, const struct rule *rule, FILE *out);

/*
 * What the file is called that it is from: as a policy, or by the end of its path if this policy has that name; "" for its
 * own.
 */
void origin_name(const struct policy *policy, struct origin from, char name[SW_NAME_MAX]);

#endif
