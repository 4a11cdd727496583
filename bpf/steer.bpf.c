// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unix sockets: which ones may be reached, by the path or the abstract name that the caller writes. Among them are
 * local services that answer for DNS. What they are told no socket of the tenant's hears, so no name would open
 * anything: they are found to be down, and the C library asks DNS itself. Linux 6.7.
 */
#include "tenant.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sockaddr_un {
	char sun_path[108];
};

struct bpf_sock_addr_kern {
	struct sockaddr *uaddr;
	u32 uaddrlen;
};

#pragma clang attribute pop

#define PATH_MAX 108

/*
 * The context is the kernel's own struct. Copied, not cast to (6.2): bpftool 7.1 cannot link an object with two files
 * that call the same function of the kernel. Only the first `uaddrlen` bytes of the address are the caller's. An
 * abstract name is all of them, a path ends at a zero.
 */
static __always_inline void path_read(const struct bpf_sock_addr_kern *from, struct sw_unix *path)
{
	const struct sockaddr_un *addr = (void *)BPF_CORE_READ(from, uaddr);
	__u32 len = BPF_CORE_READ(from, uaddrlen) - bpf_core_field_offset(addr->sun_path);

	hide(len);
	if (len > PATH_MAX)
		len = PATH_MAX;
	bpf_core_read(path->text, 1, &addr->sun_path);
	if (*path->text)
		path->len = bpf_core_read_str(path->text, len + 1, &addr->sun_path) - 1;
	else if (!bpf_core_read(path->text, len, &addr->sun_path))
		path->len = len;
}

static __always_inline bool same_path(const struct sw_unix *a, const struct sw_unix *b)
{
	__u64 differs = a->len ^ b->len;

	for (unsigned i = 0; i < sizeof(a->words) / sizeof(*a->words); i++)
		differs |= a->words[i] ^ b->words[i];
	return !differs;
}

static __always_inline enum sw_unix_answer answer_for(const struct scope *scope, const struct sw_unix *path)
{
	void *table = bpf_map_lookup_elem(&tables, &scope->tenant->image);

	for (__u32 i = 0; i < SW_UNIX_MAX && i < scope->settings->unix_count; i++) {
		struct sw_row *row = table_row(table, scope->settings->unix_at + i);

		if (row && same_path(&row->path, path))
			return row->path.answer;
	}
	return scope->settings->unix_others ? SW_UNIX_ALLOW : SW_UNIX_DENY;
}

static __noinline int refuse_unix(const struct scope *scope, enum sw_hook hook, struct sw_unix *path)
{
	struct sw_denial denial = {
		.hook = hook,
		.reason = SW_REASON_UNIX,
		.rule = SW_RULE_NONE,
		.family = AF_UNIX,
		.flow.proto = SW_PROTOS,
	};
	int ret;

	if (!*path->text && path->len)
		*path->text = '@';
	denial.pid = caller(denial.comm);
	ret = refuse_path(scope->tenant, scope->settings, &denial, path);
	if (ret == REFUSE)
		bpf_set_retval(-EACCES);
	return ret;
}

static __always_inline int reach(struct bpf_sock_addr *ctx, enum sw_hook hook)
{
	struct sw_unix path = { 0 };
	enum sw_unix_answer answer;
	struct scope scope;

	if (!scope_get(&scope))
		return REFUSE;
	if (scope.settings->unix_others && !scope.settings->unix_count)
		return PASS;
	path_read((void *)ctx, &path);
	answer = answer_for(&scope, &path);
	if (answer == SW_UNIX_ALLOW)
		return PASS;
	if (answer == SW_UNIX_DENY)
		return refuse_unix(&scope, hook, &path);
	naming_count(scope.tenant->slot, SW_NAMING_STEERED);
	bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}

SEC("cgroup/connect_unix") int sw_connect_unix(struct bpf_sock_addr *ctx)
{
	return reach(ctx, SW_HOOK_CONNECT_UNIX);
}

SEC("cgroup/sendmsg_unix") int sw_sendmsg_unix(struct bpf_sock_addr *ctx)
{
	return reach(ctx, SW_HOOK_SENDMSG_UNIX);
}

char LICENSE[] SEC("license") __weak = "GPL";
