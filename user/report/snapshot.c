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

/* What is sent of a report: all before its lists, of which `rules` has its own elements and the others stay here. */
#define REPORT_SENT offsetof(struct report, rules)

_Static_assert(sizeof(struct report) == REPORT_SENT + 3 * sizeof(((struct report *)0)->rules), "it has no other list");

#define GROUP 8 /* words: what a byte that came can become is bounded by it */

typedef __u64 word;

_Static_assert(REPORT_SENT % sizeof(word) == 0 && sizeof(struct rule_hits) % sizeof(word) == 0 &&
		       sizeof(struct daemon_state) % sizeof(word) == 0 && sizeof(struct support) % sizeof(word) == 0,
	       "what is sent is words");

/* Each group of words is a byte that says which of them are not zero, and these. */
struct packer {
	FILE *out;
	size_t used;
	unsigned char room[4096]; /* written in one go */
};

static void pack_flush(struct packer *packer)
{
	fwrite(packer->room, 1, packer->used, packer->out);
	packer->used = 0;
}

static void pack_group(struct packer *packer, const unsigned char *data, size_t words)
{
	unsigned char *which = packer->room + packer->used, *to = which + 1;

	*which = 0;
	for (size_t i = 0; i < words; i++, data += sizeof(word)) {
		word value;

		memcpy(&value, data, sizeof(value));
		memcpy(to, &value, sizeof(value));
		*which |= (value != 0) << i;
		to += value ? sizeof(value) : 0;
	}
	packer->used = to - packer->room;
}

static void pack(struct packer *packer, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (size_t left = len / sizeof(word); left;) {
		size_t words = left < GROUP ? left : GROUP;

		if (packer->used + 1 + GROUP * sizeof(word) > sizeof(packer->room))
			pack_flush(packer);
		pack_group(packer, at, words);
		at += words * sizeof(word);
		left -= words;
	}
}

struct unpacker {
	const unsigned char *at, *end;
};

/* False: there are fewer bytes, or they are out of form. */
static bool unpack_group(struct unpacker *packed, unsigned char *to, size_t words)
{
	unsigned which = packed->at < packed->end ? *packed->at++ : ~0U;

	if (which >> words)
		return false;
	for (; words; words--, which >>= 1, to += sizeof(word)) {
		if (!(which & 1)) {
			memset(to, 0, sizeof(word));
			continue;
		}
		if ((size_t)(packed->end - packed->at) < sizeof(word))
			return false;
		memcpy(to, packed->at, sizeof(word));
		packed->at += sizeof(word);
	}
	return true;
}

static bool unpack(struct unpacker *packed, void *data, size_t len)
{
	unsigned char *to = data;

	for (size_t left = len / sizeof(word); left;) {
		size_t words = left < GROUP ? left : GROUP;

		if (!unpack_group(packed, to, words))
			return false;
		to += words * sizeof(word);
		left -= words;
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
		for (size_t j = 0; j < report->rules.n; j++)
			pack(&packer, &report->rules.v[j], sizeof(report->rules.v[j]));
	}
	pack_flush(&packer);
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
	return packed->at == packed->end;
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
