// SPDX-License-Identifier: GPL-2.0-only
/* What tenants have learned, in maps as the programs fill them: read, counted, and forgotten with its tenancy. */
#include "../../pure/unit/test.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include "clock.h"
#include "domain.h"
#include "grants.h"
#include "prefix.h"

#define SHOP 7U /* the tenancies, in slots 1 and 2 */
#define MAIL 8U

static struct host host;

static int make(enum bpf_map_type type, size_t key, size_t value, __u32 entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, how, .map_flags = type == BPF_MAP_TYPE_HASH ? BPF_F_NO_PREALLOC : 0);
	int fd = bpf_map_create(type, "test", key, value, entries, &how);

	assert_true(fd >= 0);
	return fd;
}

static void put(enum sw_map map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(host.map[map], key, value, BPF_ANY), 0);
}

static void number(const char *pattern, __u32 value)
{
	struct sw_domain key = domain_key(pattern);

	put(MAP_patterns, key.text, &value);
}

/* As the reader of answers does it. `end`: seconds from now. */
static void learn(__u32 tenancy, __u32 at, const char *text, const char *name, __u32 pattern, int end)
{
	__u32 now = clock_ns(CLOCK_BOOTTIME) / 1000000000;
	struct sw_turn turn = { tenancy, at };
	struct sw_grant_key key = { .tenancy = tenancy };
	struct sw_grant grant = { .open = { [2] = (__u64)pattern << 32 | (now + end) }, .learned = now, .ttl = 30 };
	struct sw_domain asked = domain_key(name);

	assert_null(addr_parse(text, &key.addr));
	memcpy(grant.asked, asked.text, sizeof(grant.asked));
	put(MAP_turns, &turn, &key.addr);
	put(MAP_grants, &key, &grant);
}

static void fill(void)
{
	struct sw_naming_counts counts = { .tenancy = SHOP, .turn = 3, .n[SW_NAMING_LEARNED] = 3 };
	__u32 slot = 1;

	put(MAP_namings, &slot, &counts);
	counts = (struct sw_naming_counts){ .tenancy = MAIL, .n[SW_NAMING_CAP] = 5 };
	slot = 2;
	put(MAP_namings, &slot, &counts);
	number("smtp.example.com", 100);
	number("*.example.org", 101);
	learn(SHOP, 0, "198.51.100.2", "smtp.example.com", 100, 600);
	learn(SHOP, 1, "2001:db8::7", "a.b.example.org", 101, 600);
	learn(SHOP, SW_GRANTS_EACH - 1, "198.51.100.1", "smtp.example.com", 100, 600);
	learn(SHOP, 2, "198.51.100.3", "smtp.example.com", 100, -1);  /* is over */
	learn(SHOP, 3, "198.51.100.4", "gone.example.com", 102, 600); /* of a pattern that no policy has any more */
	learn(MAIL, 0, "198.51.100.2", "smtp.example.com", 100, 600);
}

static struct report read_of(struct tenancy of)
{
	struct report report = { 0 };
	struct fault fault;

	assert_int_equal(grants_read(&host, of, &report, &fault), 0);
	return report;
}

static void check_line(const struct learned *learned, const char *addr, const char *asked, const char *pattern)
{
	char text[SW_ADDR_TEXT];

	assert_string_equal(addr_format(&learned->addr, text), addr);
	assert_string_equal(learned->asked, asked);
	assert_string_equal(learned->pattern, pattern);
	assert_in_range(learned->left, 1, 600);
	assert_int_equal(learned->ttl, 30);
}

static void what_is_open_is_read_by_name(void **state)
{
	struct report report = read_of((struct tenancy){ SHOP, 1 });

	(void)state;
	assert_int_equal(report.learned.n, 3);
	check_line(&report.learned.v[0], "2001:db8::7", "a.b.example.org", "*.example.org");
	check_line(&report.learned.v[1], "198.51.100.1", "smtp.example.com", "smtp.example.com");
	check_line(&report.learned.v[2], "198.51.100.2", "smtp.example.com", "smtp.example.com");
	report_free(&report);
}

static void counts_are_those_of_the_tenancy(void **state)
{
	struct sw_naming_counts counts;
	struct fault fault;

	(void)state;
	assert_int_equal(grants_counts(&host, (struct tenancy){ SHOP, 1 }, &counts, &fault), 0);
	assert_int_equal(counts.n[SW_NAMING_LEARNED], 3);
	assert_int_equal(grants_counts(&host, (struct tenancy){ MAIL, 1 }, &counts, &fault), 0);
	assert_int_equal(counts.n[SW_NAMING_LEARNED], 0);
}

static size_t entries(enum sw_map map)
{
	unsigned char key[SW_DOMAIN_MAX], last[SW_DOMAIN_MAX];
	size_t n = 0;

	while (!bpf_map_get_next_key(host.map[map], n ? last : NULL, key)) {
		memcpy(last, key, sizeof(key));
		n++;
	}
	return n;
}

/* All of the one, whether it is over or not, and nothing of the other. */
static void a_slot_is_cleared_and_no_other(void **state)
{
	struct sw_naming_counts counts;
	struct fault fault;
	struct report report;

	(void)state;
	assert_int_equal(entries(MAP_turns), 6);
	assert_int_equal(grants_clear(&host, 1, &fault), 0);
	assert_int_equal(entries(MAP_turns), 1);
	assert_int_equal(entries(MAP_grants), 1);
	report = read_of((struct tenancy){ SHOP, 1 });
	assert_int_equal(report.learned.n, 0);
	assert_int_equal(grants_counts(&host, (struct tenancy){ SHOP, 1 }, &counts, &fault), 0);
	assert_int_equal(counts.n[SW_NAMING_LEARNED], 0);
	report = read_of((struct tenancy){ MAIL, 2 });
	assert_int_equal(report.learned.n, 1);
	report_free(&report);
	assert_int_equal(grants_clear(&host, 1, &fault), 0); /* there is nothing any more */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_open_is_read_by_name),
		cmocka_unit_test(counts_are_those_of_the_tenancy),
		cmocka_unit_test(a_slot_is_cleared_and_no_other),
	};

	host = host_closed;
	host.map[MAP_patterns] = make(BPF_MAP_TYPE_HASH, sizeof(struct sw_pattern_text), sizeof(__u32), 16);
	host.map[MAP_grants] = make(BPF_MAP_TYPE_HASH, sizeof(struct sw_grant_key), sizeof(struct sw_grant), 16);
	host.map[MAP_turns] = make(BPF_MAP_TYPE_HASH, sizeof(struct sw_turn), sizeof(struct sw_addr), 16);
	host.map[MAP_namings] = make(BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct sw_naming_counts), 8);
	fill();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
