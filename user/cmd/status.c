// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "report.h"

static void print_row(const struct report *report)
{
	char sent[16], received[16];

	printf("%-20s %-10s %-16s %10" PRIu64 " %10" PRIu64 " %10s %10s  %s\n", report->record.name,
	       tenant_state_name(report->state), *report->settings.policy ? report->settings.policy : "-",
	       (uint64_t)report->counts.allowed, (uint64_t)report_denied(report),
	       format_bytes(report->meter.tx_bytes, sent), format_bytes(report->meter.rx_bytes, received),
	       report->record.path);
}

static int show_row(const struct host *host, __u32 slot, struct cli *cli, struct fault *fault)
{
	struct report report;
	int err = report_read(host, slot, &report, fault);

	if (!err && cli_has(cli, OPTION_JSON))
		report_json(&report, &cli->json);
	else if (!err)
		print_row(&report);
	report_free(&report);
	return err;
}

static int show_all(const struct host *host, struct cli *cli, struct fault *fault)
{
	int err = 0;

	if (cli_has(cli, OPTION_JSON))
		json_open(&cli->json, NULL, '[');
	else
		printf("%-20s %-10s %-16s %10s %10s %10s %10s  %s\n", "TENANT", "STATE", "POLICY", "ALLOWED", "DENIED",
		       "SENT", "RECEIVED", "CGROUP");
	for (__u32 slot = 1; slot < SW_TENANTS_MAX && !err; slot++)
		if (host->records[slot].cgroup)
			err = show_row(host, slot, cli, fault);
	if (cli_has(cli, OPTION_JSON)) {
		json_close(&cli->json, ']');
		json_end(&cli->json);
	}
	return err;
}

static int show_one(const struct host *host, const char *name, struct cli *cli, struct fault *fault)
{
	__u32 slot = tenant_find(host, name);
	struct report report;
	int err;

	if (!slot)
		return fault_set(fault, ENOENT, "no tenant is named %s: 'sockwarden status' lists them", name);
	err = report_read(host, slot, &report, fault);
	if (!err)
		report_show(&report, cli, stdout);
	report_free(&report);
	return err;
}

int cmd_status(struct cli *cli)
{
	struct fault fault;
	struct host host;
	int err = host_open(&host, HOST_READING, &fault);

	if (err)
		return fail("%s", fault.text);
	if (cli->argc)
		err = show_one(&host, cli->args[0], cli, &fault);
	else
		err = show_all(&host, cli, &fault);
	host_close(&host);
	return err ? fail("%s", fault.text) : EXIT_OK;
}
