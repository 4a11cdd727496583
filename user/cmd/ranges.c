// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "file.h"
#include "google.h"
#include "load.h"
#include "named.h"
#include "resolv.h"
#include "sets.h"

#define SETS_FOLDER "/var/lib/sockwarden/sets"

static void show_set(struct cli *cli, const char *name, size_t prefixes, const char *from)
{
	if (!cli_has(cli, OPTION_JSON)) {
		printf("%-22s %8zu  %s\n", name, prefixes, from);
		return;
	}
	json_open(&cli->json, NULL, '{');
	json_string(&cli->json, "set", name);
	json_number(&cli->json, "prefixes", prefixes);
	json_string(&cli->json, "source", from);
	json_close(&cli->json, '}');
}

static void list_set(struct cli *cli, const char *name, const char *from)
{
	struct prefixes set = { 0 };
	struct diags diags = { 0 };

	if (set_load(policy_path(), name, &set, &diags))
		show_set(cli, name, set.n, from);
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

static int list_sets(struct cli *cli)
{
	static const char *const others[] = { "google", "google-cloud", SET_RESOLVERS };

	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	else
		printf("%-22s %8s  %s\n", "SET", "PREFIXES", "SOURCE");
	list_set(cli, SET_SPECIAL, "all of the following that are built in");
	for (const struct set_range *range = set_ranges; range->set; range++)
		if (!listed_before(range))
			list_set(cli, range->set, range->source);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		char *from = set_source(policy_path(), others[i]);

		list_set(cli, others[i], from);
		free(from);
	}
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

static void write_set(FILE *out, const char *what, const struct prefixes *set)
{
	char text[SW_PREFIX_TEXT];

	fprintf(out, "%s\n# %zu prefixes. Written by 'sockwarden ranges update'.\n", what, set->n);
	for (size_t i = 0; i < set->n; i++)
		fprintf(out, "%s\n", prefix_format(&set->v[i], text));
}

static int replace_set(struct cli *cli, const char *folder, const char *name, const char *what,
		       const struct prefixes *set)
{
	char *file = mem_printf("%s/%s", folder, name), *text;
	struct fault fault;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		abort();
	write_set(out, what, set);
	fclose(out);
	err = file_replace(file, 0644, text, len, &fault);
	if (err)
		warn("%s", fault.text);
	else
		show_set(cli, name, set->n, file);
	free(file);
	free(text);
	return err ? EXIT_FAILED : EXIT_OK;
}

static int replace_both(struct cli *cli, const char *folder, const char *own, const struct prefixes *google,
			const char *customers, const struct prefixes *cloud)
{
	int status;

	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	status = replace_set(cli, folder, "google", own, google);
	if (!status)
		status = replace_set(cli, folder, "google-cloud", customers, cloud);
	if (cli_has(cli, OPTION_JSON)) {
		json_close(&cli->json, ']');
		json_end(&cli->json);
	}
	return status;
}

static bool read_list(const char *file, struct google_list *list)
{
	struct diags diags = { 0 };
	size_t len;
	char *text = file_read(file, &len);
	bool good = false;

	*list = (struct google_list){ 0 };
	if (text)
		good = google_read(file, text, len, list, &diags);
	else
		warn("%s: %s", file, strerror(errno));
	diags_print(&diags, stderr);
	diags_free(&diags);
	free(text);
	return good;
}

/* The one above too: a new host has neither. */
static int make_folder(const char *folder)
{
	file_make_folder(folder);
	return mkdir(folder, 0755) && errno != EEXIST ? -errno : 0;
}

int cmd_ranges_update(struct cli *cli)
{
	const char *folder = cli->value[OPTION_OUTPUT] ? cli->value[OPTION_OUTPUT] : SETS_FOLDER;
	struct google_list goog = { 0 }, cloud = { 0 };
	char *own = NULL, *customers = NULL;
	int status = EXIT_FAILED, err;

	if (!cli_has(cli, OPTION_GOOG) || !cli_has(cli, OPTION_CLOUD))
		return usage("ranges update needs both lists: --goog FILE --cloud FILE");
	err = make_folder(folder);
	if (err)
		return fail("cannot make %s: %s", folder, strerror(-err));
	if (read_list(cli->value[OPTION_GOOG], &goog) && read_list(cli->value[OPTION_CLOUD], &cloud)) {
		own = mem_printf("# Google's own ranges: all of Google's (published %s) without those of its "
				 "cloud's customers.",
				 goog.created);
		customers = mem_printf("# Ranges of the customers of Google's cloud, published %s.", cloud.created);
		prefixes_subtract(&goog.prefixes, &cloud.prefixes);
		status = goog.prefixes.n ? replace_both(cli, folder, own, &goog.prefixes, customers, &cloud.prefixes)
					 : fail("nothing is left of %s without %s: are they in the right order?",
						cli->value[OPTION_GOOG], cli->value[OPTION_CLOUD]);
	}
	free(own);
	free(customers);
	google_free(&goog);
	google_free(&cloud);
	return status;
}
