// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: seeds FOLDER. Writes small ledgers into it, for the fuzzer to begin with: empty, with few rows, with days and
 * pages enough for trees of two levels, of which some were pruned, and one that is years old. Pages have 512 bytes, so that there are few bytes to change, and no
 * checksums, which would refuse every change.
 */
#include <stdio.h>

#include "support.h"

static void must(int err, const struct scene *scene)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", scene->fault.text);
	exit(1);
}

#define YEARS_AGO 1606305600 /* 2020-11-25T12:00:00Z */

static void prune(struct scene *scene, __s64 day)
{
	struct ledger_pruned pruned;

	must(reopen(scene, LEDGER_PRUNING), scene);
	must(ledger_prune(scene->ledger, day, false, &pruned, &scene->fault), scene);
}

/* `pruned` of the days. */
static void make(const char *folder, const char *name, unsigned tenants, unsigned ticks, __s64 noon, unsigned pruned)
{
	struct scene scene = { .tick = { { "machine", "boot", 1 }, noon * 1000, 3600000, scene.items, 0 } };
	char names[64][4];

	snprintf(scene.path, sizeof(scene.path), "%s/%s", folder, name);
	unlink(scene.path);
	must(reopen(&scene, LEDGER_BOOKING), &scene);
	for (unsigned i = 0; i < tenants; i++) {
		snprintf(names[i], sizeof(names[i]), "t%u", i);
		attach(&scene, names[i], i + 1)->hash[0] = i % 3;
	}
	for (unsigned tick = 0; tick < ticks; tick++) {
		for (unsigned i = 0; i < tenants; i++)
			send_bytes(&scene.items[i], i % 2 ? SW_EXEMPT : SW_BILLABLE, 1000 * i + tick + 1);
		must(book_after(&scene, 43200), &scene);
	}
	if (pruned)
		prune(&scene, noon / DAY + pruned);
	ledger_close(scene.ledger);
	if (tamper_by(NULL, &scene, "PRAGMA page_size = 512; VACUUM"))
		exit(1);
	strcat(scene.path, "-lock");
	unlink(scene.path);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	make(argv[1], "empty", 0, 0, NOON, 0);
	make(argv[1], "one", 1, 1, NOON, 0);
	make(argv[1], "few", 3, 4, NOON, 0);
	make(argv[1], "more", 20, 6, NOON, 0);
	make(argv[1], "old", 3, 8, YEARS_AGO, 0);
	make(argv[1], "pruned", 3, 8, NOON, 2);
	return 0;
}
