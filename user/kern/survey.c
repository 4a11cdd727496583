// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"
#include "publish.h"
#include "reap.h"
#include "survey.h"
#include "tenant.h"
#include "wanted.h"
#include "watch.h"

__u32 survey_end(const struct host *host)
{
	__u32 end = SW_TENANTS_MAX;

	while (end > 1 && !host->records[end - 1].tenancy)
		end--;
	return end;
}

__u32 survey_ended(const struct host *host)
{
	__u32 ended = 0;

	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		ended += tenant_ended(&host->records[slot]);
	return ended;
}

#define BATCH 1024 /* slots in a system call: with many CPUs a slot is large */

/* The kernel gives each CPU's meter of a slot, one behind the other. */
static void sum_batch(const struct sw_meter *per_cpu, int cpus, __u32 n, struct sw_meter *out)
{
	for (__u32 i = 0; i < n; i++)
		for (int cpu = 0; cpu < cpus; cpu++)
			meter_add(&out[i], &per_cpu[(size_t)i * cpus + cpu]);
}

/* An array's keys come in order, so the sums can be written where they belong. */
static int read_meters(int map, __u32 n, int cpus, struct sw_meter *sums)
{
	struct sw_meter *per_cpu = mem_alloc((size_t)BATCH * cpus, sizeof(*per_cpu));
	__u32 keys[BATCH], done = 0, next;
	int err = 0;

	while (done < n && !err) {
		__u32 count = n - done < BATCH ? n - done : BATCH;

		if (bpf_map_lookup_batch(map, done ? &next : NULL, &next, keys, per_cpu, &count, NULL) &&
		    errno != ENOENT) /* that was the end of the map */
			err = -errno;
		else if (!count)
			err = -EIO;
		else
			sum_batch(per_cpu, cpus, count, sums + done);
		done += count;
	}
	free(per_cpu);
	return err;
}

int survey_meters(const struct host *host, __u32 n, struct sw_meter **out, struct fault *fault)
{
	struct sw_meter *sums = mem_alloc(n + BATCH, sizeof(*sums));
	int err = read_meters(host->map[MAP_meters], n, libbpf_num_possible_cpus(), sums);

	*out = err ? NULL : sums;
	if (!err)
		return 0;
	free(sums);
	return fault_set(fault, -err, "cannot read the meters: %s", strerror(-err));
}

/* Texts of the images that tenants are under, each read once. */
struct texts {
	struct sw_text *of[SW_IMAGES_MAX];
	size_t n[SW_IMAGES_MAX];
	__u64 serial[SW_IMAGES_MAX]; /* 0: not read */
};

static void add_rules(const struct host *host, __u32 slot, __u32 image, struct texts *texts, struct report *report)
{
	if (texts->serial[image] != report->settings.serial) {
		free(texts->of[image]);
		texts->of[image] = published_texts(host, image, &texts->n[image]);
		texts->serial[image] = report->settings.serial;
	}
	tenant_rules(host, slot, texts->of[image], texts->n[image], report);
}

static void texts_free(struct texts *texts)
{
	for (__u32 image = 0; image < SW_IMAGES_MAX; image++)
		free(texts->of[image]);
	free(texts);
}

static struct report report_wanted(const struct wanted *one)
{
	struct report report = { .state = TENANT_UNPROTECTED, .limit = SW_NO_LIMIT };

	memcpy(report.record.name, one->name.text, sizeof(report.record.name));
	memcpy(report.record.path, one->is.path, sizeof(report.record.path));
	memcpy(report.record.policy, one->is.policy, sizeof(report.record.policy));
	return report;
}

/* Tenants of which nothing is left but that they are to be attached again. */
static int add_unprotected(const struct host *host, struct reports *out, struct fault *fault)
{
	struct wanted_list wanted;
	int err = wanted_read(host, &wanted, fault);
	bool *reported = mem_alloc(wanted.of.n, sizeof(*reported));

	for (size_t i = 0; i < out->of.n; i++) {
		const struct sw_record *record = &out->of.v[i].record;
		const struct wanted *one = record->lingers ? NULL : wanted_find(&wanted, record->name);

		if (one)
			reported[one - wanted.of.v] = true;
	}
	for (size_t i = 0; i < wanted.of.n && !err; i++)
		if (!reported[i])
			*list_add(&out->of) = report_wanted(&wanted.of.v[i]);
	free(reported);
	wanted_free(&wanted);
	return err;
}

int survey_reports(const struct host *host, struct reports *out, struct fault *fault)
{
	__u32 end = survey_end(host);
	struct sw_meter *meters;
	struct texts *texts;
	int err = survey_meters(host, end, &meters, fault);

	*out = (struct reports){ .support = { .closing = reap_by(host), .watches = watch_in_place() } };
	if (!meters)
		return err;
	texts = mem_alloc(1, sizeof(*texts));
	for (__u32 slot = 1; slot < end && !err; slot++) {
		struct report report;
		__u32 image;

		if (!host->records[slot].cgroup)
			continue;
		image = tenant_begin_report(host, slot, &report);
		report.meter = meters[slot];
		add_rules(host, slot, image, texts, &report);
		*list_add(&out->of) = report;
	}
	if (!err)
		err = add_unprotected(host, out, fault);
	free(meters);
	texts_free(texts);
	return err;
}
