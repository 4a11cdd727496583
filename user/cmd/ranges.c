// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calendar.h"
#include "load.h"
#include "named.h"
#include "plain.h"
#include "ranges.h"
#include "resolv.h"
#include "sets.h"

#define DAY 86400

/* "2026-11-22 (4 d)", or "-" where nothing is known. */
static const char *age_format(__s64 since, char text[AGE_TEXT])
{
	char day[CALENDAR_TEXT];
	__s64 age = time(NULL) - since;

	if (since)
		snprintf(text, AGE_TEXT, "%s (%lld d)", calendar_label(since, CALENDAR_DAY, day),
			 (long long)(age < 0 ? 0 : age / DAY));
	return since ? text : "-";
}

void ranges_show(struct cli *cli, const struct range_row *row)
{
	char text[AGE_TEXT];

	if (!cli_has(cli, OPTION_JSON)) {
		plain_line(stdout, "%-18s %8zu  %-19s %s", row->set, row->prefixes,
			   age_format(row->published ? row->published : row->changed, text), row->source);
		return;
	}
	json_open(&cli->json, NULL, '{');
	json_string(&cli->json, "set", row->set);
	json_number(&cli->json, "prefixes", row->prefixes);
	if (row->published)
		json_string(&cli->json, "published", calendar_format(row->published, text));
	else if (row->changed)
		json_string(&cli->json, "changed", calendar_format(row->changed, text));
	json_string(&cli->json, "source", row->source);
	json_close(&cli->json, '}');
}

static void list_set(struct cli *cli, const char *name, const char *from)
{
	struct prefixes set = { 0 };
	struct diags diags = { 0 };

	if (set_load(policy_path(), name, &set, &diags))
		ranges_show(cli, &(struct range_row){ name, set.n, set_published(policy_path(), name),
						      set_changed(policy_path(), name), from });
	diags_print(&diags, stderr);
	diags_free(&diags);
	prefixes_free(&set);
}

static bool listed_before(const struct set_range *range)
{
	for (const struct set_range *other = set_ranges; other != range; other++)
		if (!strcmp(other->set, range->set))
			return true;
	return false;
}

static bool is_of_language(const char *name)
{
	struct prefixes set = { 0 };
	bool is = set_find(name, &set);

	prefixes_free(&set);
	return is;
}

/* A name of the language means what it means on every host. */
static void list_file(struct cli *cli, const char *name)
{
	char *from = set_source(policy_path(), name);

	if (is_of_language(name))
		warn("%s is not read: the set %s is part of the language; give the file another name", from, name);
	else
		list_set(cli, name, from);
	free(from);
}

static int list_sets(struct cli *cli)
{
	struct set_names names = { 0 };

	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	else
		printf("%-18s %8s  %-19s %s\n", "SET", "PREFIXES", "AS OF", "SOURCE");
	list_set(cli, SET_SPECIAL, "all of the following that are built in");
	for (const struct set_range *range = set_ranges; range->set; range++)
		if (!listed_before(range))
			list_set(cli, range->set, range->source);
	set_names(policy_path(), &names);
	for (size_t i = 0; i < names.n; i++)
		list_file(cli, names.v[i]);
	set_names_free(&names);
	if (cli_has(cli, OPTION_JSON)) {
		json_close(&cli->json, ']');
		json_end(&cli->json);
	}
	return EXIT_OK;
}

static void print_prefixes(struct cli *cli, const struct prefixes *set)
{
	char text[SW_PREFIX_TEXT];

	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	for (size_t i = 0; i < set->n; i++) {
		if (cli_has(cli, OPTION_JSON))
			json_string(&cli->json, NULL, prefix_format(&set->v[i], text));
		else
			puts(prefix_format(&set->v[i], text));
	}
	if (cli_has(cli, OPTION_JSON)) {
		json_close(&cli->json, ']');
		json_end(&cli->json);
	}
}

int cmd_ranges(struct cli *cli)
{
	struct prefixes set = { 0 };
	struct diags diags = { 0 };
	bool found;

	if (!cli->argc)
		return list_sets(cli);
	found = set_load(policy_path(), cli->args[0], &set, &diags);
	diags_print(&diags, stderr);
	if (found && !diags.errors) {
		prefixes_aggregate(&set);
		print_prefixes(cli, &set);
	}
	found = found && !diags.errors;
	diags_free(&diags);
	prefixes_free(&set);
	return found ? EXIT_OK : fail("no set is named '%s': 'sockwarden ranges' lists them", cli->args[0]);
}
