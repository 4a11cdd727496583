// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "load.h"
#include "policy_json.h"

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* Mistakes and notes are printed; true if the policy is good. */
static bool check_text(const char *name)
{
	struct image *image = cli_compile_given(name, true);
	bool good = image != NULL;

	if (good)
		printf("%s: good: %zu rule%s, %zu prefix%s, %zu answer%s\n", name, image->texts.n,
		       plural(image->texts.n), image->entries.n, image->entries.n == 1 ? "" : "es", image->spans.n,
		       plural(image->spans.n));
	image_free(image);
	return good;
}

static void diags_json(const struct diags *diags, struct json *json)
{
	json_open(json, "messages", '[');
	for (size_t i = 0; i < diags->n; i++) {
		json_open(json, NULL, '{');
		json_string(json, "level", diags->v[i].note ? "note" : "error");
		json_string(json, "file", diags->v[i].file);
		json_number(json, "line", diags->v[i].line);
		json_number(json, "column", diags->v[i].col);
		json_string(json, "text", diags->v[i].text);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static bool check_json(const char *name, struct json *json)
{
	struct diags diags = { 0 };
	struct policy *policy = cli_policy(name, &diags);
	struct image *image = policy ? compile(policy, &diags) : NULL;
	bool good = image != NULL;

	json_open(json, NULL, '{');
	json_string(json, "policy", name);
	json_bool(json, "good", good);
	diags_json(&diags, json);
	json_close(json, '}');
	json_end(json);
	diags_free(&diags);
	image_free(image);
	policy_free(policy);
	return good;
}

static bool check(struct cli *cli, const char *name)
{
	return cli_has(cli, OPTION_JSON) ? check_json(name, &cli->json) : check_text(name);
}

static int is_policy(const struct dirent *file)
{
	return *file->d_name != '.' && policy_is_file(file->d_name);
}

/* Every policy of a folder; or the policy, if it is none. */
static bool check_each(struct cli *cli, const char *name)
{
	struct dirent **files;
	struct stat st;
	bool good = true;
	int n;

	if (!policy_is_file(name) && strcmp(name, "."))
		return check(cli, name);
	if (stat(name, &st) || !S_ISDIR(st.st_mode))
		return check(cli, name);
	n = scandir(name, &files, is_policy, alphasort);
	if (n <= 0) {
		warn("%s: %s", name,
		     n < 0 ? strerror(errno) : "no policy is in this folder: their names end in .yaml, .yml or .json");
		return false;
	}
	for (int i = 0; i < n; i++) {
		char *file = mem_printf("%s/%s", name, files[i]->d_name);

		good &= check(cli, file);
		free(file);
		free(files[i]);
	}
	free(files);
	return good;
}

int cmd_policy_check(struct cli *cli)
{
	bool good = true;

	for (int i = 0; i < cli->argc; i++)
		good &= check_each(cli, cli->args[i]);
	return good ? EXIT_OK : EXIT_FAILED;
}

int cmd_policy_show(struct cli *cli)
{
	const char *name = cli->argc ? cli->args[0] : DEFAULT_POLICY;
	struct diags diags = { 0 };
	struct policy *policy = cli_policy(name, &diags);
	struct image *image;

	image = policy && cli_has(cli, OPTION_COMPILED) ? compile(policy, &diags) : NULL;
	if (diags.errors) {
		diags_print(&diags, stderr);
		diags_free(&diags);
		policy_free(policy);
		return EXIT_FAILED;
	}
	if (image) {
		image_print(image, stdout);
		image_free(image);
	} else if (cli_has(cli, OPTION_JSON)) {
		policy_json(policy, &cli->json);
	} else {
		policy_print(policy, stdout);
	}
	diags_free(&diags);
	policy_free(policy);
	return EXIT_OK;
}

/* The differences as an array of lines. */
static size_t diff_json(const struct image *a, const struct image *b, struct json *json)
{
	char *text = NULL, *save, *line;
	size_t len, n;
	FILE *out = open_memstream(&text, &len);

	n = image_diff(a, b, out);
	fclose(out);
	json_open(json, NULL, '[');
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		json_string(json, NULL, line);
	json_close(json, ']');
	json_end(json);
	free(text);
	return n;
}

int cmd_policy_diff(struct cli *cli)
{
	struct image *a = cli_compile_given(cli->args[0], false), *b = cli_compile_given(cli->args[1], false);
	int status = EXIT_FAILED;
	size_t lines;

	if (a && b) {
		lines = cli_has(cli, OPTION_JSON) ? diff_json(a, b, &cli->json) : image_diff(a, b, stdout);
		status = lines ? EXIT_DENIED : EXIT_OK;
	}
	image_free(a);
	image_free(b);
	return status;
}
