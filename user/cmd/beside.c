// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beside.h"
#include "mem.h"
#include "say.h"

/* Where they are from this program's folder: as built, and as installed. */
static const char *const places[] = { "", "../libexec/sockwarden/" };

int become_beside(const char *name, char **args)
{
	char self[PATH_MAX], *path;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self));

	if (len < 0 || len == sizeof(self))
		return fail("cannot find this program's own folder: is /proc mounted?");
	while (len && self[len - 1] != '/')
		len--;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		path = mem_printf("%.*s%s%s", (int)len, self, places[i], name);
		execv(path, args);
		if (errno != ENOENT)
			return fail("cannot run %s: %s", path, strerror(errno));
		free(path);
	}
	return fail("%.*s has no %s, nor has %.*s%s: install all programs of one build", (int)len, self, name, (int)len,
		    self, places[1]);
}
