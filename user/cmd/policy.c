// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "calls.h"
#include "cli.h"
#include "load.h"
#include "named.h"
#include "names.h"
#include "plain.h"
#include "policy_json.h"
#include "rule_text.h"

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* Mistakes and notes are printed; true if the policy is good. */
static bool check_text(const char *name)
{
	struct image *image = policy_compile_given(name, true, stderr);
	bool good = image != NULL;

	if (good)
		plain_line(stdout, "%s: good: %zu rule%s, %zu prefix%s, %zu answer%s", name, image->texts.n,
			   plural(image->texts.n), image->entries.n, image->entries.n == 1 ? "" : "es", image->spans.n,
			   plural(image->spans.n));
	fflush(stdout); /* before what is said of the next on stderr */
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
	struct policy *policy = policy_given(name, &diags);
	struct image *image = policy ? compile(policy, &diags) : NULL;
	bool good = image != NULL;

	diags_sort(&diags);
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
		char *file = mem_printf("%s%s%s", name, name[strlen(name) - 1] == '/' ? "" : "/", files[i]->d_name);

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
	struct policy *policy = policy_given(name, &diags);
	struct image *image;

	image = policy && cli_has(cli, OPTION_COMPILED) ? compile(policy, &diags) : NULL;
	if (!policy || diags.errors) {
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
		(policy->files.n > 1 ? policy_print_origins : policy_print)(policy, stdout);
	}
	diags_free(&diags);
	policy_free(policy);
	return EXIT_OK;
}

/* Two images and where to write in what they differ. */
struct diff {
	const struct image *a, *b;
	struct json *json;
};

static void verdict_json(const struct image *image, const char *key, const char *answer, __u16 rule, struct json *json)
{
	const struct sw_text *text = image_rule(image, rule);

	json_open(json, key, '{');
	json_string(json, "verdict", strcmp(answer, "deny") ? "allow" : answer);
	json_bool(json, "exempt", !strncmp(answer, "exempt", strlen("exempt")));
	if (strstr(answer, "private"))
		json_bool(json, "private", true);
	if (rule < SW_RULES_MAX)
		rule_json(rule, image->settings.policy, text->line, text->text, json);
	else
		json_string(json, "text", text->text);
	json_close(json, '}');
}

static void peers_json(const struct diff *diff, const struct difference *d)
{
	struct json *json = diff->json;
	char prefix[SW_PREFIX_TEXT];

	if (d->name)
		json_string(json, "name", d->name);
	else
		json_string(json, "prefix", prefix_format(d->prefix, prefix));
	json_string(json, "protocol", proto_name(d->first >> 16));
	json_open(json, "ports", '{');
	json_number(json, "first", d->first & 0xffff);
	json_number(json, "last", d->last & 0xffff);
	json_close(json, '}');
	verdict_json(diff->a, "old", d->before, d->rule_before, json);
	verdict_json(diff->b, "new", d->after, d->rule_after, json);
}

static void difference_json(void *data, const struct difference *d)
{
	const struct diff *diff = data;

	json_open(diff->json, NULL, '{');
	if (d->prefix || d->name) {
		peers_json(diff, d);
	} else {
		json_string(diff->json, d->setting ? "setting" : "option", d->setting ? d->setting : d->option);
		json_string(diff->json, "old", d->before);
		json_string(diff->json, "new", d->after);
	}
	json_close(diff->json, '}');
}

size_t cli_differences(const struct image *a, const struct image *b, const char *key, struct json *json)
{
	struct diff diff = { a, b, json };
	size_t n;

	json_open(json, key, '[');
	n = image_differences(a, b, difference_json, &diff);
	json_close(json, ']');
	return n;
}

static size_t diff_json(const struct image *a, const struct image *b, struct json *json)
{
	size_t n = cli_differences(a, b, NULL, json);

	json_end(json);
	return n;
}

int cmd_policy_diff(struct cli *cli)
{
	struct image *a = policy_compile_given(cli->args[0], false, stderr),
		     *b = policy_compile_given(cli->args[1], false, stderr);
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

int cmd_policy_unit(struct cli *cli)
{
	struct image *image = policy_compile_given(cli->argc ? cli->args[0] : DEFAULT_POLICY, false, stderr);

	if (!image)
		return EXIT_FAILED;
	calls_print_unit(&image->settings, stdout);
	image_free(image);
	return EXIT_OK;
}
