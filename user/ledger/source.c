// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ledger.h"

#define MACHINE_ID 32 /* digits, machine-id(5) */

static int read_line(const char *path, char *text, size_t size, struct fault *fault)
{
	FILE *in = fopen(path, "re");
	int error = in ? 0 : errno;

	text[0] = '\0';
	if (in && !fgets(text, size, in) && ferror(in))
		error = errno;
	if (in)
		fclose(in);
	text[strcspn(text, "\n")] = '\0';
	return error ? fault_set(fault, error == ENOENT ? EINVAL : error,
				 "cannot read %s, by which rows of the ledger say whose they are: %s", path,
				 strerror(error))
		     : 0;
}

static bool is_machine_id(const char *text)
{
	return strlen(text) == MACHINE_ID && strspn(text, "0123456789abcdefABCDEF") == MACHINE_ID &&
	       strspn(text, "0") < MACHINE_ID;
}

/* An image that is not set up yet has an empty one, or one that says so. */
int ledger_host_read(const char *path, char host[SW_NAME_MAX], struct fault *fault)
{
	int err = read_line(path, host, SW_NAME_MAX, fault);

	if (err || is_machine_id(host))
		return err;
	return fault_set(fault, EINVAL,
			 "%s %s%.40s%s: it has to be 32 hexadecimal digits, by which rows of the ledger say whose they "
			 "are: %s, then start the daemon again",
			 path, *host ? "has '" : "is empty", host, *host ? "' in it" : "",
			 *host && strcmp(host, "uninitialized") ? "remove it and run 'systemd-machine-id-setup'"
								: "run 'systemd-machine-id-setup'");
}

int ledger_source_here(__u64 epoch, struct ledger_source *out, struct fault *fault)
{
	int err = ledger_host_read("/etc/machine-id", out->host, fault);

	if (!err)
		err = read_line("/proc/sys/kernel/random/boot_id", out->boot, sizeof(out->boot), fault);
	out->epoch = epoch;
	return err;
}
