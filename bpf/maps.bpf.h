/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map of the BPF side. They are __weak because each object file that is linked into the skeleton
 * brings the same definitions; the linker keeps one of each. A member of a value that changes its meaning must change
 * its name, for another build's values are read by these (user/kern/fields.h). Who writes what is said once, here:
 *
 *   map        written by                   read by
 *   tenants    user space, one store        every program, at no cost: storage of the attached cgroup
 *   tries      user space, once an image    the decision
 *   tables     user space, once an image    the decision, the socket option programs, the log, user space
 *   settings   user space, once an image    programs
 *   verdicts   programs                     programs: what they decided before
 *   socks      programs                     programs
 *   contacts   programs                     programs
 *   meters     the packet programs          user space
 *   counts     programs                     user space
 *   blocks     user space, with the tenant  programs
 *   hits       programs                     user space
 *   refused    programs                     user space
 *   events     programs                     user space
 *   records    user space                   the log, user space
 *   wanted     user space                   user space
 *   owners     user space, with `tenants`   the passes over sockets, the watches
 *   pass       both, in turn                both
 *   calls      programs                     the daemon, which then makes a pass at once
 *   host       user space                   user space
 *   names      user space, once an image    the reader of answers
 *   patterns   user space                   user space
 *   grants     the reader of answers        the decision, user space
 *   turns      the reader of answers        the reader of answers, user space
 *   heard      the reader of answers        the log
 *   namings    the reader of answers        user space
 *   questions  programs                     the reader of answers
 *   streams    the reader of answers        the reader of answers
 *   works      the reader of answers        the reader of answers
 */
#ifndef SW_MAPS_BPF_H
#define SW_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* Shared by all programs of a tenant; user space fills it by cgroup id, as the last step of attach. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct sw_tenant);
} tenants __weak SEC(".maps");

/* An image's inner maps are made to measure by user space; these say their shape only. */
struct sw_trie {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct sw_prefix));
	__uint(value_size, sizeof(struct sw_class));
};

struct sw_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sw_row));
};

#define SW_PER_IMAGE(name, inner)                                                                                      \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                                              \
		__uint(max_entries, SW_IMAGES_MAX);                                                                    \
		__type(key, __u32);                                                                                    \
		__array(values, struct inner);                                                                         \
	} name __weak SEC(".maps")

SW_PER_IMAGE(tries, sw_trie);
SW_PER_IMAGE(tables, sw_table);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_IMAGES_MAX);
	__type(key, __u32);
	__type(value, struct sw_settings);
} settings __weak SEC(".maps");

/* A decision that said yes. */
struct sw_kept {
	struct sw_flow flow;
	__u32 version; /* odd while the rest changes */
	__u64 serial;  /* of the image that decided; 0: there is nothing here */
	__u16 rule;    /* as in sw_verdict, and so on to the end */
	__u8 billing;
	__u8 resolver;
	__u32 pattern; /* of a contact; what a name opened is in no table, for that ends */
} __attribute__((aligned(8)));

/*
 * A decision in which no name has a part depends on nothing but the flow and the image, whose serial is never given out
 * again. So what is kept here may be gone, and can never be wrong. The place of a flow is computed, and what was there is overwritten. Each CPU has
 * a table of its own. The table is pinned nowhere and goes with its programs: those of another build may decide
 * otherwise.
 */
#define SW_VERDICT_BITS 10

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << SW_VERDICT_BITS);
	__type(key, __u32);
	__type(value, struct sw_kept);
} verdicts __weak SEC(".maps");

/*
 * What we know of one socket. Most have none of it: it is made when there is something to keep (docs/design.md says
 * when), or when a pass first sees the socket.
 */
enum sw_asks {
	SW_READ = 1,     /* what it asks is read, for the gate */
	SW_LEARN = 2,    /* and is remembered, and what it is answered is learned */
	SW_LEARN_ON = 3, /* and what is kept of its stream is of this connection */
};

struct sw_sock {
	__u32 version;  /* of flow, approved and billing; odd while they change: two threads may send on one UDP socket;
			 * and for good once the socket is closed, so that nothing is approved on it any more */
	__u32 looked;   /* sw_pass.number of the last pass that looked at it */
	__u64 approved; /* serial of the image that allowed `flow`; 0: none did */
	__u64 active;   /* jiffies: the last operation of the tenant that was seen */
	__u64 owner;    /* id of the tenant's cgroup; of a socket from outside, the tenant's it was found in */
	__u64 payload[SW_DIRECTIONS]; /* of datagrams, bytes; two CPUs that send at once may lose some of them here */
	__u64 moved;                  /* how far its data had come when a pass last looked */
	__u64 judged;        /* serial of the image that last found its peer allowed in a pass, or SW_AT_CONNECT; of a
			      * connection that came in, that said how it is billed */
	struct sw_flow flow; /* the peer approved: the last, or for datagrams the first */
	__u8 binding;        /* enum sw_bind: what the bind hook let pass */
	__u8 inbound;        /* accepted from a listener the policy allows */
	__u8 billing;        /* enum sw_billing of `flow` */
	__u8 closed;         /* enum sw_cause */
	__u8 told;           /* user space has been told that it is closed */
	__u8 came_billing;   /* enum sw_billing, of a connection that came in */
	__u8 asks;           /* enum sw_asks: its peer is a name server */
	__u8 resolver;       /* as in sw_verdict, of `flow` */
	__u32 pid;     /* thread group that used it when this was made, or that a pass found it in; 0: neither yet */
	__u32 tenancy; /* sw_tenant.tenancy when it was last used or looked at: between two of them no hook runs */
	__u32 pattern; /* the name by which `flow` was allowed; it stays so, for as long as the policy has it */
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sw_sock);
} socks __weak SEC(".maps");

#define SW_AT_CONNECT SW_NO_LIMIT /* its peer was allowed when it was named, by whichever image: no serial */

/* The peers that a UDP socket was approved for beside its first, the last so many; most sockets have none. */
#define SW_CONTACTS 32
#define SW_HINTS    16

struct sw_contacts {
	__u32 next; /* the one that is replaced next */
	__u32 pad;
	__u8 hint[SW_HINTS]; /* by hash of a flow: where one like it was last found */
	struct sw_kept of[SW_CONTACTS];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sw_contacts);
} contacts __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, __u32);
	__type(value, struct sw_meter);
} meters __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, __u32);
	__type(value, struct sw_counts);
} counts __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, __u32);
	__type(value, struct sw_block);
} blocks __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_HITS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} hits __weak SEC(".maps");

/* One table for all tenants, so that it is small; each has room while others ask for little in vain. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, struct sw_refused_key);
	__type(value, __u64);
} refused __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SW_LOG_ROOM);
} events __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, __u32);
	__type(value, struct sw_record);
} records __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, struct sw_name);
	__type(value, struct sw_wanted);
} wanted __weak SEC(".maps");

/* What `tenants` has, by cgroup, for programs that run in no cgroup. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, __u64);
	__type(value, struct sw_tenant);
} owners __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_PASS_OFS);
	__type(key, __u32);
	__type(value, struct sw_pass);
} pass __weak SEC(".maps");

/* struct sw_call */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18); /* of whole pages, wherever these are large */
} calls __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_host);
} host __weak SEC(".maps");

/* What names are for: names.bpf.h. */
struct sw_name_trie {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct sw_domain));
	__uint(value_size, sizeof(struct sw_domain_rule));
};

SW_PER_IMAGE(names, sw_name_trie);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SW_PATTERNS_MAX);
	__type(key, struct sw_pattern_text);
	__type(value, __u32);
} patterns __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SW_GRANTS_MAX);
	__type(key, struct sw_grant_key);
	__type(value, struct sw_grant);
} grants __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SW_GRANTS_MAX);
	__type(key, struct sw_turn);
	__type(value, struct sw_addr);
} turns __weak SEC(".maps");

/* One table for all tenants, for people: what was heard longest ago goes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sw_grant_key);
	__type(value, struct sw_heard);
} heard __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_TENANTS_MAX);
	__type(key, __u32);
	__type(value, struct sw_naming_counts);
} namings __weak SEC(".maps");

/* Questions that a socket has open: of each a tag of all that its answer must repeat, and the second it was asked. */
#define SW_QUESTIONS 64

struct sw_questions {
	__u64 seed;    /* of this socket's tags; 0: none yet */
	__u32 next;    /* the one that is replaced next */
	__u32 strange; /* answers to none of them since one was asked */
	__u64 of[SW_QUESTIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sw_questions);
} questions __weak SEC(".maps");

#endif
