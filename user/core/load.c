// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "load.h"
#include "resolv.h"
#include "sets.h"

char *file_read(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	char *text;

	if (fd < 0)
		return NULL;
	text = fd_read(fd, len);
	saved = errno;
	close(fd);
	errno = saved;
	return text;
}

/* The first FOLDER/kind/name+ending of the search path that exists, to be freed. */
static char *search(const char *path, const char *kind, const char *name, const char *ending)
{
	for (const char *folder = path; *folder; folder += strcspn(folder, ":"), folder += *folder == ':') {
		char *file = mem_printf("%.*s/%s/%s%s", (int)strcspn(folder, ":"), folder, kind, name, ending);

		if (!access(file, F_OK))
			return file;
		free(file);
	}
	return NULL;
}

bool policy_is_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return strchr(name, '/') || (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json")));
}

char *set_file(const char *path, const char *name)
{
	return strchr(name, '/') || *name == '.' ? NULL : search(path, "sets", name, "");
}

static void read_prefixes(const char *file, struct prefixes *out, struct diags *diags)
{
	size_t len;
	char *text = file_read(file, &len);

	if (!text) {
		diag_error(diags, &(struct place){ .file = file }, "%s: here a list is wanted, one prefix a line",
			   strerror(errno));
		return;
	}
	prefixes_parse(file, text, len, out, diags);
	free(text);
}

/* Of a host without name servers the set is empty, which is no mistake: a rule with it matches nothing. */
static void read_resolvers(struct prefixes *out, struct diags *diags)
{
	int err = resolv_read(out);

	if (err)
		diag_error(diags, &(struct place){ .file = RESOLV_CONF },
			   "%s: the name servers of this host are read from it", strerror(-err));
}

bool set_load(const char *path, const char *name, struct prefixes *out, struct diags *diags)
{
	char *file;

	if (set_find(name, out))
		return true;
	file = set_file(path, name);
	if (file)
		read_prefixes(file, out, diags);
	else if (!strcmp(name, SET_RESOLVERS))
		read_resolvers(out, diags);
	else
		return false;
	free(file);
	return true;
}

/* A net_source: named sets, and file:PATH beside the policy that names it. */
static bool find_net(void *path, const char *from, const char *text, struct prefixes *out, struct diags *diags)
{
	const char *slash = strrchr(from, '/'), *name = text + strlen("file:");
	char *file;

	if (strncmp(text, "file:", strlen("file:")))
		return set_load(path, text, out, diags);
	file = *name == '/' || !slash ? mem_strdup(name) : mem_printf("%.*s/%s", (int)(slash - from), from, name);
	read_prefixes(file, out, diags);
	free(file);
	return true;
}

struct policy *policy_load(const char *path, const char *name, struct diags *diags)
{
	char *file = policy_is_file(name) ? mem_strdup(name) : search(path, "policies", name, ".yaml"), *text;
	struct policy *policy = NULL;
	size_t len;

	if (!file) {
		diag_error(diags, &(struct place){ .file = name },
			   "no policy of this name in %s: give a name from there, or a file such as ./%s.yaml", path,
			   name);
		return NULL;
	}
	text = file_read(file, &len);
	if (!text)
		diag_error(diags, &(struct place){ .file = file }, "%s: give the name of a policy, or its file",
			   strerror(errno));
	else
		policy = policy_read(file, text, len, find_net, (void *)path, diags);
	free(text);
	free(file);
	return policy;
}
