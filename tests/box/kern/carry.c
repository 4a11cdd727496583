// SPDX-License-Identifier: GPL-2.0-only
/* What two builds have kept on one socket, made one by who takes over. That their layouts may differ is tested by e2e/upgrade. */
#include "../../pure/unit/test.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carry.h"
#include "loader.h"

#define KEPT_MAX 512

/* A socket's value in the map `socks`, by the names of its members. */
struct kept {
	unsigned char of[KEPT_MAX];
};

static struct sockwarden *theirs, *ours;
static struct btf *btf;
static __u32 type;

static void *member(struct kept *kept, const char *name, size_t *size)
{
	const struct btf_type *all = btf__type_by_id(btf, type);
	const struct btf_member *members = btf_members(all);

	for (int i = 0; i < btf_vlen(all); i++)
		if (!strcmp(btf__name_by_offset(btf, members[i].name_off), name)) {
			*size = btf__resolve_size(btf, members[i].type);
			return kept->of + members[i].offset / 8;
		}
	fail_msg("no member %s", name);
	return NULL;
}

/* Little-endian, as every machine that this is built for. */
static void set(struct kept *kept, const char *name, __u64 value)
{
	size_t size;
	void *at = member(kept, name, &size);

	memcpy(at, &value, size);
}

static __u64 get(struct kept *kept, const char *name)
{
	__u64 value = 0;
	size_t size;
	const void *at = member(kept, name, &size);

	memcpy(&value, at, size);
	return value;
}

static struct kept noted(__u64 version, __u64 active, __u64 approved, __u64 closed)
{
	struct kept kept = { 0 };

	set(&kept, "version", version);
	set(&kept, "active", active);
	set(&kept, "approved", approved);
	set(&kept, "closed", closed);
	set(&kept, "owner", 7);
	return kept;
}

/* Ours, when theirs were carried over. NULL: nothing is kept there. */
static struct kept carried(struct kept *of_theirs, struct kept *of_ours)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int from = loader_map(theirs, MAP_socks), to = loader_map(ours, MAP_socks);
	struct kept kept = { 0 };
	struct fault fault;

	assert_true(sock >= 0);
	if (of_theirs)
		assert_int_equal(bpf_map_update_elem(from, &sock, of_theirs, BPF_ANY), 0);
	if (of_ours)
		assert_int_equal(bpf_map_update_elem(to, &sock, of_ours, BPF_ANY), 0);
	assert_int_equal(carry_sockets(ours, from, &fault), 0);
	assert_int_equal(bpf_map_lookup_elem(to, &sock, &kept), 0);
	close(sock);
	return kept;
}

static void what_theirs_have_is_carried(void **state)
{
	struct kept from = noted(4, 100, 11, 0), got = carried(&from, NULL);

	(void)state;
	assert_int_equal(get(&got, "owner"), 7);
	assert_int_equal(get(&got, "approved"), 11);
	assert_int_equal(get(&got, "active"), 100);
	assert_int_equal(get(&got, "version") % 2, 0);
}

static void what_theirs_were_changing_is_asked_again(void **state)
{
	struct kept from = noted(5, 100, 11, 0), got = carried(&from, NULL);

	(void)state;
	assert_int_equal(get(&got, "approved"), 0);
	assert_int_equal(get(&got, "version") % 2, 0);
}

static void what_theirs_closed_is_closed(void **state)
{
	struct kept from = noted(5, 100, 11, 3), to = noted(2, 200, 12, 0), at_it = noted(3, 200, 12, 0);
	struct kept got = carried(&from, &to), got_at_it = carried(&from, &at_it);

	(void)state;
	assert_int_equal(get(&got, "closed"), 3);
	assert_int_equal(get(&got, "version") % 2, 1);
	assert_int_equal(get(&got_at_it, "closed"), 3);
}

static void what_ours_closed_stays_closed(void **state)
{
	struct kept from = noted(2, 200, 11, 0), to = noted(1, 100, 11, 3), got = carried(&from, &to);

	(void)state;
	assert_int_equal(get(&got, "closed"), 3);
	assert_int_equal(get(&got, "version") % 2, 1);
}

static void what_ours_noted_later_is_kept(void **state)
{
	struct kept from = noted(2, 100, 11, 0), to = noted(2, 200, 12, 0), got = carried(&from, &to);

	(void)state;
	assert_int_equal(get(&got, "approved"), 12);
	assert_int_equal(get(&got, "active"), 200);
}

static void an_approval_of_ours_is_kept_where_theirs_have_none(void **state)
{
	struct kept from = noted(2, 200, 0, 0), to = noted(2, 100, 12, 0), got;

	(void)state;
	set(&to, "inbound", 1);
	set(&to, "pattern", 9);
	got = carried(&from, &to);
	assert_int_equal(get(&got, "approved"), 12);
	assert_int_equal(get(&got, "pattern"), 9);
	assert_int_equal(get(&got, "inbound"), 1);
	assert_int_equal(get(&got, "active"), 200);
}

static void what_ours_are_changing_is_left_to_them(void **state)
{
	struct kept from = noted(2, 200, 11, 0), to = noted(3, 100, 12, 0), got = carried(&from, &to);

	(void)state;
	assert_int_equal(get(&got, "approved"), 12);
	assert_int_equal(get(&got, "version"), 3);
}

static int load(void **state)
{
	struct loader_from from;
	struct fault fault;

	(void)state;
	if (loader_load(NULL, &theirs, &fault))
		return -1;
	for (int i = 0; i < MAP_COUNT; i++)
		from.kept[i] = -1;
	from.socks = loader_map(theirs, MAP_socks);
	if (loader_load(&from, &ours, &fault))
		return -1;
	btf = loader_btf(MAP_socks, &type);
	return btf && btf__resolve_size(btf, type) <= KEPT_MAX ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	btf__free(btf);
	loader_free(ours);
	loader_free(theirs);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_theirs_have_is_carried),
		cmocka_unit_test(what_theirs_were_changing_is_asked_again),
		cmocka_unit_test(what_theirs_closed_is_closed),
		cmocka_unit_test(what_ours_closed_stays_closed),
		cmocka_unit_test(what_ours_noted_later_is_kept),
		cmocka_unit_test(an_approval_of_ours_is_kept_where_theirs_have_none),
		cmocka_unit_test(what_ours_are_changing_is_left_to_them),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
