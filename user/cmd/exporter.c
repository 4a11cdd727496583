// SPDX-License-Identifier: GPL-2.0-only
/* The exporter is a program of its own, so that what listens on the network has none of this one's libraries. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define PROGRAM "sockwarden-exporter"

/* Where it is from this program's folder: as built, and as installed. */
static const char *const places[] = { PROGRAM, "../libexec/sockwarden/" PROGRAM };

int cmd_exporter(struct cli *cli)
{
	char self[PATH_MAX], path[PATH_MAX + sizeof("../libexec/sockwarden/" PROGRAM)];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self));

	if (len < 0 || len == sizeof(self))
		return fail("cannot find this program's own folder: is /proc mounted?");
	while (len && self[len - 1] != '/')
		len--;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%.*s%s", (int)len, self, places[i]);
		execv(path, cli->args - 1); /* before the arguments is the verb, which it does not look at */
		if (errno != ENOENT)
			return fail("cannot run %s: %s", path, strerror(errno));
	}
	return fail("%.*s has no " PROGRAM ", nor has %s: install both programs of one build", (int)len, self, path);
}
