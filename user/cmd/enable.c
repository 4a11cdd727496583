// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach_to.h"
#include "detach_from.h"
#include "file.h"
#include "named.h"
#include "plain.h"
#include "systemctl.h"
#include "unit.h"
#include "unit_cgroups.h"
#include "units.h"
#include "wanted.h"

/* ---- what is enabled -------------------------------------------------------------------------------------- */

static void show(struct cli *cli, const struct units_enabled *enabled)
{
	char *policy = units_policy_in(enabled->file);

	if (cli_has(cli, OPTION_JSON)) {
		json_open(&cli->json, NULL, '{');
		json_string(&cli->json, "units", enabled->pattern);
		json_string(&cli->json, "policy", policy ? policy : DEFAULT_POLICY);
		json_string(&cli->json, "file", enabled->file);
		json_close(&cli->json, '}');
	} else {
		plain_line(stdout, "%-28s %-20s %s", enabled->pattern, policy ? policy : DEFAULT_POLICY, enabled->file);
	}
	free(policy);
}

static int list(struct cli *cli)
{
	struct units_enabled_list enabled = units_list();

	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	else
		printf("%-28s %-20s %s\n", "UNITS", "POLICY", "FILE");
	for (size_t i = 0; i < enabled.of.n; i++)
		show(cli, &enabled.of.v[i]);
	if (cli_has(cli, OPTION_JSON)) {
		json_close(&cli->json, ']');
		json_end(&cli->json);
	}
	units_list_free(&enabled);
	return EXIT_OK;
}

/* ---- enable ----------------------------------------------------------------------------------------------- */

/* As it is to be found from any folder; NULL: it has mistakes, which have been said. */
static char *check_policy(const char *policy)
{
	struct image *image = policy_compile(policy, false, stderr);
	char *source = image ? policy_source(policy) : NULL;

	image_free(image);
	return source;
}

static int check(const char *pattern, struct fault *fault)
{
	const char *wrong = unit_pattern_check(pattern);

	if (wrong)
		return fault_set(fault, EINVAL, "%.200s: %s", pattern, wrong);
	if (!units_installed(UNITS_ATTACH))
		return fault_set(fault, ENOENT,
				 "systemd has no %s, which is to attach them: install sockwarden with its "
				 "units ('make install')",
				 UNITS_ATTACH);
	return 0;
}

/* The line of the policy is there only if one was given, so that another file may say it. */
static char *drop_in_text(const char *pattern, const char *source)
{
	return mem_printf("# Written by 'sockwarden enable'; 'sockwarden disable \"%s\"' takes it out.\n"
			  "[Unit]\n"
			  "Requires=sockwarden-attach@%%n.service\n"
			  "After=sockwarden-attach@%%n.service\n"
			  "\n"
			  "[X-Sockwarden]\n"
			  "%s%s%s",
			  pattern, source ? "Policy=" : "", source ? source : "", source ? "\n" : "");
}

static int write_drop_in(const char *pattern, const char *source, struct fault *fault)
{
	char *path = units_drop_in(pattern), *text = drop_in_text(pattern, source);
	int err = file_make_folder(path);

	err = err ? fault_set(fault, -err, "cannot make the folder of %s: %s", path, strerror(-err))
		  : file_replace(path, 0644, text, strlen(text), fault);
	if (!err)
		err = systemctl_reload(fault);
	free(text);
	free(path);
	return err;
}

struct running {
	struct cli *cli;
	const char *pattern;
	int status;
};

static bool is_of(const char *pattern, const char *path)
{
	return !fnmatch(pattern, unit_of_cgroup(path), FNM_NOESCAPE);
}

static void attach_running(const char *path, void *data)
{
	struct running *running = data;

	if (is_of(running->pattern, path) && attach_unit_at(running->cli, path))
		running->status = EXIT_FAILED;
}

/* What runs now is attached now; what starts later attaches itself. */
static int attach_all(struct cli *cli, const char *pattern, struct fault *fault)
{
	struct running running = { cli, pattern, EXIT_OK };

	if (!cli_has(cli, OPTION_QUIET))
		plain_line(stdout, "enabled %s: from now on such a unit starts only under its policy", pattern);
	if (unit_cgroups_each(attach_running, &running, fault))
		return fail("%s", fault->text);
	if (running.status)
		warn("what could not be attached runs on without a policy; what starts from now on does not");
	return running.status;
}

int cmd_enable(struct cli *cli)
{
	const char *pattern = cli->args[0], *policy = cli->value[OPTION_POLICY];
	char *source = NULL;
	struct fault fault;
	int err;

	if (cli_has(cli, OPTION_LIST))
		return list(cli);
	if (!pattern)
		return usage("say which units are to be tenants, as in: sockwarden enable 'tenant-*.slice'");
	err = check(pattern, &fault);
	if (!err && policy && !(source = check_policy(policy)))
		return EXIT_FAILED;
	if (!err)
		err = write_drop_in(pattern, source, &fault);
	free(source);
	return err ? fail("%s", fault.text) : attach_all(cli, pattern, &fault);
}

/* ---- disable ---------------------------------------------------------------------------------------------- */

/* Another pattern may still stand for it, or for a unit around it. */
static bool is_let_go(const char *pattern, const char *path)
{
	char outermost[SW_PATH_MAX];

	snprintf(outermost, sizeof(outermost), "%s", path);
	return is_of(pattern, path) && !unit_cgroup_outermost(outermost);
}

static int detach_all(struct cli *cli, const char *pattern, struct fault *fault)
{
	struct wanted_list wanted;
	int status = wanted_all(&wanted, fault) ? fail("%s", fault->text) : EXIT_OK;

	for (size_t i = 0; i < wanted.of.n; i++)
		if (is_let_go(pattern, wanted.of.v[i].is.path) && detach_from(cli, wanted.of.v[i].name.text))
			status = EXIT_FAILED;
	wanted_free(&wanted);
	return status;
}

static int remove_drop_in(const char *pattern, struct fault *fault)
{
	char *path = units_drop_in(pattern);
	int err = unlink(path) ? -errno : 0;

	if (err == -ENOENT)
		fault_set(fault, ENOENT, "%s is not enabled: 'sockwarden enable --list' shows what is", pattern);
	else if (err)
		fault_set(fault, -err, "cannot remove %s: %s", path, strerror(-err));
	*strrchr(path, '/') = '\0';
	if (!err)
		rmdir(path); /* unless it has other files */
	free(path);
	return err ? err : systemctl_reload(fault);
}

int cmd_disable(struct cli *cli)
{
	const char *pattern = cli->args[0], *wrong = unit_pattern_check(pattern);
	struct fault fault;

	if (wrong)
		return fail("%.200s: %s", pattern, wrong);
	if (remove_drop_in(pattern, &fault))
		return fail("%s", fault.text);
	if (!cli_has(cli, OPTION_QUIET))
		plain_line(stdout, "disabled %s", pattern);
	return detach_all(cli, pattern, &fault);
}
