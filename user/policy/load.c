// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "builtin.h"
#include "calendar.h"
#include "fd.h"
#include "load.h"
#include "resolv.h"
#include "sets.h"

/* A FIFO would be waited for without an end. A pipe that a shell made, as in <(...), has somebody at its other end. */
static bool is_fifo(const char *path)
{
	struct statfs fs;
	struct stat st;

	return !stat(path, &st) && S_ISFIFO(st.st_mode) && !statfs(path, &fs) && fs.f_type != PIPEFS_MAGIC;
}

char *file_read(const char *path, size_t *len)
{
	bool fifo = is_fifo(path);
	int fd = fifo ? -1 : open(path, O_RDONLY | O_CLOEXEC), saved;
	char *text;

	if (fifo)
		errno = EINVAL;
	if (fd < 0)
		return NULL;
	text = fd_read(fd, SW_FILE_MAX, len);
	saved = errno;
	close(fd);
	errno = saved;
	return text;
}

/* Ends the path before its last name, which is returned. */
static char *cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return path;
	*slash = '\0';
	return slash + 1;
}

/*
 * What `make install` and `make` put beside the folder of this program. It must belong to whom the folder around both
 * belongs: a program that was copied to /tmp/build takes nothing from a stranger's /tmp/share.
 */
static char *own_share(void)
{
	static const char *const layouts[][2] = { { "bin", "share/sockwarden" }, { "build", "share" } };
	char around[4096], *share;
	ssize_t len = readlink("/proc/self/exe", around, sizeof(around) - 1);
	const char *folder;
	struct stat a, b;

	around[len < 0 ? 0 : len] = '\0';
	cut_name(around);
	folder = cut_name(around);
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts) && !strchr(around, ':'); i++) {
		if (strcmp(folder, layouts[i][0]))
			continue;
		share = mem_printf("%s/%s", around, layouts[i][1]);
		if (!stat(around, &a) && !stat(share, &b) && a.st_uid == b.st_uid)
			return share;
		free(share);
	}
	return NULL;
}

char *search_path(void)
{
	char *share = own_share(), *path;

	if (share && !strcmp(share, "/usr/share/sockwarden"))
		*share = '\0';
	path = mem_printf("/etc/sockwarden:/var/lib/sockwarden:%s%s/usr/share/sockwarden", share ? share : "",
			  share && *share ? ":" : "");
	free(share);
	return path;
}

/* The first FOLDER/kind/name+ending of the search path that exists, or the one built in, to be freed. */
static char *search(const char *path, const char *kind, const char *name, const char *ending)
{
	char *builtin;

	for (const char *folder = path; *folder; folder += strcspn(folder, ":"), folder += *folder == ':') {
		char *file = mem_printf("%.*s/%s/%s%s", (int)strcspn(folder, ":"), folder, kind, name, ending);

		if (!access(file, F_OK))
			return file;
		free(file);
	}
	builtin = mem_printf(BUILT_IN "/%s/%s%s", kind, name, ending);
	if (builtin_find(builtin))
		return builtin;
	free(builtin);
	return NULL;
}

/* As file_read(), of what search() found too. */
static char *found_read(const char *file, size_t *len)
{
	const struct builtin *builtin = builtin_find(file);

	if (!builtin)
		return file_read(file, len);
	*len = builtin->end - builtin->text;
	return mem_strndup(builtin->text, *len);
}

bool policy_is_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return strchr(name, '/') || (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json")));
}

static char *set_file(const char *path, const char *name)
{
	return strchr(name, '/') || *name == '.' ? NULL : search(path, "sets", name, "");
}

char *set_source(const char *path, const char *name)
{
	char *file = set_file(path, name);

	if (!file)
		return strcmp(name, SET_RESOLVERS) ? NULL : mem_strdup(RESOLV_CONF);
	if (!builtin_find(file))
		return file;
	free(file);
	return mem_strdup(BUILT_IN);
}

#define PUBLISHED "published "

__s64 set_published(const char *path, const char *name)
{
	char *file = set_file(path, name), *text, day[sizeof("2026-11-22")];
	const char *at;
	__s64 time = 0;
	size_t len;

	text = file ? found_read(file, &len) : NULL;
	if (text)
		text[strcspn(text, "\n")] = '\0';
	at = text ? strstr(text, PUBLISHED) : NULL;
	if (at) {
		snprintf(day, sizeof(day), "%s", at + strlen(PUBLISHED));
		if (!calendar_parse(day, &time))
			time = 0;
	}
	free(text);
	free(file);
	return time;
}

static void read_prefixes(const char *file, struct prefixes *out, struct diags *diags)
{
	size_t len;
	char *text = found_read(file, &len);

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
	text = found_read(file, &len);
	if (!text)
		diag_error(diags, &(struct place){ .file = file }, "%s: give the name of a policy, or its file",
			   strerror(errno));
	else
		policy = policy_read(file, text, len, find_net, (void *)path, diags);
	free(text);
	free(file);
	return policy;
}

struct policy *policy_from_stdin(const char *path, struct diags *diags)
{
	static const char file[] = "standard input";
	struct policy *policy = NULL;
	size_t len;
	char *text = fd_read(STDIN_FILENO, SW_FILE_MAX, &len);

	if (text)
		policy = policy_read(file, text, len, find_net, (void *)path, diags);
	else
		diag_error(diags, &(struct place){ .file = file }, "%s: here a policy is wanted", strerror(errno));
	free(text);
	return policy;
}
