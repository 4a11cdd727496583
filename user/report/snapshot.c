// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

/*
 * One description of the layout serves both ways: code_...() writes the field to `out` if there is one, and else
 * reads it. Numbers are written seven bits a byte, lowest first; most of them are zero or small.
 */
struct coder {
	FILE *out;
	const unsigned char *at, *end;
	bool failed;
};

/* What both ends must agree on. */
struct head {
	char magic[8], version[16];
	__u32 sizes[8];
};

static struct head this_build(void)
{
	struct head head = { .magic = "swsnap1" };
	const __u32 sizes[] = { sizeof(struct daemon_state), sizeof(struct sw_record), sizeof(struct sw_settings),
				sizeof(struct sw_counts),    sizeof(struct sw_meter),  sizeof(struct sw_text),
				sizeof(struct reaper_state), sizeof(struct support) };

	_Static_assert(sizeof(SW_VERSION) <= sizeof(head.version), "the version fits");
	_Static_assert(sizeof(sizes) == sizeof(head.sizes), "the sizes fit");
	memcpy(head.version, SW_VERSION, sizeof(SW_VERSION));
	memcpy(head.sizes, sizes, sizeof(sizes));
	return head;
}

static void code_raw(struct coder *coder, void *data, size_t len)
{
	if (coder->out) {
		fwrite(data, 1, len, coder->out);
	} else if (coder->failed || (size_t)(coder->end - coder->at) < len) {
		coder->failed = true;
	} else {
		memcpy(data, coder->at, len);
		coder->at += len;
	}
}

static void write_number(FILE *out, __u64 value)
{
	for (; value >= 0x80; value >>= 7)
		fputc(0x80 | (value & 0x7f), out);
	fputc(value, out);
}

/* The bytes of the number at the front, 0 unless it is the shortest form of at most 64 bits: there is one way. */
static size_t read_number(const unsigned char *at, size_t room, __u64 *value)
{
	*value = 0;
	for (size_t i = 0; i < room && i < 10; i++) {
		*value |= (__u64)(at[i] & 0x7f) << (7 * i);
		if (at[i] & 0x80)
			continue;
		return (i && !at[i]) || (i == 9 && at[i] > 1) ? 0 : i + 1;
	}
	return 0;
}

static void code_u64(struct coder *coder, __u64 *value)
{
	size_t len;

	if (coder->out) {
		write_number(coder->out, *value);
		return;
	}
	len = coder->failed ? 0 : read_number(coder->at, coder->end - coder->at, value);
	coder->at += len;
	coder->failed |= !len;
}

static void code_s64(struct coder *coder, __s64 *value)
{
	__u64 bits = *value;

	code_u64(coder, &bits);
	if (!coder->out)
		*value = bits;
}

static void code_u32(struct coder *coder, __u32 *value)
{
	__u64 wide = *value;

	code_u64(coder, &wide);
	coder->failed |= wide > ~(__u32)0;
	if (!coder->out)
		*value = wide;
}

/* A number below `limit`: of elements, or of an enum. */
static size_t code_below(struct coder *coder, size_t value, size_t limit)
{
	__u64 wide = value;

	code_u64(coder, &wide);
	if (wide < limit)
		return wide;
	coder->failed = true;
	return 0;
}

/* A string in an array of `size`, which is zero when it is to be read. */
static void code_text(struct coder *coder, char *text, size_t size)
{
	size_t len = code_below(coder, coder->out ? strnlen(text, size - 1) : 0, size);

	code_raw(coder, text, len);
	coder->failed |= !coder->out && strlen(text) != len;
}

static void code_reaper(struct coder *coder, struct reaper_state *reaper)
{
	code_s64(coder, &reaper->began);
	code_s64(coder, &reaper->passed);
	code_u64(coder, &reaper->passes);
	code_u64(coder, &reaper->errors);
	code_u64(coder, &reaper->missed);
	code_u64(coder, &reaper->cpu_ns);
	code_u64(coder, &reaper->longest_ns);
	code_u64(coder, &reaper->seen);
	code_u64(coder, &reaper->stuck);
}

static void code_daemon(struct coder *coder, struct daemon_state *daemon)
{
	code_s64(coder, &daemon->started);
	code_s64(coder, &daemon->ticked);
	code_u64(coder, &daemon->ticks);
	code_u64(coder, &daemon->rows);
	code_u64(coder, &daemon->postponed);
	code_u64(coder, &daemon->reloads);
	code_u64(coder, &daemon->reload_errors);
	code_u64(coder, &daemon->events);
	code_u64(coder, &daemon->tick_cpu_ns);
	code_u64(coder, &daemon->ledger_size);
	code_u64(coder, &daemon->waiting);
	code_u32(coder, &daemon->interval);
	code_u32(coder, &daemon->booking);
	code_reaper(coder, &daemon->reaper);
}

static void code_support(struct coder *coder, struct support *support)
{
	size_t closing = code_below(coder, support->closing, CLOSING_BYS);

	if (!coder->out)
		support->closing = closing;
	code_u32(coder, &support->watches);
}

static void code_record(struct coder *coder, struct sw_record *record)
{
	code_u64(coder, &record->cgroup);
	code_u64(coder, &record->tenancy);
	code_u64(coder, &record->since);
	code_u64(coder, &record->unspent);
	code_u64(coder, &record->lingers);
	code_raw(coder, record->hash, sizeof(record->hash));
	code_text(coder, record->name, sizeof(record->name));
	code_text(coder, record->path, sizeof(record->path));
	code_text(coder, record->policy, sizeof(record->policy));
}

/* Only what is in force has more than its serial, which is then not 0. */
static void code_settings(struct coder *coder, struct sw_settings *settings)
{
	__u8 *const bytes[] = { &settings->listen,        &settings->bind,       &settings->transfer,
				&settings->audit,         &settings->options,    &settings->allow,
				&settings->budget_period, &settings->budget_log, &settings->revoke };

	code_u64(coder, &settings->serial);
	if (!settings->serial)
		return;
	code_u32(coder, &settings->protocols);
	code_u32(coder, &settings->idle_timeout);
	code_u32(coder, &settings->rules);
	for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		code_raw(coder, bytes[i], 1);
	code_u64(coder, &settings->budget);
	code_text(coder, settings->policy, sizeof(settings->policy));
	code_raw(coder, settings->hash, sizeof(settings->hash));
}

static void code_counts(struct coder *coder, struct sw_counts *counts)
{
	code_u64(coder, &counts->allowed);
	code_u64(coder, &counts->spent);
	for (int reason = 0; reason < SW_REASON_COUNT; reason++)
		code_u64(coder, &counts->denied[reason]);
	for (int cause = 0; cause < SW_CAUSE_COUNT; cause++)
		code_u64(coder, &counts->closed[cause]);
	code_u64(coder, &counts->audited);
	code_u64(coder, &counts->log_dropped);
	code_u64(coder, &counts->log_missed);
	code_u64(coder, &counts->log_second);
	code_u64(coder, &counts->log_count);
}

static void code_meter(struct coder *coder, struct sw_meter *meter)
{
	for (int billing = 0; billing < SW_BILLINGS; billing++) {
		for (int way = 0; way < SW_WAYS; way++) {
			code_u64(coder, &meter->of[billing][way].bytes);
			code_u64(coder, &meter->of[billing][way].payload);
			code_u64(coder, &meter->of[billing][way].packets);
		}
	}
}

static void code_rule(struct coder *coder, struct rule_hits *rule)
{
	code_u32(coder, &rule->rule);
	code_u64(coder, &rule->hits);
	code_u32(coder, &rule->text.line);
	code_raw(coder, &rule->text.allow, 1);
	code_text(coder, rule->text.text, sizeof(rule->text.text));
}

static void code_report(struct coder *coder, struct report *report)
{
	size_t state, rules;

	code_record(coder, &report->record);
	state = code_below(coder, report->state, TENANT_STATES);
	if (!coder->out)
		report->state = state;
	code_settings(coder, &report->settings);
	code_u64(coder, &report->limit);
	code_counts(coder, &report->counts);
	code_meter(coder, &report->meter);
	rules = code_below(coder, report->rules.n, SIZE_MAX);
	for (size_t i = 0; i < rules && !coder->failed; i++)
		code_rule(coder, coder->out ? &report->rules.v[i] : list_add(&report->rules));
}

static void code_snapshot(struct coder *coder, struct snapshot *snapshot)
{
	size_t tenants;

	code_daemon(coder, &snapshot->daemon);
	code_support(coder, &snapshot->reports.support);
	tenants = code_below(coder, snapshot->reports.of.n, SIZE_MAX);
	for (size_t i = 0; i < tenants && !coder->failed; i++)
		code_report(coder, coder->out ? &snapshot->reports.of.v[i] : list_add(&snapshot->reports.of));
}

void snapshot_write(const struct snapshot *snapshot, FILE *out)
{
	struct coder coder = { .out = out };
	struct head head = this_build();

	code_raw(&coder, &head, sizeof(head));
	code_snapshot(&coder, (struct snapshot *)snapshot); /* a coder that writes stores nothing */
}

static bool is_head(struct coder *coder)
{
	struct head head, ours = this_build();

	code_raw(coder, &head, sizeof(head));
	return !coder->failed && !memcmp(&head, &ours, sizeof(head));
}

int snapshot_read(const void *data, size_t len, struct snapshot *out, struct fault *fault)
{
	struct coder coder = { .at = data, .end = (const unsigned char *)data + len };
	struct snapshot snapshot = { 0 };

	if (!is_head(&coder))
		return fault_set(fault, EBADMSG,
				 "the daemon's answer is not of sockwarden " SW_VERSION
				 ": restart whichever of the two is the older build");
	code_snapshot(&coder, &snapshot);
	if (coder.failed || coder.at != coder.end) {
		snapshot_free(&snapshot);
		return fault_set(fault, EBADMSG, "the daemon's answer is cut short or garbled: see the daemon's log");
	}
	*out = snapshot;
	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	reports_free(&snapshot->reports);
	*snapshot = (struct snapshot){ 0 };
}
