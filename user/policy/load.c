// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "allow.h"
#include "builtin.h"
#include "calendar.h"
#include "fd.h"
#include "load.h"
#include "resolv.h"
#include "sets.h"
#include "tenant_file.h"

/*
 * Nothing is waited for: a terminal has nothing to say at once, and of a FIFO nothing can be told from its end. A pipe that a
 * shell made, as in <(...), has somebody at its other end. What was opened is looked at, for the path may be another's to change.
 */
static bool can_be_read(int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st))
		return false;
	if (!S_ISFIFO(st.st_mode))
		return true;
	errno = EINVAL;
	return !fstatfs(fd, &fs) && fs.f_type == PIPEFS_MAGIC && !fcntl(fd, F_SETFL, 0);
}

char *file_read(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), saved;
	char *text;

	if (fd < 0)
		return NULL;
	text = can_be_read(fd) ? fd_read(fd, SW_FILE_MAX, len) : NULL;
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

/* Only root writes to it. In a folder with the sticky bit nobody takes away what is root's. */
static bool is_roots(const struct stat *st)
{
	return !st->st_uid && (!(st->st_mode & 022) || (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX));
}

bool file_is_roots(const char *path)
{
	char *real = realpath(path, NULL), *folder;
	struct stat st;
	bool roots;

	if (!real) { /* it is not there: what counts is who may put it there */
		folder = mem_strdup(path);
		cut_name(folder);
		real = realpath(*folder ? folder : "/", NULL);
		free(folder);
	}
	roots = real;
	while (roots && *real) {
		roots = !stat(real, &st) && is_roots(&st);
		cut_name(real);
	}
	free(real);
	return roots;
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

static bool is_same(const char *file, const char *other)
{
	struct stat a, b;

	return !stat(file, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * The first FOLDER/kind/name+ending of the search path that exists, or the one built in, to be freed; of those that come
 * after the file `behind`, if that is one of them.
 */
static char *search(const char *path, const char *kind, const char *name, const char *ending, const char *behind)
{
	char *found = NULL, *file;

	for (const char *folder = path; *folder; folder += strcspn(folder, ":"), folder += *folder == ':') {
		bool is_behind;

		file = mem_printf("%.*s/%s/%s%s", (int)strcspn(folder, ":"), folder, kind, name, ending);
		is_behind = is_same(file, behind);
		if (is_behind || (!found && !access(file, F_OK))) {
			free(found);
			found = is_behind ? NULL : mem_strdup(file);
		}
		free(file);
	}
	if (found)
		return found;
	file = mem_printf(BUILT_IN "/%s/%s%s", kind, name, ending);
	if (builtin_find(file) && strcmp(file, behind))
		return file;
	free(file);
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

bool policy_is_path(const char *name)
{
	return policy_is_file(name) && !policy_is_allow(name);
}

static char *set_file(const char *path, const char *name)
{
	return strchr(name, '/') || *name == '.' ? NULL : search(path, "sets", name, "", "");
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

__s64 published_in(const char *text)
{
	const char *at = strstr(text, PUBLISHED), *end = text + strcspn(text, "\n");
	char day[sizeof("2026-11-22")];
	__s64 time;

	if (!at || at > end)
		return 0;
	snprintf(day, sizeof(day), "%s", at + strlen(PUBLISHED));
	return calendar_parse(day, &time) ? time : 0;
}

__s64 set_published(const char *path, const char *name)
{
	char *file = set_file(path, name), *text;
	__s64 time;
	size_t len;

	text = file ? found_read(file, &len) : NULL;
	time = text ? published_in(text) : 0;
	free(text);
	free(file);
	return time;
}

__s64 set_changed(const char *path, const char *name)
{
	char *file = set_file(path, name);
	bool is_file = file && !builtin_find(file);
	struct stat st;
	__s64 time = is_file && !stat(file, &st) ? st.st_mtime : 0;

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

/* A path that `from` names, which stands beside it; to be freed. */
static char *beside(const char *from, const char *name)
{
	const char *slash = strrchr(from, '/');

	while (!strncmp(name, "./", 2))
		name += 2 + strspn(name + 2, "/");
	return *name == '/' || !slash ? mem_strdup(name) : mem_printf("%.*s/%s", (int)(slash - from), from, name);
}

/* A net_source: named sets, and file:PATH beside the policy that names it. */
static bool find_net(void *path, const char *from, const char *text, struct prefixes *out, struct diags *diags)
{
	char *file;

	if (strncmp(text, "file:", strlen("file:")))
		return set_load(path, text, out, diags);
	file = beside(from, text + strlen("file:"));
	read_prefixes(file, out, diags);
	free(file);
	return true;
}

/*
 * Where the policy is that `from` names, to be freed: beside that file, or by the search path. There a policy that has
 * the name of its base stands before it.
 */
static char *policy_file(const char *path, const char *from, const char *name)
{
	return policy_is_file(name) ? beside(from, name) : search(path, "policies", name, ".yaml", from);
}

/* A base_source. */
static char *find_base(void *path, const char *from, const char *name, char **file, size_t *len, struct fault *fault)
{
	char *found = policy_file(path, from, name), *text;

	if (!found) {
		fault_set(fault, ENOENT,
			  "no policy of this name in %s: give a name from there, or a file such as ./%s.yaml",
			  (const char *)path, name);
		return NULL;
	}
	text = found_read(found, len);
	if (!text)
		fault_set(fault, errno, "%s: %s: give the name of a policy, or its file", found, strerror(errno));
	else
		*file = mem_strdup(found);
	free(found);
	return text;
}

/* "doh, google, office" */
static char *list_sets(void *path)
{
	struct set_names names = { 0 };
	char *list = mem_strdup("");

	set_names(path, &names);
	for (size_t i = 0; i < names.n; i++) {
		char *longer = mem_printf("%s%s%s", list, *list ? ", " : "", names.v[i]);

		free(list);
		list = longer;
	}
	set_names_free(&names);
	return list;
}

static struct policy *read_here(const char *path, const char *file, const char *text, size_t len, const char *key,
				struct diags *diags)
{
	return policy_read_under(key, file, text, len,
				 &(struct policy_source){ find_net, list_sets, find_base, (void *)path }, diags);
}

/* What a gate lets through depends on the host, unless the policy says it. */
static struct policy *with_search(struct policy *policy, struct diags *diags)
{
	struct domains domains = { 0 };
	int err;

	if (!policy || !policy->gate || policy->says_search)
		return policy;
	err = resolv_search(&domains);
	policy->search.v = domains.v;
	policy->search.n = domains.n;
	if (!err)
		return policy;
	diag_error(diags, &(struct place){ .file = RESOLV_CONF },
		   "%s: the search list of this host is read from it; or say 'search' in the policy", strerror(-err));
	policy_free(policy);
	return NULL;
}

struct policy *policy_of_tenant(const char *path, const struct tenant_file *tenant, struct diags *diags)
{
	const struct place place = tenant_file_policy(tenant);
	struct policy *policy;

	if (tenant->policy) {
		policy = policy_load(path, tenant->policy, diags);
		if (!policy)
			diag_error(diags, &place, "its policy %.200s has mistakes, or is not there", tenant->policy);
		return policy;
	}
	policy = read_here(path, tenant->file, tenant->text, tenant->len, "policy", diags);
	return with_search(policy, diags);
}

static struct policy *load_tenant(const char *path, const char *file, struct diags *diags)
{
	struct tenant_file tenant;
	struct policy *policy = NULL;

	if (tenant_file_load(file, &tenant, diags))
		policy = policy_of_tenant(path, &tenant, diags);
	tenant_file_free(&tenant);
	return policy;
}

static struct policy *load_policy(const char *path, const char *file, struct diags *diags)
{
	struct policy *policy = NULL;
	size_t len;
	char *text = found_read(file, &len);

	if (!text)
		diag_error(diags, &(struct place){ .file = file }, "%s: give the name of a policy, or its file",
			   strerror(errno));
	else
		policy = with_search(read_here(path, file, text, len, NULL, diags), diags);
	free(text);
	return policy;
}

static struct policy *load_file(const char *path, const char *name, struct diags *diags)
{
	char *file = policy_file(path, "", name);
	struct policy *policy = NULL;

	if (!file)
		diag_error(diags, &(struct place){ .file = name },
			   "no policy of this name in %s: give a name from there, or a file such as ./%s.yaml", path,
			   name);
	else
		policy = tenant_file_is(file) ? load_tenant(path, file, diags) : load_policy(path, file, diags);
	free(file);
	return policy;
}

static struct policy *load_allow(const char *path, const char *name, struct diags *diags)
{
	struct policy *policy = NULL;
	size_t len;
	char *text;

	if (strlen(name) >= SW_PATH_MAX) {
		diag_error(diags, &(struct place){ .file = "allow" },
			   "%zu bytes are too long a list, %zu are the most: write a policy in a file, beginning with "
			   "what 'sockwarden policy show %s...' prints",
			   strlen(name) - strlen(ALLOW_MARK), SW_PATH_MAX - sizeof(ALLOW_MARK), ALLOW_MARK);
		return NULL;
	}
	text = allow_text(name, &len);
	policy = read_here(path, name, text, len, NULL, diags);
	free(text);
	return policy;
}

struct policy *policy_load(const char *path, const char *name, struct diags *diags)
{
	if (policy_is_allow(name))
		return load_allow(path, name, diags);
	return load_file(path, name, diags);
}

struct policy *policy_from_stdin(const char *path, struct diags *diags)
{
	static const char file[] = "standard input";
	struct policy *policy = NULL;
	size_t len;
	char *text = fd_read(STDIN_FILENO, SW_FILE_MAX, &len);

	if (text)
		policy = with_search(read_here(path, file, text, len, NULL, diags), diags);
	else
		diag_error(diags, &(struct place){ .file = file }, "%s: here a policy is wanted", strerror(errno));
	free(text);
	return policy;
}
