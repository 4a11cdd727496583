// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "amount.h"
#include "cli.h"
#include "host.h"
#include "meter.h"
#include "snapshot.h"
#include "survey.h"

static void print_row(const struct report *report)
{
	char sent[BYTES_TEXT], received[BYTES_TEXT];

	printf("%-20s %-10s %-16s %10" PRIu64 " %10" PRIu64 " %10s %10s  %s\n", report->record.name,
	       tenant_state_name(report->state), *report->settings.policy ? report->settings.policy : "-",
	       (uint64_t)report->counts.allowed, (uint64_t)report_denied(report),
	       bytes_format(meter_way(&report->meter, SW_TX).bytes, sent),
	       bytes_format(meter_way(&report->meter, SW_RX).bytes, received), report->record.path);
}

static void print_table(const struct reports *reports)
{
	printf("%-20s %-10s %-16s %10s %10s %10s %10s  %s\n", "TENANT", "STATE", "POLICY", "ALLOWED", "DENIED", "SENT",
	       "RECEIVED", "CGROUP");
	for (size_t i = 0; i < reports->of.n; i++)
		print_row(&reports->of.v[i]);
	support_print(&reports->support, stdout);
}

static void print_json(const struct reports *reports, struct json *json)
{
	json_open(json, NULL, '[');
	for (size_t i = 0; i < reports->of.n; i++)
		report_json(&reports->of.v[i], &reports->support, json);
	json_close(json, ']');
	json_end(json);
}

static int show(const struct reports *reports, struct cli *cli)
{
	if (!cli->argc && cli_has(cli, OPTION_JSON))
		print_json(reports, &cli->json);
	else if (!cli->argc)
		print_table(reports);
	for (size_t i = 0; cli->argc && i < reports->of.n; i++) {
		if (strcmp(reports->of.v[i].record.name, cli->args[0]))
			continue;
		cli_report(cli, &reports->of.v[i], &reports->support, stdout);
		return EXIT_OK;
	}
	return cli->argc ? fail("no tenant is named %s: 'sockwarden status' lists them", cli->args[0]) : EXIT_OK;
}

/* Who may not read the kernel's maps asks the daemon. */
static int read_from_daemon(struct reports *out, struct fault *fault)
{
	struct snapshot snapshot;
	struct fault why;
	int err = snapshot_ask(SW_SOCKET, &snapshot, &why);

	if (err)
		return fault_set(fault, -err, "this needs root, or a running daemon that may be asked: %s", why.text);
	*out = snapshot.reports;
	return 0;
}

static int read_from_kernel(struct reports *out, struct fault *fault)
{
	struct host host;
	int err = host_open(&host, HOST_READING, fault);

	if (err)
		return err;
	err = survey_reports(&host, out, fault);
	host_close(&host);
	return err;
}

int cmd_status(struct cli *cli)
{
	struct reports reports = { 0 };
	struct fault fault;
	int err = geteuid() ? read_from_daemon(&reports, &fault) : read_from_kernel(&reports, &fault);
	int status = err ? fail("%s", fault.text) : show(&reports, cli);

	reports_free(&reports);
	return status;
}
