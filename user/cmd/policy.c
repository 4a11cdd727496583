// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "load.h"

/* Mistakes and notes are printed; true if the policy is good. */
static bool check(const char *name)
{
	struct image *image = cli_compile(name, true);
	bool good = image != NULL;

	if (good)
		printf("%s: good: %zu rules, %zu prefixes, %zu answers\n", name, image->texts.n, image->entries.n,
		       image->spans.n);
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
	struct policy *policy = policy_load(cli_path(), name, &diags);
	bool good = policy != NULL;

	json_open(json, NULL, '{');
	json_string(json, "policy", name);
	json_bool(json, "good", good);
	diags_json(&diags, json);
	json_close(json, '}');
	json_end(json);
	diags_free(&diags);
	policy_free(policy);
	return good;
}

int cmd_policy_check(struct cli *cli)
{
	bool good = true;

	for (int i = 0; i < cli->argc; i++)
		good &= cli_has(cli, OPTION_JSON) ? check_json(cli->args[i], &cli->json) : check(cli->args[i]);
	return good ? EXIT_OK : EXIT_FAILED;
}

static void show_json(const struct policy *policy, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "policy", policy->name);
	json_open(json, "rules", '[');
	for (size_t i = 0; i < policy->rules.n; i++) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		rule_print(policy, &policy->rules.v[i], out);
		fclose(out);
		json_open(json, NULL, '{');
		json_number(json, "rule", i + 1);
		json_number(json, "line", policy->rules.v[i].line);
		json_string(json, "text", text);
		json_close(json, '}');
		free(text);
	}
	json_close(json, ']');
	json_string(json, "default", policy->default_allow ? "allow" : "deny");
	json_close(json, '}');
	json_end(json);
}

int cmd_policy_show(struct cli *cli)
{
	const char *name = cli->argc ? cli->args[0] : DEFAULT_POLICY;
	struct diags diags = { 0 };
	struct policy *policy = policy_load(cli_path(), name, &diags);
	struct image *image;

	if (!policy) {
		diags_print(&diags, stderr);
		diags_free(&diags);
		return EXIT_FAILED;
	}
	if (cli_has(cli, OPTION_COMPILED)) {
		image = compile(policy, &diags);
		image_print(image, stdout);
		image_free(image);
	} else if (cli_has(cli, OPTION_JSON)) {
		show_json(policy, &cli->json);
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
	struct image *a = cli_compile(cli->args[0], false), *b = cli_compile(cli->args[1], false);
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
