// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch.h"
#include "file.h"
#include "google.h"
#include "load.h"
#include "named.h"
#include "ranges.h"

#define SETS_FOLDER "/var/lib/sockwarden/sets"

/* One of the two sets that are made of Google's two lists. */
struct update {
	const char *name;
	char *file, *text;
	size_t len;
	struct prefixes *prefixes;
};

#define SETS 2

/* ---- what is read ------------------------------------------------------------------------------------------- */

#define HTTPS "https://"

static bool is_url(const char *from)
{
	return strstr(from, "://");
}

static const char *source(const struct cli *cli, enum cli_option option, const char *published)
{
	return cli->value[option] ? cli->value[option] : published;
}

static char *read_file(const char *file, size_t *len)
{
	char *text = file_read(file, len);

	if (!text)
		warn("%s: %s", file, strerror(errno));
	return text;
}

static bool read_list(const char *from, struct google_list *list)
{
	struct diags diags = { 0 };
	size_t len;
	char *text = is_url(from) ? fetch(from, &len) : read_file(from, &len);
	bool good = text && google_read(from, text, len, list, &diags);

	diags_print(&diags, stderr);
	diags_free(&diags);
	free(text);
	return good;
}

/* ---- what is written ---------------------------------------------------------------------------------------- */

static void make_text(struct update *set, const char *what, const char *published)
{
	FILE *out = open_memstream(&set->text, &set->len);
	char text[SW_PREFIX_TEXT];

	if (!out)
		abort();
	fprintf(out, what, published);
	fprintf(out, "\n# %zu prefixes. Written by 'sockwarden ranges update'.\n", set->prefixes->n);
	for (size_t i = 0; i < set->prefixes->n; i++)
		fprintf(out, "%s\n", prefix_format(&set->prefixes->v[i], text));
	fclose(out);
}

/* What would be replaced: the file, or else the set this host has. One that cannot be read has nothing to lose. */
static void read_now(const struct update *set, struct prefixes *out)
{
	struct diags ignored = { 0 };
	size_t len;
	char *text = file_read(set->file, &len);

	if (text)
		prefixes_parse(set->file, text, len, out, &ignored);
	else if (errno == ENOENT)
		set_load(policy_path(), set->name, out, &ignored);
	diags_free(&ignored);
	free(text);
}

static int check_loss(const struct update *set)
{
	struct prefixes now = { 0 };
	const char *family;

	read_now(set, &now);
	family = google_lacks(&now, set->prefixes);
	prefixes_free(&now);
	return !family ? EXIT_OK
		       : fail("the new %s lacks more than half of the %s addresses that it has now: the sets stay as "
			      "they "
			      "are. If that is right, repeat it with --force",
			      set->name, family);
}

static void show(struct cli *cli, const struct update sets[SETS])
{
	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	for (int i = 0; i < SETS; i++)
		ranges_show(cli, &(struct range_row){ sets[i].name, sets[i].prefixes->n, published_in(sets[i].text), 0,
						      sets[i].file });
	if (cli_has(cli, OPTION_JSON)) {
		json_close(&cli->json, ']');
		json_end(&cli->json);
	}
}

static int replace(struct cli *cli, const struct update sets[SETS])
{
	struct file_text files[SETS];
	struct fault fault;
	int status = EXIT_OK;

	for (int i = 0; i < SETS; i++) {
		files[i] = (struct file_text){ sets[i].file, sets[i].text, sets[i].len };
		if (!status && !cli_has(cli, OPTION_FORCE))
			status = check_loss(&sets[i]);
	}
	if (!status && file_replace_all(files, SETS, 0644, &fault))
		status = fail("%s", fault.text);
	if (!status)
		show(cli, sets);
	return status;
}

/* ---- the command -------------------------------------------------------------------------------------------- */

/* The one above too: a new host has neither. */
static int make_folder(const char *folder)
{
	file_make_folder(folder);
	return mkdir(folder, 0755) && errno != EEXIST ? -errno : 0;
}

static int update(struct cli *cli, const char *folder, struct google_list *goog, struct google_list *cloud)
{
	struct update sets[SETS] = {
		{ "google", .prefixes = &goog->prefixes },
		{ "google-cloud", .prefixes = &cloud->prefixes },
	};
	int status;

	prefixes_subtract(&goog->prefixes, &cloud->prefixes);
	if (!goog->prefixes.n)
		return fail(
			"nothing is left of the one list without the other: are --goog and --cloud in their places?");
	make_text(&sets[0],
		  "# Google's own ranges: all of Google's (published %s) without those of its cloud's customers.",
		  goog->created);
	make_text(&sets[1], "# Ranges of the customers of Google's cloud, published %s.", cloud->created);
	for (int i = 0; i < SETS; i++)
		sets[i].file = mem_printf("%s/%s", folder, sets[i].name);
	status = replace(cli, sets);
	for (int i = 0; i < SETS; i++) {
		free(sets[i].file);
		free(sets[i].text);
	}
	return status;
}

int cmd_ranges_update(struct cli *cli)
{
	const char *folder = cli->value[OPTION_OUTPUT] ? cli->value[OPTION_OUTPUT] : SETS_FOLDER,
		   *from[] = { source(cli, OPTION_GOOG, GOOGLE_GOOG), source(cli, OPTION_CLOUD, GOOGLE_CLOUD) };
	struct google_list goog = { 0 }, cloud = { 0 };
	int status = EXIT_FAILED, err;

	for (int i = 0; i < SETS; i++)
		if (is_url(from[i]) && strncmp(from[i], HTTPS, strlen(HTTPS)))
			return usage("%s: nothing but " HTTPS " is fetched, for a list decides whom tenants may reach",
				     from[i]);
	err = make_folder(folder);
	if (err)
		return fail("cannot make %s: %s", folder, strerror(-err));
	if (read_list(from[0], &goog) && read_list(from[1], &cloud))
		status = update(cli, folder, &goog, &cloud);
	google_free(&goog);
	google_free(&cloud);
	return status;
}
