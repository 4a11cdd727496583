// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "amount.h"
#include "cli.h"
#include "client.h"
#include "health.h"
#include "meter.h"
#include "plain.h"
#include "reports.h"
#include "target.h"

/* What is shown, and where it was read. */
struct view {
	struct reports reports;
	struct snapshot daemon;
	bool answers;         /* the daemon does, */
	struct fault silence; /* else this is why not */
};

#define TENANT_COLUMN 20
#define POLICY_COLUMN 10

/* At most `width` columns, the middle left out. */
static const char *shorten(const char *text, size_t width, char out[SW_PATH_MAX])
{
	size_t len = strlen(text), front = (width - 2) / 2, back = width - 2 - front;

	if (len <= width)
		snprintf(out, SW_PATH_MAX, "%s", text);
	else
		snprintf(out, SW_PATH_MAX, "%.*s..%s", (int)front, text, text + len - back);
	return out;
}

static void print_row(const struct report *report)
{
	char sent[BYTES_TEXT], received[BYTES_TEXT], name[SW_PATH_MAX], policy[SW_PATH_MAX];

	plain_line(stdout, "%-*s %-11s %-*s %7" PRIu64 " %6" PRIu64 " %10s %10s", TENANT_COLUMN,
		   shorten(report->record.name, TENANT_COLUMN, name), tenant_state_name(report->state), POLICY_COLUMN,
		   shorten(*report->settings.policy ? report->settings.policy : "-", POLICY_COLUMN, policy),
		   (uint64_t)report->counts.allowed, (uint64_t)report_denied(report),
		   bytes_format(meter_direction(&report->meter, SW_EGRESS).bytes, sent),
		   bytes_format(meter_direction(&report->meter, SW_INGRESS).bytes, received));
}

/* What is wrong with the host; `doctor` says more. */
static void print_health(const struct view *view)
{
	const struct health_sources from = {
		.reports = &view->reports,
		.daemon = view->answers ? &view->daemon : NULL,
		.silence = view->silence.text,
	};
	struct health health;

	health_read(&from, &health);
	if (health.wrong) {
		putchar('\n');
		health_print(&health, true, stdout);
	}
	health_free(&health);
}

static void print_table(const struct view *view)
{
	const struct reports *reports = &view->reports;

	if (!reports->of.n) {
		puts("no tenant is attached: see sockwarden attach");
		return;
	}
	printf("%-*s %-11s %-*s %7s %6s %10s %10s\n", TENANT_COLUMN, "TENANT", "STATE", POLICY_COLUMN, "POLICY",
	       "ALLOWED", "DENIED", "SENT", "RECEIVED");
	for (size_t i = 0; i < reports->of.n; i++)
		print_row(&reports->of.v[i]);
	print_health(view);
}

static void print_json(const struct reports *reports, struct json *json)
{
	json_open(json, NULL, '[');
	for (size_t i = 0; i < reports->of.n; i++)
		report_json(&reports->of.v[i], &reports->support, json);
	json_close(json, ']');
	json_end(json);
}

/* One that is, rather than one that was and still has sockets. */
static struct report *find(const struct reports *reports, const char *text)
{
	struct report *found = NULL;
	struct target target;

	target_read(text, &target);
	for (size_t i = 0; i < reports->of.n; i++)
		if (target_is(&target, &reports->of.v[i].record) &&
		    (!found || slot_state(&found->record) == SLOT_LINGERING))
			found = &reports->of.v[i];
	return found;
}

static int show_one(const struct view *view, struct cli *cli)
{
	const struct report *report = find(&view->reports, cli->args[0]);
	struct fault fault;

	if (!report) {
		target_missing(cli->args[0], &fault);
		return fail("%s", fault.text);
	}
	/* nothing is closed where no daemon does it */
	cli_report(cli, report, view->answers ? &view->reports.support : NULL, stdout);
	return EXIT_OK;
}

static int show(const struct view *view, struct cli *cli)
{
	if (cli->argc)
		return show_one(view, cli);
	if (cli_has(cli, OPTION_JSON))
		print_json(&view->reports, &cli->json);
	else
		print_table(view);
	return EXIT_OK;
}

/* Nothing was ever attached: that is an answer. Of `tenant`, if it is not NULL, there is more to show. */
static int read_from_kernel(const char *tenant, struct reports *out, struct fault *fault)
{
	struct report *one;
	struct host host;
	int err = host_open(&host, HOST_READING, fault);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (host.map[MAP_settings] < 0)
		warn("the policies in the kernel are of another build: they are shown as '-', and what is audited as "
		     "enforced; 'sockwarden upgrade' takes over");
	err = reports_read(&host, NULL, out, fault);
	one = tenant && !err ? find(out, tenant) : NULL;
	if (one)
		reports_learned(&host, one);
	host_close(&host);
	return err;
}

/* Who may not read the kernel's maps asks the daemon; the others ask it how it is. */
static int read_view(struct view *view, const char *tenant, const char *socket, struct fault *fault)
{
	view->answers = !snapshot_ask(socket, &view->daemon, &view->silence);
	if (!geteuid())
		return read_from_kernel(tenant, &view->reports, fault);
	if (!view->answers)
		return fault_set(fault, EACCES, "this needs root, or a running daemon that may be asked: %s",
				 view->silence.text);
	view->reports = view->daemon.reports;
	view->daemon.reports = (struct reports){ 0 };
	return 0;
}

int cmd_status(struct cli *cli)
{
	const char *socket = cli->value[OPTION_SOCKET] ? cli->value[OPTION_SOCKET] : SW_SOCKET;
	struct view view = { 0 };
	struct fault fault;
	int err = read_view(&view, cli->argc ? cli->args[0] : NULL, socket, &fault);
	int status = err ? fail("%s", fault.text) : show(&view, cli);

	reports_free(&view.reports);
	snapshot_free(&view.daemon);
	return status;
}
