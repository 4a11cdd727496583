/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the BPF programs and user space, and nothing else: every struct that crosses
 * a map, and every number both sides give a meaning to.
 *
 * One decision, followed from end to end, for `- deny: {port: 25}` in a policy that allows the rest:
 *
 *   tenant   cgroup storage of the tenant       { slot 7, image 3, serial 12 }
 *   tries    image 3, its LPM trie              2001:db8::25/128 -> falls to ::/0 -> { span 0, count 6 }
 *   tables   image 3, spans 0..5 of its table   tcp 0 allow | tcp 25 deny | tcp 26 allow | udp 0 allow | ...
 *            service tcp 25 = 0x00019 is found by binary search: { first 0x00019, rule 4, deny }
 *   counts   slot 7                             denied[SW_REASON_RULE] += 1
 *   blocks   slot 7                             { serial 12, first 448, count 6 }
 *   hits     counter 448 + 4, of rule 4         += 1
 *
 * Rules of the file: fixed-width fields only; host byte order unless a comment says otherwise; padding
 * is a named field that is always zero, for a padded key that differs in its padding is a silent miss;
 * an object of all zeroes refuses everything.
 */
#ifndef SW_ABI_H
#define SW_ABI_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define SW_TENANTS_MAX  16384 /* slots; slot 0 stands for a cgroup that is attached but not yet filled */
#define SW_IMAGES_MAX   16384 /* compiled policies in the kernel; image 0 is never filled, so it refuses */
#define SW_NAME_MAX     64    /* bytes of a tenant's or policy's name, with its NUL */
#define SW_PATH_MAX     256   /* bytes of a cgroup's path, with its NUL */
#define SW_TEXT_MAX     120   /* bytes of a rule as it is printed, with its NUL; longer ones end in "..." */
#define SW_OPTVAL_MAX   8     /* bytes of a mock socket option; struct linger is the largest */
#define SW_BLOCK        64    /* counters of rules are given out by as many */
#define SW_HITS_MAX     (SW_TENANTS_MAX * SW_BLOCK)
#define SW_DOMAIN_MAX   256   /* bytes of a domain name as a key */
#define SW_PATTERNS_MAX 65536 /* different patterns of names on a host, and in a policy */
#define SW_ASKED_MAX    128   /* bytes of a domain name as it is kept for people, with its NUL */

/* An address, network byte order, IPv4 as ::ffff:a.b.c.d. No 64-bit member: it must follow a __u32 unpadded. */
struct sw_addr {
	union {
		__u8 b[16];
		__be32 w[4];
	};
};

/* LPM trie key; len counts from the front of the v4-mapped form, so 10.0.0.0/8 has length 104. */
struct sw_prefix {
	__u32 len;
	struct sw_addr addr;
};

/*
 * Protocols a policy can speak of. The number is also the upper half of a service, and its bit stands
 * for it in sw_settings.protocols.
 */
enum sw_proto {
	SW_TCP = 0,
	SW_UDP = 1,
	SW_PROTOS = 2,
};

/* Protocol and port as one number, so that a port of one protocol needs no branch of its own. */
#define SW_SERVICE(proto, port) ((__u32)(proto) << 16 | (__u16)(port))
#define SW_SERVICES             ((__u32)SW_PROTOS << 16)

/* LPM trie value: where the answers for these addresses lie in the image's spans. */
struct sw_class {
	__u32 span;  /* index of the first; its `first` is 0 */
	__u32 count; /* at least 1; ordered by `first` */
};

/* From service `first` up to the next span's: this answer. */
struct sw_span {
	__u32 first;  /* SW_SERVICE() */
	__u16 rule;   /* index into the policy's rules, or SW_RULE_DEFAULT */
	__u8 answer;  /* SW_ANSWER_ */
	__u8 billing; /* enum sw_billing: how bytes to and from such a peer are counted */
};

/* Bits of an answer. */
#define SW_ANSWER_ALLOW    1
#define SW_ANSWER_NAMED    2  /* a rule with a name comes before this one, and may open the service */
#define SW_ANSWER_RESOLVER 4  /* a name server whose answers are believed */
#define SW_ANSWER_CLASS    8  /* in a class's first span: one of the class is SW_ANSWER_NAMED */
#define SW_ANSWER_PRIVATE  16 /* of special-purpose addresses; of a pattern: its rule says private: allow */
#define SW_ANSWER_GATED    32 /* port 53 of a policy with gate: dns */

/* Who pays for a packet. */
enum sw_billing {
	SW_BILLABLE = 0,
	SW_EXEMPT = 1, /* the rule that allowed the peer says `exempt: true` */
	SW_BILLINGS = 2,
};

#define SW_RULE_DEFAULT 0xffff /* no rule matched: the policy's `default` */
#define SW_RULE_NONE    0xfffe /* refused before any rule was asked */
#define SW_RULES_MAX    4096

/* What an image says beside its rules. All zeroes refuses everything. */
struct sw_settings {
	__u64 serial;       /* counts up with each image put into this host's kernel; 0: none */
	__u32 protocols;    /* bits 1 << enum sw_proto */
	__u32 idle_timeout; /* seconds; 0: never reclaim */
	__u32 rules;        /* number of rules, hence of texts in the image's table */
	__u32 texts_at;     /* row of the first */
	__u32 options_at;   /* row of the first socket option */
	__u32 option_count;
	__u32 prefixes;     /* number of entries of the trie */
	__u8 listen;        /* 1: sockets may listen, and hear from peers they never contacted */
	__u8 bind;          /* enum sw_bind */
	__u8 transfer;      /* 1: sockets may be used from outside their tenant */
	__u8 audit;         /* 1: decide, count and log, but let pass */
	__u8 options;       /* 1: options that are not in the image's table are the kernel's own; 0: refused */
	__u8 allow;         /* the policy's default, for people: the programs find it in the spans */
	__u8 budget_period; /* enum sw_period */
	__u8 budget_log;    /* 1: over its budget, new connections are logged and let pass; 0: nothing more is sent */
	__u8 revoke; /* 1: a socket whose peer the policy no longer allows is closed; 0: its packets are dropped */
	__u8 left;   /* 1: nobody uses the image any more, and its trie is being emptied */
	__u8 named;  /* 1: answers of name servers are read, for there are rules with names */
	__u8 gate;   /* 1: what no pattern of the image covers may not be asked for */
	__u32 patterns_at; /* row of the first */
	__u32 pattern_count;
	__u32 keep;        /* seconds that an address is open at least, once it was an answer */
	__u8 system_calls; /* 1: all may be made; 0: those that go round the hooks are refused (user/policy/calls.h) */
	__u8 user_namespaces; /* 1: may be made and entered */
	__u8 unix_others;     /* 1: unix sockets that are not in the image's table may be reached; 0: refused */
	__u8 unix_says;       /* 1: the policy itself refuses some, not only for the sake of its names */
	__u32 unix_at;        /* row of the first */
	__u32 unix_count;     /* at most SW_UNIX_MAX */
	__u64 budget;         /* billable bytes out in a period; SW_NO_LIMIT: no budget */
	char policy[SW_NAME_MAX];
	__u8 hash[32]; /* SHA-256 of the image, what makes two of them the same */
};

enum sw_bind {
	SW_BIND_DENY = 0,
	SW_BIND_EPHEMERAL = 1, /* port 0 only, of the unspecified address or of the loopback */
	SW_BIND_ALLOW = 2,
};

/* Periods are of UTC. */
enum sw_period {
	SW_DAY = 0,
	SW_MONTH = 1,
	SW_PERIODS = 2,
};

#define SW_NO_LIMIT  (~(__u64)0)
#define SW_NOT_KNOWN (~(__u64)0)
#define SW_COUNTING  (SW_NO_LIMIT - 1) /* a limit that is never reached, for the sake of the counting */

/* A rule as an operator knows it: for the log, status and explain. */
struct sw_text {
	__u32 line; /* of the policy file, from 1 */
	__u8 allow;
	__u8 pad[3];
	char text[SW_TEXT_MAX]; /* and what its author says of it, behind the NUL (user/base/rule_text.h) */
};

/* Socket options of an image, ordered by level and name. What is not there is as sw_settings.options says. */
struct sw_option {
	__s32 level; /* as getsockopt(2) takes it */
	__s32 name;
	__u8 pass; /* 1: the kernel's own option, untouched; 0: a mock */
	__u8 len;  /* bytes of the mock value */
	__u8 pad[14];
	__u8 val[SW_OPTVAL_MAX]; /* as the program reads it */
};

/* An option's place in that order. */
#define SW_OPTION(level, name) ((__u64)(__u32)(level) << 32 | (__u32)(name))

/*
 * A pattern is what a rule has as `name`: smtp.example.com, or *.example.com for all names below example.com. Each text
 * has one number on this host, which is never another's. Patterns of an image, ordered by number: what their names may
 * open.
 */
struct sw_pattern {
	__u32 number;          /* never 0 */
	struct sw_class class; /* of the rules whose patterns cover this one; SW_RULE_DEFAULT: no such rule */
	__u32 pad;
};

#define SW_UNIX_MAX  64  /* unix sockets of an image */
#define SW_UNIX_NAME 107 /* bytes of the longest that can be listed */
#define SW_UNIX_TEXT 112 /* room for any: 108, and a zero behind */

enum sw_unix_answer {
	SW_UNIX_DENY = 0,
	SW_UNIX_ALLOW = 1,
	SW_UNIX_STEER = 2, /* as if nobody listened, whatever the mode: a service that is asked in place of DNS */
};

/* A unix socket of an image, as whoever connects spells it. */
struct sw_unix {
	__u32 answer; /* enum sw_unix_answer */
	__u32 len;    /* bytes of the text, without a zero that ends a path */
	union {
		char text[SW_UNIX_TEXT]; /* zeroes behind it; of an abstract name the first byte is zero */
		__u64 words[SW_UNIX_TEXT / 8];
	};
	__u8 pad[8];
};

/*
 * All of an image beside its tries is one table of rows: first the spans, then the options, then the patterns, then the
 * rules' texts, then the unix sockets, each kind from a row of its own.
 */
#define SW_ROW_SPANS    16
#define SW_ROW_OPTIONS  4
#define SW_ROW_PATTERNS 8

struct sw_row {
	union {
		struct sw_span spans[SW_ROW_SPANS];
		struct sw_option options[SW_ROW_OPTIONS];
		struct sw_pattern patterns[SW_ROW_PATTERNS];
		struct sw_text text;
		struct sw_unix path;
	};
};

_Static_assert(SW_ROW_SPANS * sizeof(struct sw_span) == sizeof(struct sw_row), "spans fill a row");
_Static_assert(SW_ROW_OPTIONS * sizeof(struct sw_option) == sizeof(struct sw_row), "options fill a row");
_Static_assert(SW_ROW_PATTERNS * sizeof(struct sw_pattern) == sizeof(struct sw_row), "patterns fill a row");

/*
 * LPM trie key of a domain name: lower case and backwards, so that what is below a domain begins like it.
 *
 *   "moc.elpmaxe.ptms\0"   smtp.example.com alone
 *   "moc.elpmaxe."         *.example.com
 */
struct sw_domain {
	__u32 len; /* bits of the text */
	char text[SW_DOMAIN_MAX];
};

/* Its value: the image's most specific pattern for the name. */
struct sw_domain_rule {
	__u32 pattern; /* number */
	__u32 opens;   /* 1: its class has a rule; 0: such names may be asked for, and open nothing */
};

/* A pattern's text as a key: as in sw_domain, zeroes behind it. */
struct sw_pattern_text {
	char text[SW_DOMAIN_MAX];
};

/* An address that was the answer to a tenant's question. */
struct sw_grant_key {
	__u32 tenancy; /* of sw_tenant: what another tenant was told opens nothing */
	struct sw_addr addr;
};

#define SW_GRANT_PATTERNS 4
#define SW_GRANTS_MAX     (1 << 19) /* of the host */
#define SW_GRANTS_EACH    2048      /* of a tenant */

/* One word each, read and replaced whole: the pattern's number in the upper half, in the lower the second of the boot
 * clock when it ends; 0: free. */
struct sw_grant {
	__u64 open[SW_GRANT_PATTERNS];
	/* for people, of the last answer: */
	__u64 serial;             /* of the image then in force */
	__u32 learned;            /* boot clock, seconds */
	__u32 ttl;                /* seconds, as the answer had it */
	char asked[SW_ASKED_MAX]; /* the name, backwards; a longer one is cut */
};

/* A tenant's grants in the order they came, as a ring of at most SW_GRANTS_EACH: `turns` has no room for as many of each. */
struct sw_turn {
	__u32 tenancy;
	__u32 at;
};

/* What a tenant was told that opens nothing, by address, and the name it asked for last under the gate, by none: for the
 * log. */
struct sw_heard {
	char asked[SW_ASKED_MAX]; /* as in sw_grant */
};

/* What became of questions and answers: name in metrics, and what it means. */
#define SW_NAMINGS(X)                                                                                                  \
	X(ASKED, "asked", "questions for names that a rule has")                                                       \
	X(GATED, "gated", "questions refused by gate: dns, for no rule has the name")                                  \
	X(ANSWERED, "answered", "answers to these questions")                                                          \
	X(LEARNED, "learned", "addresses that an answer opened")                                                       \
	X(RENEWED, "renewed", "addresses that an answer kept open for longer")                                         \
	X(UNASKED, "unasked", "answers to no question of the socket")                                                  \
	X(MALFORMED, "malformed", "answers that could not be read")                                                    \
	X(CLOSED, "closed", "addresses that a name may not open: private ones, or an earlier rule decides")            \
	X(CAP, "cap", "addresses beyond what a tenant may have open")                                                  \
	X(NO_ROOM, "no-room", "addresses or questions that there was no memory for")                                   \
	X(FOREIGN, "foreign", "name servers asked from a network namespace that is not the host's making")             \
	X(GAP, "gap", "segments of an answer over TCP that came out of order, and were asked for again")               \
	X(EXPIRED, "expired", "addresses whose time was over, and whose place another took")                           \
	X(STEERED, "steered", "connects to nscd or systemd-resolved that were refused, so that DNS is asked")

enum sw_naming {
#define X(id, name, help) SW_NAMING_##id,
	SW_NAMINGS(X)
#undef X
		SW_NAMING_COUNT,
};

#define SW_NAMINGS_MAX 32 /* room, as for reasons; a power of two */

/* Per slot, shared by all CPUs. */
struct sw_naming_counts {
	__u32 tenancy; /* whose they are: of another one, they count as zeroes */
	__u32 turn;    /* of sw_turn: the next that is looked at, modulo `places` */
	__u32 places;  /* of the ring, so far; it grows when all that are looked at are in use */
	__u32 pad;
	__u64 n[SW_NAMINGS_MAX];
};

/* Cgroup storage, keyed by the id of the attached cgroup. All zeroes (not filled yet) refuses everything. */
struct sw_tenant {
	__u32 slot;
	__u32 image;
	__u64 serial;  /* of the image: what an approval on a socket is worth */
	__u64 cgroup;  /* id of the tenant's cgroup */
	__u64 limit;   /* what sw_counts.spent must not reach; SW_NO_LIMIT: no budget */
	__u32 level;   /* its depth below the root of the hierarchy */
	__u32 tenancy; /* of sw_record: what was noted on a socket in another one says nothing of now */
};

/* By way of the loopback device, whatever the address is; and what does so comes from another address than it goes to. */
#define SW_LOCAL        1
#define SW_LOCAL_ASTRAY 2

/* One remote end. */
struct sw_flow {
	struct sw_addr peer;
	__u16 port; /* host byte order */
	__u8 proto; /* enum sw_proto, or SW_PROTOS for any other */
	__u8 local; /* SW_LOCAL..., or 0 */
};

/* What a decision says. */
struct sw_verdict {
	__u16 rule; /* index, SW_RULE_DEFAULT, or SW_RULE_NONE when `reason` is not SW_REASON_RULE */
	__u8 allow;
	__u8 reason;   /* enum sw_reason; of no meaning when allowed */
	__u8 billing;  /* enum sw_billing; of no meaning when refused */
	__u8 resolver; /* SW_ANSWER_RESOLVER, SW_ANSWER_GATED: what is said to and by it is read */
	__u8 pad[2];
	__u32 pattern; /* number of the one that allowed it; 0: a rule without names decided */
};

/*
 * Packets as the wire has them: a GSO packet is the segments it becomes, a datagram larger than the MTU its
 * fragments. Only what passed is counted.
 */
struct sw_traffic {
	__u64 bytes;   /* of the IP layer: from the IP header on, each packet's own */
	__u64 payload; /* of these, what TCP or UDP carries */
	__u64 packets;
};

enum sw_direction {
	SW_EGRESS = 0,
	SW_INGRESS = 1,
	SW_DIRECTIONS = 2,
};

/* Per CPU and slot. */
struct sw_meter {
	struct sw_traffic of[SW_BILLINGS][SW_DIRECTIONS];
};

/*
 * Why something was refused: name in counters and logs, and what an operator reads in `status`.
 * Order is the ABI: add at the end.
 */
#define SW_REASONS(X)                                                                                                  \
	X(RULE, "rule", "the policy's rules or its default refuse this peer")                                          \
	X(NOT_READY, "not-ready", "the cgroup is attached but has no policy yet")                                      \
	X(PROTOCOL, "protocol", "the policy does not allow this family, type or protocol")                             \
	X(LISTEN, "listen", "a socket listened; connections to it are dropped")                                        \
	X(BIND, "bind", "bound to a specific address or port")                                                         \
	X(OPTION, "option", "a socket option that is neither mocked nor passed")                                       \
	X(SOURCE_ROUTE, "source-route", "IPv4 options or an IPv6 routing header hide the real peer")                   \
	X(UNSOLICITED, "unsolicited", "a datagram from a peer the socket never contacted")                             \
	X(TRANSFER, "transfer", "a process outside the tenant used its socket")                                        \
	X(MALFORMED, "malformed", "a packet whose headers could not be read")                                          \
	X(OVER_BUDGET, "over-budget", "the tenant has sent what its budget allows for the day or month")               \
	X(CLOSED, "closed", "the socket had been closed for good before")                                              \
	X(NO_ROOM, "no-room", "no room for what is kept on a socket: memory, or net.core.optmem_max")                  \
	X(GATE, "gate", "a question for a name that no rule has, under gate: dns")                                     \
	X(UNIX, "unix", "a unix socket that the policy does not allow")

enum sw_reason {
#define X(id, name, help) SW_REASON_##id,
	SW_REASONS(X)
#undef X
		SW_REASON_COUNT,
};

/*
 * Why a socket was closed for good, by us: name in counters and logs, and what an operator reads in `status`.
 * 0 stands for a socket that was not.
 */
#define SW_CAUSES(X)                                                                                                   \
	X(IDLE, "idle", "no operation on it for as long as the policy's idle-timeout")                                 \
	X(REVOKED, "revoked", "the policy no longer allows its peer, and says on-revoke: close")                       \
	X(TRANSFER, "transfer", "a process had it that is not of the tenant it was made in")                           \
	X(LISTEN, "listen", "it listened, which the policy does not allow")                                            \
	X(NO_ROOM, "no-room", "nothing could be kept on it: memory, or net.core.optmem_max")                           \
	X(GATE, "gate", "it asked a name server over TCP for a name that no rule has, under gate: dns")                \
	X(LINGERING, "lingering", "its cgroup was removed more than a quarter of an hour before")                      \
	X(DETACHED, "detached", "its tenant was detached")

enum sw_cause {
	SW_CAUSE_NONE = 0,
#define X(id, name, help) SW_CAUSE_##id,
	SW_CAUSES(X)
#undef X
		SW_CAUSE_COUNT,
};

/* Room in the counters for reasons and causes to come: with a new one their layout stays. */
#define SW_REASONS_MAX 32
#define SW_CAUSES_MAX  16

/*
 * Per slot, shared by all CPUs: decisions are rare beside packets. While a build takes over, what programs only add to
 * has a mark in its highest bit (user/kern/counts.c).
 */
struct sw_counts {
	__u64 allowed; /* times that a program named a peer and might; not again a datagram to one the socket had */
	__u64 spent;   /* billable bytes out while the tenant had a limit; what sw_tenant.limit is held against */
	__u64 denied[SW_REASONS_MAX];
	__u64 closed[SW_CAUSES_MAX]; /* sockets; of SW_CAUSE_NONE always 0 */
	__u64 audited;               /* of the denied: let pass by `mode: audit` */
	__u64 log_dropped;           /* denials not logged: over the rate, or over the tenant's share of the ring */
	__u64 log_missed;            /* of these, since the last one that was logged */
	__u64 log_second;            /* boot clock, seconds: which second log_count counts */
	__u64 log_count;
	__u64 log_unread; /* of those in the ring, since all were read that the tenant had there */
	__u64 log_end;    /* where the ring ended behind its last */
	__u64 called;     /* jiffies: when one of its sockets was last put into the ring of calls, */
	__u64 calls;      /* and how many were within that */
	__u64 removed;    /* boot clock, seconds: when a pass first saw that its cgroup was removed; 0: none has */
};

#define SW_LINGER 900 /* seconds that sockets may outlive their cgroup */

#define SW_LOG_PER_SECOND 100       /* denials logged per tenant and second; the others are only counted */
#define SW_LOG_ROOM       (1 << 20) /* bytes of the ring, and */
#define SW_LOG_SHARE      8         /* which part of what is free a tenant may have */

/* Per slot: where the rules of the image in force are counted. */
struct sw_block {
	__u64 serial; /* of that image: who is still under another one counts nothing */
	__u32 first;  /* counter of rule 0; a multiple of SW_BLOCK */
	__u32 count;  /* of counters: one a rule, and the last for the default; 0: there was no room for them */
};

/* Who was refused by a rule or the default, how often: for people. */
struct sw_refused_key {
	__u32 slot;
	__u32 tenancy; /* of sw_tenant: what an earlier tenant of the slot asked for is not this one's */
	struct sw_flow flow;
	__u16 rule; /* index or SW_RULE_DEFAULT */
	__u16 pad;
};

/*
 * The hooks, in the order they are attached. Egress comes first: once it is pinned, a tenant without
 * its storage filled sends nothing, whatever happens to the rest.
 */
#define SW_HOOKS(X)                                                                                                    \
	X(EGRESS, egress, BPF_CGROUP_INET_EGRESS)                                                                      \
	X(INGRESS, ingress, BPF_CGROUP_INET_INGRESS)                                                                   \
	X(SOCK_CREATE, sock_create, BPF_CGROUP_INET_SOCK_CREATE)                                                       \
	X(CONNECT4, connect4, BPF_CGROUP_INET4_CONNECT)                                                                \
	X(CONNECT6, connect6, BPF_CGROUP_INET6_CONNECT)                                                                \
	X(SENDMSG4, sendmsg4, BPF_CGROUP_UDP4_SENDMSG)                                                                 \
	X(SENDMSG6, sendmsg6, BPF_CGROUP_UDP6_SENDMSG)                                                                 \
	X(BIND4, bind4, BPF_CGROUP_INET4_BIND)                                                                         \
	X(BIND6, bind6, BPF_CGROUP_INET6_BIND)                                                                         \
	X(POST_BIND4, post_bind4, BPF_CGROUP_INET4_POST_BIND)                                                          \
	X(POST_BIND6, post_bind6, BPF_CGROUP_INET6_POST_BIND)                                                          \
	X(GETSOCKOPT, getsockopt, BPF_CGROUP_GETSOCKOPT)                                                               \
	X(SETSOCKOPT, setsockopt, BPF_CGROUP_SETSOCKOPT)                                                               \
	X(SOCKOPS, sockops, BPF_CGROUP_SOCK_OPS)                                                                       \
	X(GETSOCKNAME4, getsockname4, BPF_CGROUP_INET4_GETSOCKNAME)                                                    \
	X(GETSOCKNAME6, getsockname6, BPF_CGROUP_INET6_GETSOCKNAME)                                                    \
	X(GETPEERNAME4, getpeername4, BPF_CGROUP_INET4_GETPEERNAME)                                                    \
	X(GETPEERNAME6, getpeername6, BPF_CGROUP_INET6_GETPEERNAME)                                                    \
	X(RECVMSG4, recvmsg4, BPF_CGROUP_UDP4_RECVMSG)                                                                 \
	X(RECVMSG6, recvmsg6, BPF_CGROUP_UDP6_RECVMSG)                                                                 \
	X(CONNECT_UNIX, connect_unix, SW_CGROUP_UNIX_CONNECT)                                                          \
	X(SENDMSG_UNIX, sendmsg_unix, SW_CGROUP_UNIX_SENDMSG)

/* BPF_CGROUP_UNIX_CONNECT and BPF_CGROUP_UNIX_SENDMSG of Linux 6.7, newer than the headers we build with */
#define SW_CGROUP_UNIX_CONNECT 49
#define SW_CGROUP_UNIX_SENDMSG 50

/* From this one on a hook is used where the kernel has it. A policy that refuses all but some of what these see is not
 * attached where they are not there (user/kern/publish.c). */
#define SW_HOOKS_OPTIONAL SW_HOOK_CONNECT_UNIX

/* In a struct sw_event, where a hook would stand: a pass over the sockets (user/kern/reap.h), or a watch (below). */
#define SW_HOOK_PASS SW_HOOK_COUNT
#define SW_HOOK_USE  (SW_HOOK_PASS + 1)

enum sw_hook {
#define X(id, name, type) SW_HOOK_##id,
	SW_HOOKS(X)
#undef X
		SW_HOOK_COUNT,
};

/*
 * Programs on functions of the kernel, for the whole host: they see operations that no hook of a cgroup does. Each is
 * used where the kernel lets it, and of several that see the same the first. What each one sees, for people.
 */
#define SW_WATCHES(X)                                                                                                  \
	X(RECEIVE, receive, "recv, recvmsg, read, also when there was nothing")                                        \
	X(RECEIVE_ENTRY, receive_entry, "recv, recvmsg, read, also when there was nothing")                            \
	X(RECEIVE_LENGTH, receive_length, "recv, recvmsg, read, also when there was nothing")                          \
	X(SEND, send, "send, sendmsg, write")                                                                          \
	X(SEND_ENTRY, send_entry, "send, sendmsg, write")                                                              \
	X(SEND_LENGTH, send_length, "send, sendmsg, write")                                                            \
	X(SEND_PAGE, send_page, "sendfile and splice into a socket, apart from send")                                  \
	X(DRAIN, drain, "data taken out of TCP by splice")                                                             \
	X(STATE, state, "connect and listen on TCP, whoever's it is")                                                  \
	X(POLL_TCP, poll_tcp, "poll, select, epoll on TCP")                                                            \
	X(POLL_UDP, poll_udp, "poll, select, epoll on UDP")                                                            \
	X(IOCTL4, ioctl4, "ioctl over IPv4")                                                                           \
	X(IOCTL6, ioctl6, "ioctl over IPv6")                                                                           \
	X(SHUTDOWN, shutdown, "shutdown")

enum sw_watch {
#define X(id, name, sees) SW_WATCH_##id,
	SW_WATCHES(X)
#undef X
		SW_WATCH_COUNT,
};

/* One refusal, as the program that refuses describes it. */
struct sw_denial {
	struct sw_flow flow; /* the peer; for bind and listen the local end */
	__u32 pid;      /* thread group in the initial namespace; 0: not known, for a packet was refused whose socket
			      * no pass has seen yet */
	__u8 hook;      /* enum sw_hook */
	__u8 reason;    /* enum sw_reason */
	__u16 rule;     /* for SW_REASON_RULE: index or SW_RULE_DEFAULT */
	__s32 family;   /* of the socket */
	__s32 type;     /* at sock_create: socket type; at getsockopt and setsockopt: level */
	__s32 protocol; /* IP protocol; at getsockopt and setsockopt: option name */
	char comm[16];  /* of the process: what its first thread is called */
};

/* What is said of a socket that was closed. */
struct sw_closing {
	__u64 idle;                 /* milliseconds since the last operation on it that was seen */
	__u64 bytes[SW_DIRECTIONS]; /* payload; of datagrams, since a pass first saw the socket; or SW_NOT_KNOWN */
	__u32 cause;                /* enum sw_cause; SW_CAUSE_NONE: nothing was closed */
	__u32 pad;
};

/* Ring buffer record: a denial with whose it was and the rule, for tenant and policy may be gone when it is
 * read. Or a closing: then `denial` says whose socket it was, and the peer it had. */
struct sw_event {
	__u64 ns;      /* boot clock */
	__u64 dropped; /* denials of this tenant since the last logged, which were not */
	__u32 slot;
	__u32 image;
	__u64 serial; /* of the image */
	struct sw_denial denial;
	struct sw_closing closing;
	__u8 audit; /* 1: it was let pass */
	__u8 pad[3];
	__u32 line;             /* of the rule, 0 when there is none */
	char text[SW_TEXT_MAX]; /* likewise, or empty */
	char tenant[SW_NAME_MAX];
	char policy[SW_NAME_MAX];
	char asked
		[SW_ASKED_MAX]; /* the name that an answer gave for the peer, or that was asked for; backwards; or empty */
};

/*
 * One pass over the sockets: what user space asks of the programs, and what they tell it. One pass at a time.
 */
struct sw_pass {
	__u64 idle;   /* jiffies: closed when idle for as long; SW_NO_LIMIT: each as its policy says */
	__u32 hz;     /* jiffies a second */
	__u32 levels; /* bits 1 << sw_tenant.level of all tenants */
	__u32 slot;   /* only of this tenant; 0: of all */
	__u32 dry;    /* 1: say what would be closed, and close nothing */
	__u32 number; /* of the pass; never 0 */
	__u32 whole;  /* of the last pass before it that left out no table of who may have the host's sockets; 0: none */
	__u32 padding;
	__u32 leaves; /* sw_tenant.tenancy of one that is detached: all of its are closed; 0: of none */
	__u64 steps;  /* objects of any kind that were looked at since the processor was given back */
	__u64 pause;  /* how many of them until that is done again */
	__u64 seen;   /* tenants' sockets that were looked at */
	__u64 closed; /* sockets that were taken out of the kernel's tables */
};

/* Calls of a tenant in a jiffy: beyond that a pass finds what it has. So the ring has room for others. */
#define SW_CALLS_MAX 4

/* A hook has closed a socket in the middle of a call: who called. Read from the ring `calls`. */
struct sw_call {
	__u32 slot;
	__u32 process; /* id, in the first PID namespace */
};

/* The map `pass` has one of each. A walk for calls may be made beside a pass, and needs `steps` and `pause` alone. */
enum sw_pass_of {
	SW_PASS_WHOLE,
	SW_PASS_CALLED,
	SW_PASS_OFS,
};

/* What a process of ours is called that goes to tenants' network namespaces, and does not live there. */
#define SW_WORKER "sockwarden-work"

/* Who has what, as the census finds it: a process, and each thread of it that has something else than the first. */
struct sw_task {
	__u64 netns;  /* cookie of its network namespace; 0: it has none any more */
	__u64 files;  /* its table of descriptors: alike for those who share one; 0: likewise */
	__u32 inode;  /* of the network namespace, in nsfs */
	__u32 thread; /* id, as is `process`, in the PID namespace of who reads this */
	__u32 process;
	__u32 caller; /* the process's id in the first PID namespace: sw_call.process */
	__u32 slot;   /* of the tenant it is a process of, or 0 */
	__u32 padding;
};

/* Objects that a program looks at before it gives the processor back to who reads the iterator; in the survey, at
 * first. */
#define SW_PASS_STEP 8192

/* Depth below the root at which a tenant's cgroup may be: a bit of sw_pass.levels. */
#define SW_LEVELS 32

/* A socket to be closed, as the pass found it; user space reads these from the iterator. */
struct sw_found {
	__u64 cookie; /* of the socket: never given out again */
	__u64 netns;  /* likewise of its network namespace */
	__u64 file;   /* inode that descriptors of it have, or 0: none can */
	struct sw_closing closing;
	struct sw_flow peer;  /* all zeroes: it has none */
	struct sw_flow local; /* of no meaning while `bound` is 0 */
	__u32 inode;          /* of the namespace, in nsfs */
	__u32 device;         /* it is bound to, or 0 */
	__u32 slot;
	__u32 pid;   /* thread group that made it, or 0 */
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 state;  /* as tcp_states.h has it */
	__u8 bound;  /* 1: it is in the kernel's tables, so that there is something to take out; 0: what we say of it is
			all */
	__u8 fresh;  /* 1: this pass closes it; 0: an earlier one did, and it is still there */
	__u8 pad[4];
	char comm[16];
};

/*
 * User space's notes on a slot. The programs read the name, for the log. A slot is free while `tenancy` is 0;
 * attached while `cgroup` is not; and in between it has ended and waits for the ledger to book its last bytes.
 */
struct sw_record {
	__u64 cgroup;
	__u64 tenancy; /* counts up with each attach; with sw_host.epoch a name that is never given out again */
	__u64 since;   /* CLOCK_REALTIME, seconds */
	__u64 unspent; /* billable bytes out that sw_counts.spent lacks: sent while there was no limit */
	__u64 lingers; /* 1: its cgroup and its name are gone, but not its last sockets, which are held to the policy
			  still */
	__u8 hash[32]; /* of the image last put into force */
	char name[SW_NAME_MAX];
	char path[SW_PATH_MAX];   /* of the cgroup directory, as it was at attach */
	char policy[SW_PATH_MAX]; /* where the policy came from: a name to search for, or an absolute path */
};

/* A tenant's name as a key. */
struct sw_name {
	char text[SW_NAME_MAX]; /* zeroes behind it */
};

/*
 * A tenant that is to be attached whenever its cgroup exists: noted by attach, struck out by detach. While the cgroup
 * is not there, or has been made anew, it is `unprotected`. The daemon attaches it again, and keeps the notes over a
 * boot.
 */
struct sw_wanted {
	char path[SW_PATH_MAX];   /* as in sw_record */
	char policy[SW_PATH_MAX]; /* likewise */
};

/* What put the programs into the kernel. */
struct sw_host {
	__u8 unused[32]; /* builds before struct sw_identity said here which they are */
	__u64 epoch;     /* drawn at random when the maps were made: counters of two epochs have nothing in common */
	__u64 serial;    /* the last number given out, of an image or a tenancy */
	__u64 resolvers; /* resolv_hash() of the host's name servers, as the policies in force have them; 0: there is no
			  * policy yet */
	__u64 ledger; /* id of the ledger that books here, so that a slot which has ended is kept until it did; 0: none
		       */
	char path[SW_PATH_MAX]; /* of that ledger */
};

#define SW_IDENTITY_MAPS 32

/* Which build the programs are of that are pinned, and how their maps are laid out (bpf/identity.c). Never changed. */
struct sw_identity {
	__u32 version; /* of this struct: 1 */
	__u32 maps;    /* how many of `map` are in use */
	__u8 build[32];
	__u8 layout[32]; /* of all maps */
	struct {
		char name[16];
		__u64 hash; /* of its definition */
	} map[SW_IDENTITY_MAPS];
};

/* A part of a value of another layout, and where it lies in ours; bytes. */
struct sw_move {
	__u16 from, to;
	__u16 len; /* at most SW_MOVE_MAX; 0: there are no more */
};

#define SW_MOVES_MAX 64
#define SW_MOVE_MAX  32

#define SW_LAYOUT(type, size) _Static_assert(sizeof(struct type) == (size), "layout of struct " #type)
SW_LAYOUT(sw_addr, 16);
SW_LAYOUT(sw_prefix, 20);
SW_LAYOUT(sw_class, 8);
SW_LAYOUT(sw_span, 8);
SW_LAYOUT(sw_settings, 80 + SW_NAME_MAX + 32);
SW_LAYOUT(sw_text, 8 + SW_TEXT_MAX);
SW_LAYOUT(sw_option, 32);
SW_LAYOUT(sw_unix, 16 + SW_UNIX_TEXT);
SW_LAYOUT(sw_row, 8 + SW_TEXT_MAX);
SW_LAYOUT(sw_pattern, 16);
SW_LAYOUT(sw_domain, 4 + SW_DOMAIN_MAX);
SW_LAYOUT(sw_domain_rule, 8);
SW_LAYOUT(sw_grant_key, 20);
SW_LAYOUT(sw_grant, 16 + 8 * SW_GRANT_PATTERNS + SW_ASKED_MAX);
SW_LAYOUT(sw_turn, 8);
SW_LAYOUT(sw_naming_counts, 16 + 8 * SW_NAMINGS_MAX);
SW_LAYOUT(sw_tenant, 40);
SW_LAYOUT(sw_flow, 20);
SW_LAYOUT(sw_meter, 96);
SW_LAYOUT(sw_counts, 8 * (12 + SW_REASONS_MAX + SW_CAUSES_MAX));
SW_LAYOUT(sw_block, 16);
SW_LAYOUT(sw_refused_key, 32);
SW_LAYOUT(sw_denial, 56);
SW_LAYOUT(sw_closing, 32);
SW_LAYOUT(sw_event, 128 + SW_TEXT_MAX + 2 * SW_NAME_MAX + SW_ASKED_MAX);
SW_LAYOUT(sw_pass, 72);
SW_LAYOUT(sw_found, 136);
SW_LAYOUT(sw_record, 72 + SW_NAME_MAX + 2 * SW_PATH_MAX);
SW_LAYOUT(sw_name, SW_NAME_MAX);
SW_LAYOUT(sw_wanted, 2 * SW_PATH_MAX);
SW_LAYOUT(sw_host, 64 + SW_PATH_MAX);
SW_LAYOUT(sw_move, 6);
SW_LAYOUT(sw_identity, 72 + 24 * SW_IDENTITY_MAPS);
#undef SW_LAYOUT

#endif
