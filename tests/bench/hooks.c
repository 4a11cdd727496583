// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each hook alone: three clients that do the same, one without a program on the hook, one with an empty one,
 * one with sockwarden's. What a hook needs to have happened before (a peer was named, a bind was seen) is done
 * by sockwarden's own program on `before`, which all three clients have.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "names.h"

#define PINS "/sys/fs/bpf/sockwarden/host/"

enum who { NONE, EMPTY, OURS, WHO_COUNT };

static const struct row {
	enum sw_hook hook;
	enum load_id load;
	int before; /* enum sw_hook, or -1 */
} rows[] = {
	{ SW_HOOK_EGRESS, LOAD_SEND_NULL, SW_HOOK_CONNECT4 },
	{ SW_HOOK_INGRESS, LOAD_INGRESS, SW_HOOK_CONNECT4 },
	{ SW_HOOK_SOCK_CREATE, LOAD_SOCKET, -1 },
	{ SW_HOOK_CONNECT4, LOAD_CONNECT4, -1 },
	{ SW_HOOK_CONNECT4, LOAD_CONNECT4_TWO, -1 },
	{ SW_HOOK_CONNECT6, LOAD_CONNECT6, -1 },
	{ SW_HOOK_SENDMSG4, LOAD_SENDTO4, -1 },
	{ SW_HOOK_SENDMSG4, LOAD_SENDTO4_TWO, -1 },
	{ SW_HOOK_SENDMSG6, LOAD_SENDTO6, -1 },
	{ SW_HOOK_BIND4, LOAD_BIND4, -1 },
	{ SW_HOOK_BIND6, LOAD_BIND6, -1 },
	{ SW_HOOK_POST_BIND4, LOAD_BIND4, SW_HOOK_BIND4 },
	{ SW_HOOK_POST_BIND6, LOAD_BIND6, SW_HOOK_BIND6 },
	{ SW_HOOK_GETSOCKOPT, LOAD_GET_PASS, -1 },
	{ SW_HOOK_GETSOCKOPT, LOAD_GET_MOCK, -1 },
	{ SW_HOOK_SETSOCKOPT, LOAD_SET_PASS, -1 },
	{ SW_HOOK_SETSOCKOPT, LOAD_SET_MOCK, -1 },
	{ SW_HOOK_SOCKOPS, LOAD_TCP_NEAR, -1 },
	{ SW_HOOK_GETSOCKNAME4, LOAD_NAME4, -1 },
	{ SW_HOOK_GETSOCKNAME6, LOAD_NAME6, -1 },
	{ SW_HOOK_GETPEERNAME4, LOAD_PEER4, -1 },
	{ SW_HOOK_GETPEERNAME6, LOAD_PEER6, -1 },
	{ SW_HOOK_RECVMSG4, LOAD_RECV4, -1 },
	{ SW_HOOK_RECVMSG6, LOAD_RECV6, -1 },
};

static struct programs {
	int ours[SW_HOOK_COUNT];
	int tenants;             /* the map */
	struct sw_tenant tenant; /* of a real one, from which the clients' are made */
} programs;

int pinned(const char *prefix, const char *name)
{
	char path[SW_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), PINS "%s%s", prefix, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void load_all(const char *empty_object, const char *tenant_path)
{
	__u64 id = cgroup_number(tenant_path);

	empty_load(empty_object);
	for (int i = 0; i < SW_HOOKS_OPTIONAL; i++)
		programs.ours[i] = pinned("sw_", hook_name(i));
	programs.tenants = pinned("", "tenants");
	if (bpf_map_lookup_elem(programs.tenants, &id, &programs.tenant))
		die("the tenant's storage: %s", strerror(errno));
}

/* Makes the cgroup a tenant in the programs' eyes. There is storage only where a program that uses it is. */
static void fill(const char *cgroup)
{
	struct sw_tenant tenant = programs.tenant;
	__u64 id = cgroup_number(cgroup);

	tenant.cgroup = id;
	tenant.level = cgroup_level(cgroup);
	if (bpf_map_update_elem(programs.tenants, &id, &tenant, BPF_EXIST) && errno != ENOENT)
		die("storage of %s: %s", cgroup, strerror(errno));
}

static void prepare(struct client *client, const struct row *row, enum who who, int links[2])
{
	links[0] = row->before < 0 ? -1 : hook_hold(client->cgroup, programs.ours[row->before], row->before);
	links[1] = who == NONE    ? -1
		   : who == EMPTY ? hook_hold(client->cgroup, empty_program(row->hook), row->hook)
				  : hook_hold(client->cgroup, programs.ours[row->hook], row->hook);
	fill(client->cgroup);
	client_open(client, row->load);
}

static void release(struct client *client, const int links[2])
{
	client_close(client);
	for (int i = 0; i < 2; i++)
		if (links[i] >= 0)
			close(links[i]);
}

static void measure(struct client clients[], const struct row *row, int ms)
{
	static double ns[WHO_COUNT][ROUNDS];
	int links[WHO_COUNT][2];

	for (int who = 0; who < WHO_COUNT; who++)
		prepare(&clients[who], row, who, links[who]);
	take_turns(clients, WHO_COUNT, ms, ns);
	for (int who = 0; who < WHO_COUNT; who++)
		release(&clients[who], links[who]);
	cell("%s: %s", hook_name(row->hook), loads[row->load].name);
	for (int who = 0; who < WHO_COUNT; who++)
		cell("%.0f", quartiles(ns[who], ROUNDS).median);
	cell("%.0f", quartiles(ns[OURS], ROUNDS).median - quartiles(ns[EMPTY], ROUNDS).median);
	cell_ratio(ratios(ns[OURS], ns[EMPTY], ROUNDS));
}

void bench_hooks(int ms, const char *empty_object)
{
	static const char *const names[] = { "none", "empty", "ours" };
	const char *only = getenv("BENCH_HOOK");
	struct client clients[WHO_COUNT];
	char policy[SW_PATH_MAX], tenant[SW_PATH_MAX];

	cgroup_add("tenant", tenant);
	policy_write(10, 0, policy);
	attach(tenant, "bench-hooks", policy);
	load_all(empty_object, tenant);
	for (int i = 0; i < WHO_COUNT; i++)
		client_start(&clients[i], names[i]);
	cell("hook: operation");
	cell("none");
	cell("empty");
	cell("sockwarden");
	cell("difference");
	cell("sockwarden/empty");
	cell("quartiles");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!only || !strcmp(only, hook_name(rows[i].hook)))
			measure(clients, &rows[i], ms);
	for (int i = 0; i < WHO_COUNT; i++)
		client_stop(&clients[i]);
	detach("bench-hooks");
	table_print("Each hook alone, ns per operation", 7);
}
