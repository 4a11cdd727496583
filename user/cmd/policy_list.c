// SPDX-License-Identifier: GPL-2.0-only
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "cli.h"
#include "mem.h"
#include "named.h"
#include "plain.h"

#define ENDING ".yaml"

struct row {
	char *name, *source;
};

typedef LIST(struct row) rows_t;

/* Unless one of that name comes first. Takes `name`. */
static void add(rows_t *rows, char *name, const char *source)
{
	for (size_t i = 0; i < rows->n; i++)
		if (!strcmp(rows->v[i].name, name)) {
			free(name);
			return;
		}
	*list_add(rows) = (struct row){ name, mem_strdup(source) };
}

static void add_folder(rows_t *rows, const char *folder, size_t len)
{
	char *pattern = mem_printf("%.*s/policies/*" ENDING, (int)len, folder);
	glob_t found;

	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			const char *file = strrchr(found.gl_pathv[i], '/') + 1;

			add(rows, mem_strndup(file, strlen(file) - strlen(ENDING)), found.gl_pathv[i]);
		}
		globfree(&found);
	}
	free(pattern);
}

static void show(struct cli *cli, const struct row *row)
{
	if (!cli_has(cli, OPTION_JSON)) {
		plain_line(stdout, "%-18s %s", row->name, row->source);
		return;
	}
	json_open(&cli->json, NULL, '{');
	json_string(&cli->json, "policy", row->name);
	json_string(&cli->json, "source", row->source);
	json_close(&cli->json, '}');
}

static void show_all(struct cli *cli, const rows_t *rows)
{
	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	else
		printf("%-18s %s\n", "POLICY", "SOURCE");
	for (size_t i = 0; i < rows->n; i++)
		show(cli, &rows->v[i]);
	if (cli_has(cli, OPTION_JSON)) {
		json_close(&cli->json, ']');
		json_end(&cli->json);
	}
}

int cmd_policy_list(struct cli *cli)
{
	rows_t rows = { 0 };

	for (const char *folder = policy_path(); *folder; folder += strcspn(folder, ":"), folder += *folder == ':')
		add_folder(&rows, folder, strcspn(folder, ":"));
	add(&rows, mem_strdup(DEFAULT_POLICY), BUILT_IN);
	show_all(cli, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		free(rows.v[i].name);
		free(rows.v[i].source);
	}
	free(rows.v);
	return EXIT_OK;
}
