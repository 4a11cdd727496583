// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "snapshot-layout.h"
#include "snapshot.h"

/* The hash is over all that snapshot.h includes, and this file: nobody has to remember to tell of a change. */
struct head {
	char magic[8], layout[64];
};

static const struct head ours = { "swsnap", SNAPSHOT_LAYOUT };

_Static_assert(sizeof(SNAPSHOT_LAYOUT) == sizeof(ours.layout) + 1, "the hash fits");
_Static_assert(sizeof(ours) == SNAPSHOT_HEAD, "the head has the size that is told");

/* What is sent of a report: all before its lists, of which `rules` has its own elements and `refused` stays here. */
#define REPORT_SENT offsetof(struct report, rules)

_Static_assert(sizeof(struct report) == REPORT_SENT + 2 * sizeof(((struct report *)0)->rules), "it has no other list");

#define ZEROES_MAX 64 /* in a row: what a byte that came can become is bounded by it */

/* Bytes are written as they are, but zeroes: as one of them, and how many there are. */
struct packer {
	FILE *out;
	size_t zeroes; /* that are not written yet */
};

static void pack_zeroes(struct packer *packer)
{
	while (packer->zeroes) {
		size_t n = packer->zeroes < ZEROES_MAX ? packer->zeroes : ZEROES_MAX;

		putc_unlocked(0, packer->out);
		putc_unlocked(n, packer->out);
		packer->zeroes -= n;
	}
}

static void pack(struct packer *packer, const void *data, size_t len)
{
	for (const unsigned char *at = data; len; at++, len--) {
		if (!*at) {
			packer->zeroes++;
			continue;
		}
		pack_zeroes(packer);
		putc_unlocked(*at, packer->out);
	}
}

struct unpacker {
	const unsigned char *at, *end;
	size_t zeroes; /* that were read, and not given out yet */
};

/* False: there are fewer bytes, or they are out of form. */
static bool unpack(struct unpacker *packed, void *data, size_t len)
{
	for (unsigned char *to = data, *end = to + len; to < end;) {
		size_t n = packed->zeroes < (size_t)(end - to) ? packed->zeroes : (size_t)(end - to);

		memset(to, 0, n);
		to += n;
		packed->zeroes -= n;
		while (to < end && packed->at < packed->end && *packed->at)
			*to++ = *packed->at++;
		if (to == end)
			break;
		if (packed->end - packed->at < 2 || !packed->at[1] || packed->at[1] > ZEROES_MAX)
			return false;
		packed->zeroes = packed->at[1];
		packed->at += 2;
	}
	return true;
}

void snapshot_write(const struct snapshot *snapshot, FILE *out)
{
	const struct reports *reports = &snapshot->reports;
	struct packer packer = { .out = out };

	fwrite(&ours, sizeof(ours), 1, out);
	pack(&packer, &snapshot->daemon, sizeof(snapshot->daemon));
	pack(&packer, &reports->support, sizeof(reports->support));
	pack(&packer, &reports->of.n, sizeof(reports->of.n));
	for (size_t i = 0; i < reports->of.n; i++) {
		const struct report *report = &reports->of.v[i];

		pack(&packer, report, REPORT_SENT);
		pack(&packer, &report->rules.n, sizeof(report->rules.n));
		pack(&packer, report->rules.v, report->rules.n * sizeof(*report->rules.v));
	}
	pack_zeroes(&packer);
}

#define ends(text) memchr(text, '\0', sizeof(text))

/* What a reader takes for granted. Other numbers may be any. */
static bool is_sound(const struct report *report)
{
	const struct sw_record *record = &report->record;

	return ends(record->name) && ends(record->path) && ends(record->policy) && ends(report->settings.policy) &&
	       report->state < TENANT_STATES;
}

static bool read_report(struct unpacker *packed, struct report *report)
{
	size_t rules;

	if (!unpack(packed, report, REPORT_SENT) || !is_sound(report) || !unpack(packed, &rules, sizeof(rules)))
		return false;
	for (size_t i = 0; i < rules; i++) {
		struct rule_hits *rule = list_add(&report->rules);

		if (!unpack(packed, rule, sizeof(*rule)) || !ends(rule->text.text))
			return false;
	}
	return true;
}

static bool read_all(struct unpacker *packed, struct snapshot *out)
{
	struct reports *reports = &out->reports;
	size_t tenants;

	if (!unpack(packed, &out->daemon, sizeof(out->daemon)) ||
	    !unpack(packed, &reports->support, sizeof(reports->support)) || reports->support.closing >= CLOSING_BYS ||
	    !unpack(packed, &tenants, sizeof(tenants)))
		return false;
	for (size_t i = 0; i < tenants; i++)
		if (!read_report(packed, list_add(&reports->of)))
			return false;
	return packed->at == packed->end && !packed->zeroes;
}

int snapshot_read(const void *data, size_t len, struct snapshot *out, struct fault *fault)
{
	const unsigned char *bytes = data;
	struct unpacker packed = { bytes + sizeof(ours), bytes + len };

	if (len >= sizeof(ours) && memcmp(data, &ours, sizeof(ours)))
		return fault_set(fault, EBADMSG,
				 "the daemon is of another build: restart it, or this program if it is the older one");
	*out = (struct snapshot){ 0 };
	if (len >= sizeof(ours) && read_all(&packed, out))
		return 0;
	snapshot_free(out);
	return fault_set(fault, EBADMSG, "the daemon's answer is cut short or garbled: see the daemon's log");
}

void snapshot_free(struct snapshot *snapshot)
{
	reports_free(&snapshot->reports);
	*snapshot = (struct snapshot){ 0 };
}
