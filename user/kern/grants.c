// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "domain.h"
#include "grants.h"
#include "patterns.h"

/* They are of another build: nothing is known of them. */
static bool is_closed(const struct host *host)
{
	return host->map[MAP_grants] < 0 || host->map[MAP_turns] < 0 || host->map[MAP_namings] < 0;
}

static int cannot(struct fault *fault)
{
	return fault_set(fault, errno, "cannot read what was learned of names: %s", strerror(errno));
}

int grants_counts(const struct host *host, struct tenancy of, struct sw_naming_counts *out, struct fault *fault)
{
	*out = (struct sw_naming_counts){ 0 };
	if (is_closed(host))
		return 0;
	if (bpf_map_lookup_elem(host->map[MAP_namings], &of.slot, out))
		return cannot(fault);
	if (out->tenancy != (__u32)of.number)
		*out = (struct sw_naming_counts){ 0 };
	return 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------- */

static const struct pattern_number *find_number(const struct pattern_number *all, size_t n, __u32 number)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].number == number)
			return &all[i];
	return NULL;
}

/* One line for each name that the address is open by. Of a pattern that is forgotten there is nothing to say. */
static void add(const struct sw_addr *addr, const struct sw_grant *grant, const struct pattern_number *all, size_t n,
		struct report *report)
{
	__u32 now = clock_ns(CLOCK_BOOTTIME) / 1000000000;

	for (int i = 0; i < SW_GRANT_PATTERNS; i++) {
		const struct pattern_number *pattern = find_number(all, n, grant->open[i] >> 32);
		__u32 end = grant->open[i];
		struct learned *learned;

		if (end <= now || !pattern)
			continue;
		learned = list_add(&report->learned);
		*learned = (struct learned){
			.addr = *addr,
			.left = end - now,
			.age = now > grant->learned ? now - grant->learned : 0,
			.ttl = grant->ttl,
		};
		domain_text(pattern->text.text, sizeof(pattern->text.text), learned->pattern);
		domain_text(grant->asked, sizeof(grant->asked), learned->asked);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct learned *x = a, *y = b;
	int order = strcmp(x->asked, y->asked);

	if (!order)
		order = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	return order ? order : strcmp(x->pattern, y->pattern);
}

/* Addresses are found by the turns they came in. */
static int read_turns(const struct host *host, __u32 tenancy, const struct pattern_number *all, size_t n,
		      struct report *report)
{
	for (__u32 at = 0; at < SW_GRANTS_EACH; at++) {
		struct sw_turn turn = { .tenancy = tenancy, .at = at };
		struct sw_grant_key key = { .tenancy = tenancy };
		struct sw_grant grant;

		if (bpf_map_lookup_elem(host->map[MAP_turns], &turn, &key.addr)) {
			if (errno != ENOENT)
				return -errno;
			continue;
		}
		if (!bpf_map_lookup_elem(host->map[MAP_grants], &key, &grant))
			add(&key.addr, &grant, all, n, report);
	}
	return 0;
}

int grants_read(const struct host *host, struct tenancy of, struct report *report, struct fault *fault)
{
	struct sw_naming_counts counts;
	struct pattern_number *all;
	size_t n;
	int err = grants_counts(host, of, &counts, fault);

	if (err || !counts.tenancy)
		return err;
	all = patterns_read(host, &n);
	err = read_turns(host, of.number, all, n, report);
	if (err)
		fault_set(fault, -err, "cannot read what was learned of names: %s", strerror(-err));
	if (report->learned.n)
		qsort(report->learned.v, report->learned.n, sizeof(*report->learned.v), by_name);
	free(all);
	return err;
}

/* ---- forgetting -------------------------------------------------------------------------------------------- */

static int forget(struct host *host, __u32 tenancy)
{
	for (__u32 at = 0; at < SW_GRANTS_EACH; at++) {
		struct sw_turn turn = { .tenancy = tenancy, .at = at };
		struct sw_grant_key key = { .tenancy = tenancy };

		if (bpf_map_lookup_elem(host->map[MAP_turns], &turn, &key.addr)) {
			if (errno != ENOENT)
				return -errno;
			continue;
		}
		if (bpf_map_delete_elem(host->map[MAP_grants], &key) && errno != ENOENT)
			return -errno;
		if (bpf_map_delete_elem(host->map[MAP_turns], &turn) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int grants_clear(struct host *host, __u32 slot, struct fault *fault)
{
	struct sw_naming_counts counts, none = { 0 };
	int err = 0;

	if (is_closed(host))
		return 0;
	if (bpf_map_lookup_elem(host->map[MAP_namings], &slot, &counts))
		return cannot(fault);
	if (counts.tenancy)
		err = forget(host, counts.tenancy);
	if (!err && counts.tenancy && bpf_map_update_elem(host->map[MAP_namings], &slot, &none, BPF_ANY))
		err = -errno;
	return err ? fault_set(fault, -err, "cannot forget what was learned of names: %s", strerror(-err)) : 0;
}
