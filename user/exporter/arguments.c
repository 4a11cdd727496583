// SPDX-License-Identifier: GPL-2.0-only
#include "arguments.h"

static const struct option_row rows[] = {
#define X(id, letter, name, arg, help) { letter, name, arg, help },
	EXPORTER_OPTIONS(X)
#undef X
};

#define ROWS (sizeof(rows) / sizeof(*rows))

const struct option_table exporter_options = { rows, ROWS, (1ULL << ROWS) - 1, false };

const char exporter_more[] =
	"It asks the daemon anew at each scrape and needs no right but to connect to the daemon's socket: run it as a\n"
	"user of its own. While the daemon does not answer, sockwarden_up is 0 and the metrics are still served.\n"
	"/-/healthy answers as long as this process runs, /-/ready while the daemon answers.\n"
	"\n"
	"To keep thousands of tenants affordable, a series is shown once there is something to show: the class exempt\n"
	"when a tenant has exempt traffic, a reason in sockwarden_tenant_denied_total when something was denied for "
	"it\n"
	"(reason=\"rule\" always), a rule when it decided something. With top:N those N tenants are shown that sent "
	"most\n"
	"billable bytes. With top:N and off the sums over all tenants are there too, as gauges, "
	"sockwarden_tenants_bytes\n"
	"and sockwarden_tenants_denied: they fall when a tenant ends.\n"
	"\n"
	"--once and --textfile: the exit status is 1 when the daemon does not answer; the metrics are written all the\n"
	"same.\n";
