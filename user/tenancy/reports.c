// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "grants.h"
#include "hits.h"
#include "hold.h"
#include "meters.h"
#include "publish.h"
#include "refused.h"
#include "reports.h"
#include "state.h"
#include "take.h"
#include "wanted.h"
#include "watch.h"

/* ---- one ---------------------------------------------------------------------------------------------------- */

/* What is gone, and is to be attached again when it is there again, may be there already. */
static enum tenant_state shown_state(const struct host *host, struct standings *known, struct tenancy of,
				     struct sw_tenant *storage)
{
	enum tenant_state state = tenancy_read(host, known, of, storage);
	const struct sw_record *record = tenancy_record(host, of);
	bool named = state == TENANT_GONE && slot_state(record) == SLOT_ATTACHED;

	return named && wanted_at(host, record->name, record->path) ? TENANT_UNPROTECTED : state;
}

#define READ_TRIES 10 /* a policy may be replaced while we read, and its number given away */

/* All but the meter, the rules and who was refused. The number of the image in force, or 0. */
static __u32 begin_report(const struct host *host, struct standings *known, struct tenancy of, struct report *report)
{
	struct sw_tenant storage;

	*report = (struct report){
		.record = *tenancy_record(host, of),
		.counts = host->counts[of.slot],
		.limit = SW_NO_LIMIT,
	};
	for (int i = 0; i < READ_TRIES; i++) {
		report->state = shown_state(host, known, of, &storage);
		report->settings = host->settings[storage.image];
		if (report->settings.serial == storage.serial)
			break;
	}
	if (!storage.slot || report->settings.serial != storage.serial) {
		report->settings = (struct sw_settings){ 0 };
		return 0;
	}
	report->limit = storage.limit;
	return storage.image;
}

static void add_rule(const struct host *host, struct tenancy of, __u32 rule, const struct sw_text *text,
		     struct report *report)
{
	struct rule_hits row = { .rule = rule, .hits = hits_of(host, of.slot, report->settings.serial, rule) };

	if (!row.hits)
		return;
	if (text)
		row.text = *text;
	else
		strcpy(row.text.text, rule == SW_RULE_DEFAULT ? "default" : "?");
	*list_add(&report->rules) = row;
}

/* What each rule of the image in force decided; of the first `n` there are texts. */
static void add_rules(const struct host *host, struct tenancy of, const struct sw_text *texts, size_t n,
		      struct report *report)
{
	if (!report->settings.serial)
		return;
	for (__u32 rule = 0; rule < report->settings.rules; rule++)
		add_rule(host, of, rule, rule < n ? &texts[rule] : NULL, report);
	add_rule(host, of, SW_RULE_DEFAULT, NULL, report);
}

int tenancy_report(const struct host *host, struct tenancy of, struct report *report, struct fault *fault)
{
	__u32 image = begin_report(host, NULL, of, report);
	size_t n;
	struct sw_text *texts = published_texts(host, image, &n);
	int err;

	add_rules(host, of, texts, n, report);
	free(texts);
	err = refused_read(host, of.slot, report, fault);
	if (!err && report->settings.named)
		err = grants_counts(host, of, &report->names, fault);
	if (!err && report->settings.named)
		err = grants_read(host, of, report, fault);
	return err ? err : meters_read_one(host, of.slot, &report->meter, fault);
}

/* ---- all ---------------------------------------------------------------------------------------------------- */

/* Texts of the images that tenants are under, each read once. */
struct texts {
	struct sw_text *of[SW_IMAGES_MAX];
	size_t n[SW_IMAGES_MAX];
	__u64 serial[SW_IMAGES_MAX]; /* 0: not read */
};

static void read_texts(const struct host *host, __u32 image, __u64 serial, struct texts *texts)
{
	if (texts->serial[image] == serial)
		return;
	free(texts->of[image]);
	texts->of[image] = published_texts(host, image, &texts->n[image]);
	texts->serial[image] = serial;
}

static void texts_free(struct texts *texts)
{
	for (__u32 image = 0; image < SW_IMAGES_MAX; image++)
		free(texts->of[image]);
	free(texts);
}

static int add_attached(const struct host *host, struct standings *known, struct reports *out, struct fault *fault)
{
	struct texts *texts = mem_alloc(1, sizeof(*texts));
	__u32 end = slots_end(host);
	struct sw_meter *meters;
	int err = meters_read(host, end, &meters, fault);

	if (!err)
		for_each_slot(slot, host->records, end, SLOTS_HELD) {
			struct report *report = list_add(&out->of);
			struct tenancy of = tenancy_in(host, slot);
			__u32 image = begin_report(host, known, of, report);

			report->meter = meters[slot];
			if (report->settings.named && !err)
				err = grants_counts(host, of, &report->names, fault);
			read_texts(host, image, report->settings.serial, texts);
			add_rules(host, of, texts->of[image], texts->n[image], report);
		}
	free(meters);
	texts_free(texts);
	return err;
}

static struct report report_wanted(const struct wanted *one)
{
	struct report report = { .state = TENANT_UNPROTECTED, .limit = SW_NO_LIMIT };

	memcpy(report.record.name, one->name.text, sizeof(report.record.name));
	memcpy(report.record.path, one->is.path, sizeof(report.record.path));
	memcpy(report.record.policy, one->is.policy, sizeof(report.record.policy));
	return report;
}

struct missing {
	struct reports *out;
	LIST(struct sw_name) reported; /* what is attached, by name */
	const struct wanted *many;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sw_name *)a)->text, ((const struct sw_name *)b)->text);
}

static void list_reported(struct missing *missing)
{
	for (size_t i = 0; i < missing->out->of.n; i++) {
		const struct sw_record *record = &missing->out->of.v[i].record;

		if (slot_state(record) == SLOT_ATTACHED)
			memcpy(list_add(&missing->reported)->text, record->name, sizeof(record->name));
	}
	if (missing->reported.n)
		qsort(missing->reported.v, missing->reported.n, sizeof(*missing->reported.v), by_name);
}

static void add_missing(struct missing *missing, const struct wanted *one)
{
	if (!missing->reported.n ||
	    !bsearch(&one->name, missing->reported.v, missing->reported.n, sizeof(one->name), by_name))
		*list_add(&missing->out->of) = report_wanted(one);
}

/* One of many that are wanted, which is there. */
static void add_match(const char *path, void *data)
{
	struct missing *missing = data;
	struct wanted one = *missing->many;
	char *name = tenant_name_of(path);

	snprintf(one.name.text, sizeof(one.name.text), "%s", name);
	snprintf(one.is.path, sizeof(one.is.path), "%s", path);
	add_missing(missing, &one);
	free(name);
}

/* Tenants of which nothing is left but that they are to be attached again; or nothing was, so far. */
static int add_unprotected(const struct host *host, struct reports *out, struct fault *fault)
{
	struct missing missing = { .out = out };
	struct wanted_list wanted;
	int err = wanted_read(host, &wanted, fault);

	list_reported(&missing);
	for (size_t i = 0; i < wanted.of.n && !err; i++) {
		missing.many = &wanted.of.v[i];
		if (wanted_is_many(missing.many))
			cgroup_match(missing.many->is.path, add_match, &missing);
		else
			add_missing(&missing, missing.many);
	}
	free(missing.reported.v);
	wanted_free(&wanted);
	return err;
}

void reports_learned(const struct host *host, struct report *report)
{
	struct tenancy of = tenancy_numbered(host, report->record.tenancy);
	struct fault ignored;

	if (of.number && report->settings.named)
		(void)grants_read(host, of, report, &ignored);
}

int reports_read(const struct host *host, struct standings *known, struct reports *out, struct fault *fault)
{
	int err;

	*out = (struct reports){ .support = { .closing = take_by(host), .watches = watch_in_place() } };
	err = add_attached(host, known, out, fault);
	return err ? err : add_unprotected(host, out, fault);
}
