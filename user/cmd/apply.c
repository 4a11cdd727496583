// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "apply.h"
#include "cli.h"
#include "named.h"
#include "plain.h"

struct applying {
	struct cli *cli;
	struct tenant_set set;
	struct plan plan;
	struct diags diags;
};

/* ---- what is told -------------------------------------------------------------------------------------------- */

static void print_difference(const struct step *step)
{
	char *text = NULL, *line, *rest;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	if (!step->was)
		fputs("what was in force cannot be read\n", out);
	else if (!image_diff(step->was, step->image, out))
		fputs("it answers as it did\n", out);
	fclose(out);
	for (line = text; (rest = strchr(line, '\n')); line = rest + 1)
		plain_line(stdout, "  %.*s", (int)(rest - line), line);
	free(text);
}

static int by_replacement(const void *a, const void *b)
{
	const struct step *x = *(const struct step *const *)a, *y = *(const struct step *const *)b;

	if (x->was != y->was)
		return x->was < y->was ? -1 : 1;
	if (x->image != y->image)
		return x->image < y->image ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void print_line(const struct applying *a, const struct step *step)
{
	char *line = step_line(step, !cli_has(a->cli, OPTION_DRY_RUN));

	plain_line(stdout, "%s", line);
	free(line);
}

struct replaced {
	LIST(const struct step *);
};

static bool changes_alike(const struct step *a, const struct step *b)
{
	return a->same == b->same && a->was == b->was && a->image == b->image;
}

/* Those that change in the same way stand together, with that behind the last. */
static void print_replaced(const struct applying *a, struct replaced *replaced)
{
	if (replaced->n)
		qsort(replaced->v, replaced->n, sizeof(*replaced->v), by_replacement);
	for (size_t i = 0; i < replaced->n; i++) {
		const struct step *step = replaced->v[i];

		print_line(a, step);
		if (!step->same && (i + 1 == replaced->n || !changes_alike(step, replaced->v[i + 1])))
			print_difference(step);
	}
}

static void print_text(struct applying *a)
{
	struct replaced replaced = { 0 };

	for (size_t i = 0; i < a->plan.of.n; i++) {
		const struct step *step = &a->plan.of.v[i];

		if (step->change == CHANGE_REPLACE)
			*list_add(&replaced) = step;
		else
			print_line(a, step);
	}
	print_replaced(a, &replaced);
	free(replaced.v);
	if (!a->plan.of.n)
		plain_line(stdout, "unchanged: %zu tenant%s", a->plan.tenants, plural(a->plan.tenants));
}

static void print_step_json(const struct step *step, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "change", step_word(step));
	json_string(json, "tenant", step_is_many(step) ? NULL : step->name);
	json_string(json, step_is_many(step) ? "pattern" : "cgroup", step->path);
	json_string(json, "file", step->file);
	json_string(json, "policy", step->image ? step->image->settings.policy : NULL);
	if (step->was && !step->same)
		cli_differences(step->was, step->image, "differences", json);
	json_close(json, '}');
}

static void print_json(struct applying *a)
{
	struct json *json = &a->cli->json;

	json_open(json, NULL, '{');
	json_bool(json, "dry_run", cli_has(a->cli, OPTION_DRY_RUN));
	json_bool(json, "changed", a->plan.of.n > 0);
	json_number(json, "tenants", a->plan.tenants);
	json_open(json, "changes", '[');
	for (size_t i = 0; i < a->plan.of.n; i++)
		print_step_json(&a->plan.of.v[i], json);
	json_close(json, ']');
	json_close(json, '}');
	json_end(json);
}

static int show(struct applying *a)
{
	for (size_t i = 0; i < a->plan.left_out.n; i++)
		warn("warning: %s", a->plan.left_out.v[i]);
	if (cli_has(a->cli, OPTION_JSON))
		print_json(a);
	else if (!cli_has(a->cli, OPTION_QUIET))
		print_text(a);
	return a->plan.of.n && cli_has(a->cli, OPTION_DETAILED_EXITCODE) ? EXIT_DENIED : EXIT_OK;
}

/* ---- what is done -------------------------------------------------------------------------------------------- */

/* -EINVAL: there are mistakes, which are to be printed without the lock. */
static int plan(struct applying *a, const struct host *host, struct fault *fault)
{
	int err = plan_make(host, &a->set, &a->plan, &a->diags, fault);
	size_t n = a->diags.errors;

	if (err || !n)
		return err;
	return fault_set(fault, EINVAL, "%zu mistake%s in what tenants.d has: nothing has changed", n, plural(n));
}

/* What is to be done, by a look at the host that nobody need wait for. */
static int look(struct applying *a, struct fault *fault)
{
	struct host host;
	int err = host_open(&host, HOST_READING, fault);

	if (err == -ENOENT)
		return plan(a, NULL, fault);
	if (err)
		return err;
	err = plan(a, &host, fault);
	host_close(&host);
	return err;
}

/* It is planned anew, for the host may be another by now. */
static int carry_out(struct applying *a, struct fault *fault)
{
	struct host host;
	int err = host_open(&host, HOST_LOADING, fault);

	say_later();
	plan_free(&a->plan);
	if (!err)
		err = plan(a, &host, fault);
	if (!err)
		err = plan_carry_out(&host, &a->plan, fault);
	if (err || !publish_may_wait(&host))
		publish_tidy(&host);
	host_close(&host);
	say_now();
	return err;
}

static int apply(struct applying *a, struct fault *fault)
{
	int err = look(a, fault);

	if (cli_has(a->cli, OPTION_DRY_RUN))
		return err;
	return err == -ESTALE || (!err && a->plan.of.n) ? carry_out(a, fault) : err;
}

int cmd_apply(struct cli *cli)
{
	struct applying a = { .cli = cli, .plan = { .compare = true, .warn = warn } };
	struct fault fault;
	int err, status;

	if (cli_has(cli, OPTION_QUIET) && !cli_has(cli, OPTION_JSON))
		a.plan.compare = false;
	tenant_set_read(policy_path(), &a.set, &a.diags);
	err = apply(&a, &fault);
	if (err == -EINVAL)
		diags_print(&a.diags, stderr);
	status = err ? fail("%s", fault.text) : show(&a);
	plan_free(&a.plan);
	tenant_set_free(&a.set);
	diags_free(&a.diags);
	return status;
}
