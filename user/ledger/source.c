// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ledger.h"

static int read_line(const char *path, char *text, size_t size, struct fault *fault)
{
	FILE *in = fopen(path, "re");
	bool read = in && fgets(text, size, in);

	if (in)
		fclose(in);
	if (!read)
		return fault_set(fault, EIO, "cannot read %s, by which rows of the ledger say whose they are", path);
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int ledger_source_here(__u64 epoch, struct ledger_source *out, struct fault *fault)
{
	int err = read_line("/etc/machine-id", out->host, sizeof(out->host), fault);

	if (!err)
		err = read_line("/proc/sys/kernel/random/boot_id", out->boot, sizeof(out->boot), fault);
	out->epoch = epoch;
	return err;
}
