/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every program begins with (whose socket is this, under which settings) and ends with when the
 * answer is no (count, log, and say so unless the policy only audits).
 */
#ifndef SW_TENANT_BPF_H
#define SW_TENANT_BPF_H

#include "addr.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "uapi.bpf.h"

#define PASS   1
#define REFUSE 0

#define SW_DNS_PORT 53

/* Where we are: the tenant whose cgroup the program is attached to, and its image's settings. Never NULL. */
struct scope {
	const struct sw_tenant *tenant;
	const struct sw_settings *settings;
};

static __always_inline bool scope_get(struct scope *scope)
{
	scope->tenant = bpf_get_local_storage(&tenants, 0);
	scope->settings = bpf_map_lookup_elem(&settings, &scope->tenant->image);
	return scope->settings != NULL;
}

static __always_inline __u8 proto_of(__u32 ipproto)
{
	return ipproto == IPPROTO_TCP ? SW_TCP : ipproto == IPPROTO_UDP ? SW_UDP : SW_PROTOS;
}

/* An allow-list: whatever is not plain TCP or UDP, in the protocols the policy speaks, is refused. */
static __always_inline bool socket_allowed(const struct sw_settings *settings, const struct bpf_sock *sk)
{
	if (sk->family != AF_INET && sk->family != AF_INET6)
		return false;
	if (sk->type == SOCK_STREAM && sk->protocol == IPPROTO_TCP)
		return settings->protocols & 1 << SW_TCP;
	if (sk->type == SOCK_DGRAM && sk->protocol == IPPROTO_UDP)
		return settings->protocols & 1 << SW_UDP;
	return false;
}

/* Of an image's table. */
static __always_inline struct sw_row *table_row(void *table, __u32 row)
{
	return table ? bpf_map_lookup_elem(table, &row) : NULL;
}

static __always_inline void count_hit(const struct sw_tenant *tenant, __u32 rule)
{
	struct sw_block *block = bpf_map_lookup_elem(&blocks, &tenant->slot);
	__u32 counter;
	__u64 *hit;

	if (!block || block->serial != tenant->serial || !block->count)
		return;
	counter = rule == SW_RULE_DEFAULT ? block->count - 1 : rule;
	if (counter >= block->count)
		return;
	counter += block->first;
	hit = bpf_map_lookup_elem(&hits, &counter);
	if (hit)
		__sync_fetch_and_add(hit, 1);
}

#define hide(x) asm volatile("" : "+r"(x)) /* from clang, which would ask another register than the verifier looks at */

/* `what`: enum sw_naming. */
static __always_inline void naming_count(__u32 slot, __u32 what)
{
	struct sw_naming_counts *c = bpf_map_lookup_elem(&namings, &slot);

	hide(what);
	if (c)
		__sync_fetch_and_add(&c->n[what & (SW_NAMINGS_MAX - 1)], 1);
}

/* For people: which peers a tenant asks for in vain. What is asked for least goes when there is no room. */
static __always_inline void count_refused(const struct sw_tenant *tenant, const struct sw_denial *denial)
{
	struct sw_refused_key key = {
		.slot = tenant->slot,
		.tenancy = tenant->tenancy,
		.flow = denial->flow,
		.rule = denial->rule,
	};
	__u64 *times = bpf_map_lookup_elem(&refused, &key), once = 1;

	if (times)
		__sync_fetch_and_add(times, 1);
	else
		bpf_map_update_elem(&refused, &key, &once, BPF_ANY);
}

/*
 * At most SW_LOG_PER_SECOND events a tenant and second. Two CPUs that see a new second at once may both
 * reset the count; the price is a few events more, and no lock.
 */
static __always_inline bool log_in_time(struct sw_counts *counts, __u64 now)
{
	__u64 second = now / 1000000000;

	if (counts->log_second != second) {
		counts->log_second = second;
		counts->log_count = 0;
	}
	return __sync_fetch_and_add(&counts->log_count, 1) < SW_LOG_PER_SECOND;
}

#define SW_LOG_RECORD ((sizeof(struct sw_event) + BPF_RINGBUF_HDR_SZ + 7) & ~7UL)

/*
 * A tenant may have a part of what is free of the ring, so that others find room, however many flood it and however
 * late it is read. What it has there is counted from when the last of it was read; a last one beyond the ring's end was
 * in another ring, of an earlier build.
 */
static __always_inline bool log_has_room(struct sw_counts *counts)
{
	__u64 read = bpf_ringbuf_query(&events, BPF_RB_CONS_POS),
	      unread = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (counts->log_end - read - 1 >= unread)
		counts->log_unread = 0;
	return (counts->log_unread + 1) * SW_LOG_SHARE * SW_LOG_RECORD + unread <= SW_LOG_ROOM;
}

/* What an operator calls the rule that decided, or the unix socket. */
static __always_inline void name_rule(struct sw_event *event, const struct sw_tenant *tenant,
				      const struct sw_settings *settings, const struct sw_unix *path)
{
	const struct sw_denial *denial = &event->denial;
	bool has = denial->reason == SW_REASON_RULE && denial->rule < settings->rules;
	void *table = bpf_map_lookup_elem(&tables, &tenant->image);
	struct sw_row *row = has ? table_row(table, settings->texts_at + denial->rule) : NULL;

	if (row) {
		event->line = row->text.line;
		__builtin_memcpy(event->text, row->text.text, sizeof(event->text));
		return;
	}
	event->line = 0;
	__builtin_memset(event->text, 0, sizeof(event->text));
	if (path)
		__builtin_memcpy(event->text, path->text, sizeof(path->text));
}

/* What is wrong is counted and logged, and let pass. */
static __always_inline bool lenient(const struct sw_settings *settings, enum sw_reason reason)
{
	return (settings->audit && reason != SW_REASON_CLOSED) ||
	       (reason == SW_REASON_OVER_BUDGET && settings->budget_log);
}

/* The name that was asked for, or that the tenant was told the peer's address for. */
static __always_inline void name_asked(struct sw_event *event, const struct sw_tenant *tenant)
{
	struct sw_grant_key key = { .tenancy = tenant->tenancy };
	struct sw_heard *told;
	struct sw_grant *grant;

	if (event->denial.reason != SW_REASON_GATE)
		key.addr = event->denial.flow.peer;
	told = bpf_map_lookup_elem(&heard, &key);
	grant = told ? NULL : bpf_map_lookup_elem(&grants, &key);
	if (told)
		__builtin_memcpy(event->asked, told->asked, sizeof(event->asked));
	else if (grant)
		__builtin_memcpy(event->asked, grant->asked, sizeof(event->asked));
	else
		__builtin_memset(event->asked, 0, sizeof(event->asked));
}

static __always_inline bool log_write(const struct sw_tenant *tenant, const struct sw_settings *settings,
				      struct sw_counts *counts, const struct sw_denial *denial,
				      const struct sw_closing *closing, const struct sw_unix *path, __u64 now)
{
	struct sw_record *record = bpf_map_lookup_elem(&records, &tenant->slot);
	struct sw_event *event = record ? bpf_ringbuf_reserve(&events, sizeof(*event), 0) : NULL;

	if (!event)
		return false;
	__sync_fetch_and_add(&counts->log_unread, 1);
	counts->log_end = bpf_ringbuf_query(&events, BPF_RB_PROD_POS);
	event->ns = now;
	event->dropped = __sync_lock_test_and_set(&counts->log_missed, 0);
	event->slot = tenant->slot;
	event->image = tenant->image;
	event->serial = tenant->serial;
	event->denial.flow = denial->flow;
	barrier(); /* or clang reads all of it before it writes any, with the stack for what is in between */
	__builtin_memcpy(&event->denial.pid, &denial->pid, sizeof(*denial) - offsetof(struct sw_denial, pid));
	barrier();
	if (closing)
		event->closing = *closing;
	else
		__builtin_memset(&event->closing, 0, sizeof(event->closing));
	name_rule(event, tenant, settings, path);
	name_asked(event, tenant);
	event->audit = !closing && lenient(settings, denial->reason);
	__builtin_memset(event->pad, 0, sizeof(event->pad));
	__builtin_memcpy(event->tenant, record->name, sizeof(event->tenant));
	__builtin_memcpy(event->policy, settings->policy, sizeof(event->policy));
	bpf_ringbuf_submit(event, 0);
	return true;
}

/* Or counts that it was not. `closing` NULL: nothing was closed. `path` NULL: no unix socket was refused. */
static __always_inline void log_event(const struct sw_tenant *tenant, const struct sw_settings *settings,
				      struct sw_counts *c, const struct sw_denial *denial,
				      const struct sw_closing *closing, const struct sw_unix *path)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (log_in_time(c, now) && log_has_room(c) && log_write(tenant, settings, c, denial, closing, path, now))
		return;
	__sync_fetch_and_add(&c->log_dropped, 1);
	__sync_fetch_and_add(&c->log_missed, 1);
}

/*
 * The one way to refuse: counts and logs the denial, whose particulars the caller has filled in, and returns
 * what the program must return: PASS under `mode: audit`. `path` as in log_event().
 */
static __always_inline int refuse_path(const struct sw_tenant *tenant, const struct sw_settings *settings,
				       struct sw_denial *denial, const struct sw_unix *path)
{
	__u32 slot = tenant->slot, reason = slot ? denial->reason : SW_REASON_NOT_READY;
	struct sw_counts *c = bpf_map_lookup_elem(&counts, &slot);

	if (!c || reason >= SW_REASON_COUNT)
		return REFUSE;
	denial->reason = reason;
	__sync_fetch_and_add(&c->denied[reason], 1);
	if (reason == SW_REASON_RULE) {
		count_hit(tenant, denial->rule);
		count_refused(tenant, denial);
	}
	if (lenient(settings, reason))
		__sync_fetch_and_add(&c->audited, 1);
	log_event(tenant, settings, c, denial, NULL, path);
	return lenient(settings, reason) ? PASS : REFUSE;
}

static __noinline int refuse(const struct sw_tenant *tenant, const struct sw_settings *settings,
			     struct sw_denial *denial)
{
	return refuse_path(tenant, settings, denial, NULL);
}

/*
 * Who calls: the process, by what its first thread is called, for operators know no threads. The helper that gives its
 * number is not there for sockops before 6.10.
 */
static __always_inline __u32 caller(char comm[16])
{
	struct task_struct *task = bpf_get_current_task_btf();

	__builtin_memcpy(comm, task->group_leader->comm, 16);
	return task->tgid;
}

/* Who tries MPTCP first must be told in the one way in which all libraries then take TCP. */
static __always_inline int errno_of(const struct sw_denial *denial)
{
	if (denial->reason == SW_REASON_CLOSED)
		return -ECONNABORTED;
	if (denial->reason == SW_REASON_PROTOCOL && denial->protocol == IPPROTO_MPTCP)
		return -EPROTONOSUPPORT;
	return -EACCES;
}

/* refuse() for hooks that run in the program's own system call: adds who called, and chooses errno. */
static __always_inline int refuse_call(const struct scope *scope, struct sw_denial *denial)
{
	int ret;

	denial->pid = caller(denial->comm);
	ret = refuse(scope->tenant, scope->settings, denial);
	if (ret == REFUSE)
		bpf_set_retval(errno_of(denial));
	return ret;
}

/*
 * A socket belongs to the tenant that made it, and its hooks follow it; the process that uses it may be
 * someone else's. True when that is so and the policy does not permit it.
 */
static __always_inline bool used_by_stranger(const struct scope *scope)
{
	return !scope->settings->transfer &&
	       bpf_get_current_ancestor_cgroup_id(scope->tenant->level) != scope->tenant->cgroup;
}

#endif
