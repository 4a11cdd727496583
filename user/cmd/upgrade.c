// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "cli.h"
#include "image.h"
#include "named.h"
#include "pins.h"
#include "say.h"
#include "upgrade.h"

static void tell(const struct upgrade *done)
{
	char theirs[LAYOUT_BUILD], mine[LAYOUT_BUILD];

	warn("took over from build %s, with build %s: %u tenant%s", layout_build(&done->layout, theirs),
	     layout_my_build(mine), done->tenants, plural(done->tenants));
}

/* The first of its mistakes. */
static struct image *compile_quietly(const char *source, struct fault *fault)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct image *image = out ? policy_compile(source, false, out) : NULL;

	if (out)
		fclose(out);
	if (!image)
		fault_set(fault, EINVAL, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
	free(text);
	return image;
}

void upgrade_allow(void)
{
	upgrade_ways = (struct upgrade_ways){ .compile = compile_quietly, .tell = tell };
}

static const char *fate(const struct upgrade *upgrade, int map)
{
	if (upgrade->layout.same[map])
		return "kept";
	switch (layout_kind[map]) {
	case MAP_CARRIED:
		return "another layout";
	case MAP_COPIED:
		return "copied";
	default:
		return "made anew";
	}
}

static void print_json(const struct upgrade *upgrade, const char *refused, bool done, struct json *json)
{
	char text[LAYOUT_BUILD];

	json_open(json, NULL, '{');
	json_string(json, "build", layout_my_build(text));
	json_string(json, "kernel", upgrade->loaded ? layout_build(&upgrade->layout, text) : NULL);
	json_number(json, "tenants", upgrade->tenants);
	json_open(json, "maps", '{');
	for (int map = 0; map < MAP_COUNT && upgrade->loaded; map++)
		json_string(json, pins_map[map], fate(upgrade, map));
	json_close(json, '}');
	json_string(json, "refused", refused);
	json_bool(json, "done", done);
	json_close(json, '}');
	json_end(json);
}

static void print_fates(const struct upgrade *upgrade, const char *what)
{
	int n = 0;

	for (int map = 0; map < MAP_COUNT; map++)
		if (!strcmp(fate(upgrade, map), what))
			printf("%s %s", n++ ? "" : what, pins_map[map]);
	if (n)
		putchar('\n');
}

static void print_plan(const struct upgrade *upgrade)
{
	char theirs[LAYOUT_BUILD], mine[LAYOUT_BUILD];

	if (!upgrade->loaded) {
		puts("nothing to do: no programs are in the kernel");
		return;
	}
	layout_my_build(mine);
	if (upgrade->layout.same_build) {
		printf("nothing to do: the programs in the kernel are of this build, %s\n", mine);
		return;
	}
	printf("from build %s to build %s, %u tenant%s\n", layout_build(&upgrade->layout, theirs), mine,
	       upgrade->tenants, plural(upgrade->tenants));
	print_fates(upgrade, "kept");
	print_fates(upgrade, "copied");
	print_fates(upgrade, "made anew");
	print_fates(upgrade, "another layout");
}

static int upgrade(struct cli *cli, struct upgrade *plan, struct fault *fault)
{
	struct host host;
	int err = host_hold(&host, fault);

	if (!err)
		err = upgrade_plan(plan, fault);
	if (!cli_has(cli, OPTION_JSON) && (!err || plan->loaded))
		print_plan(plan);
	if (!err)
		err = cli_has(cli, OPTION_DRY_RUN) ? upgrade_try(&host, fault) : upgrade_run(&host, fault);
	host_close(&host);
	return err;
}

int cmd_upgrade(struct cli *cli)
{
	struct upgrade plan = { 0 };
	struct fault fault;
	int err = upgrade(cli, &plan, &fault);

	if (cli_has(cli, OPTION_JSON))
		print_json(&plan, err ? fault.text : NULL, !err && !cli_has(cli, OPTION_DRY_RUN), &cli->json);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
