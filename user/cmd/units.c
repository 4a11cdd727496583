// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "load.h"
#include "unit.h"
#include "units.h"

#define DROP_IN "50-sockwarden.conf"

/* Where systemd looks, the first of two files of a name counts (systemd.unit(5)). */
static const char *const places[] = {
	"/etc/systemd/system.control",   "/run/systemd/system.control", "/run/systemd/transient",
	"/etc/systemd/system",           "/run/systemd/system",         "/run/systemd/generator",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",     "/lib/systemd/system",
};

#define PLACES      (sizeof(places) / sizeof(*places))
#define PLACE_ADMIN 3

char *units_drop_in(const char *pattern)
{
	char *folder = unit_folder_of_pattern(pattern);
	char *path = mem_printf("%s/%s/" DROP_IN, places[PLACE_ADMIN], folder);

	free(folder);
	return path;
}

/* Not one that was masked by a link to /dev/null. */
static bool is_there(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* The unit's own file, to be freed; NULL: it has none. */
static char *find_fragment(const char *unit)
{
	for (size_t i = 0; i < PLACES; i++) {
		char *path = mem_printf("%s/%s", places[i], unit);

		if (is_there(path))
			return path;
		free(path);
	}
	return NULL;
}

bool units_installed(const char *unit)
{
	char *path = find_fragment(unit);
	bool found = path;

	free(path);
	return found;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* ---- what is enabled -------------------------------------------------------------------------------------- */

static int no_dots(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* Calls `each` for what a folder has, in the order of names, as "FOLDER/NAME". */
static void each_file(const char *folder, const char *pattern, void (*each)(char *path, void *data), void *data)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, no_dots, alphasort);

	for (int i = 0; i < n; i++) {
		if (!fnmatch(pattern, entries[i]->d_name, 0)) {
			char *path = mem_printf("%s/%s", folder, entries[i]->d_name);

			each(path, data);
			free(path);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

struct paths {
	LIST(char *) of;
};

static void paths_free(struct paths *paths)
{
	for (size_t i = 0; i < paths->of.n; i++)
		free(paths->of.v[i]);
	free(paths->of.v);
}

static void add_mark(char *folder, void *data)
{
	struct paths *marks = data;
	char *file = mem_printf("%s/" DROP_IN, folder);
	struct stat st;

	if (lstat(file, &st))
		free(file);
	else
		*list_add(&marks->of) = file;
}

/* Every drop-in of ours, masked ones too, by the order of the places. */
static struct paths read_marks(void)
{
	struct paths marks = { 0 };

	for (size_t i = 0; i < PLACES; i++)
		each_file(places[i], "*.d", add_mark, &marks);
	return marks;
}

static const char *mark_at(const struct paths *marks, const char *place, const char *folder)
{
	char *path = mem_printf("%s/%s/" DROP_IN, place, folder);
	const char *found = NULL;

	for (size_t i = 0; i < marks->of.n && !found; i++)
		if (!strcmp(marks->of.v[i], path))
			found = marks->of.v[i];
	free(path);
	return found;
}

/* The first that there is of them counts. */
static bool is_enabled(const struct paths *marks, const char *unit)
{
	const char *found = NULL;
	char *folder;

	for (size_t i = 0; i < PLACES && marks->of.n && !found; i++)
		for (int n = 0; !found && (folder = unit_folder(unit, n)); n++) {
			found = mark_at(marks, places[i], folder);
			free(folder);
		}
	return found && is_there(found);
}

static char *pattern_of(const char *file)
{
	char *folder = mem_strndup(file, strlen(file) - strlen("/" DROP_IN));
	char *pattern = unit_pattern_of_folder(name_of(folder));

	free(folder);
	return pattern;
}

struct units_enabled_list units_list(void)
{
	struct units_enabled_list list = { 0 };
	struct paths marks = read_marks();

	for (size_t i = 0; i < marks.of.n; i++)
		if (is_there(marks.of.v[i]))
			*list_add(&list.of) =
				(struct units_enabled){ pattern_of(marks.of.v[i]), mem_strdup(marks.of.v[i]) };
	paths_free(&marks);
	return list;
}

void units_list_free(struct units_enabled_list *list)
{
	for (size_t i = 0; i < list->of.n; i++) {
		free(list->of.v[i].pattern);
		free(list->of.v[i].file);
	}
	free(list->of.v);
}

/* ---- a unit's drop-ins ------------------------------------------------------------------------------------ */

static void add_drop_in(char *path, void *data)
{
	struct paths *drop_ins = data;

	for (size_t i = 0; i < drop_ins->of.n; i++)
		if (!strcmp(name_of(drop_ins->of.v[i]), name_of(path)))
			return;
	*list_add(&drop_ins->of) = mem_strdup(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(*(char *const *)a), name_of(*(char *const *)b));
}

/* In the order in which they are read. */
static struct paths find_drop_ins(const char *unit)
{
	struct paths drop_ins = { 0 };
	char *folder;

	for (size_t i = 0; i < PLACES; i++)
		for (int n = 0; (folder = unit_folder(unit, n)); n++) {
			char *path = mem_printf("%s/%s", places[i], folder);

			each_file(path, "*.conf", add_drop_in, &drop_ins);
			free(path);
			free(folder);
		}
	if (drop_ins.of.n)
		qsort(drop_ins.of.v, drop_ins.of.n, sizeof(*drop_ins.of.v), by_name);
	return drop_ins;
}

/* ---- its policy ------------------------------------------------------------------------------------------- */

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (isspace((unsigned char)*text))
		text++;
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

/* As systemd reads its files: an empty value takes back what was said before. */
static void read_policy(const char *path, char **policy)
{
	size_t len;
	char *text = file_read(path, &len), *rest = text, *line;
	bool ours = false;

	while ((line = strsep(&rest, "\n"))) {
		line = trim(line);
		if (*line == '[')
			ours = !strcmp(line, "[X-Sockwarden]");
		else if (ours && !strncmp(line, "Policy", 6) && *trim(line + 6) == '=') {
			free(*policy);
			line = trim(strchr(line, '=') + 1);
			*policy = *line ? mem_strdup(line) : NULL;
		}
	}
	free(text);
}

char *units_policy_in(const char *file)
{
	char *policy = NULL;

	read_policy(file, &policy);
	return policy;
}

char *units_policy(const char *unit)
{
	struct paths drop_ins = find_drop_ins(unit);
	char *policy = NULL, *fragment = find_fragment(unit);

	if (fragment)
		read_policy(fragment, &policy);
	for (size_t i = 0; i < drop_ins.of.n; i++)
		read_policy(drop_ins.of.v[i], &policy);
	paths_free(&drop_ins);
	free(fragment);
	return policy;
}

/* ---- asking systemd --------------------------------------------------------------------------------------- */

#define ANSWER_MAX 4096
#define TRIES      50  /* it may be executing itself anew */
#define PAUSE      200 /* ms */

/* What it prints, to be freed; NULL: it failed. */
static char *run_systemctl(const char *const *args)
{
	int ends[2], status;
	size_t len;
	char *answer;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		execvp("systemctl", (char *const *)args);
		_exit(127);
	}
	close(ends[1]);
	answer = fd_read(ends[0], ANSWER_MAX, &len);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status) {
		free(answer);
		answer = NULL;
	}
	return answer;
}

static int ask_systemd(const char *const *args, char **answer, struct fault *fault)
{
	signal(SIGCHLD, SIG_DFL); /* ignored, it would take the exit status away */
	for (int i = 0; i < TRIES; i++) {
		*answer = run_systemctl(args);
		if (*answer)
			return 0;
		usleep(PAUSE * 1000);
	}
	return fault_set(fault, EIO, "systemd does not answer: 'systemctl %s' fails", args[1]);
}

int units_reload(struct fault *fault)
{
	const char *const args[] = { "systemctl", "daemon-reload", NULL };
	char *ignored = NULL;
	int err = access("/run/systemd/system", F_OK) ? 0 : ask_systemd(args, &ignored, fault);

	free(ignored);
	return err;
}

/* ---- cgroups ---------------------------------------------------------------------------------------------- */

/* Where systemd's own begins: the true root, but in a container. */
static int find_root(char root[SW_PATH_MAX], struct fault *fault)
{
	static const char own[] = "/init.scope";
	int err = cgroup_root(root, fault);
	size_t len = strlen(root);
	char *of = err ? NULL : cgroup_of(1);
	size_t below = of ? strlen(of) : 0;

	if (err)
		return err;
	if (below >= sizeof(own) - 1 && !strcmp(of + below - (sizeof(own) - 1), own))
		below -= sizeof(own) - 1;
	else
		below = 0;
	snprintf(root + len, SW_PATH_MAX - len, "%.*s", (int)below, of ? of : "");
	free(of);
	return 0;
}

static int slice_of(const char *unit, char **slice, struct fault *fault)
{
	const char *const args[] = { "systemctl", "show", "-P", "Slice", "--", unit, NULL };
	int err;

	*slice = NULL;
	if (unit_is_slice(unit)) {
		*slice = mem_strdup(unit);
		return 0;
	}
	err = ask_systemd(args, slice, fault);
	if (err)
		return err;
	(*slice)[strcspn(*slice, "\n")] = '\0';
	return **slice ? 0 : fault_set(fault, ENOENT, "systemd does not say in which slice %s is", unit);
}

int units_cgroup(const char *unit, char path[SW_PATH_MAX], struct fault *fault)
{
	char root[SW_PATH_MAX], *slice = NULL, *below, *directory;
	int err = find_root(root, fault), len;

	if (!err)
		err = slice_of(unit, &slice, fault);
	if (err) {
		free(slice);
		return err;
	}
	below = unit_slice_path(slice);
	directory = unit_directory(unit);
	len = unit_is_slice(unit) ? snprintf(path, SW_PATH_MAX, "%s%s", root, below)
				  : snprintf(path, SW_PATH_MAX, "%s%s/%s", root, below, directory);
	free(directory);
	free(below);
	free(slice);
	return len < SW_PATH_MAX ? 0 : fault_set(fault, ENAMETOOLONG, "the path of %s's cgroup is too long", unit);
}

const char *units_of(const char *path)
{
	return unit_of_directory(name_of(path));
}

bool units_outermost(char path[SW_PATH_MAX])
{
	struct paths marks = read_marks();
	struct fault ignored;
	char root[SW_PATH_MAX], *end = NULL;
	bool found = false;

	if (!find_root(root, &ignored) && !strncmp(path, root, strlen(root)))
		end = path + strlen(root);
	while (!found && end && *end == '/') {
		end = strchr(end + 1, '/');
		if (end)
			*end = '\0';
		found = is_enabled(&marks, units_of(path));
		if (!found && end)
			*end = '/';
	}
	paths_free(&marks);
	return found;
}

static struct {
	void (*each)(const char *path, void *data);
	void *data;
	size_t root;
	struct paths marks;
} visit;

/* Units lie in slices. What is below others they made themselves, and may be called anything. */
static int visit_cgroup(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type != FTW_D || strlen(path) <= visit.root)
		return FTW_CONTINUE;
	if (!is_enabled(&visit.marks, units_of(path)))
		return unit_is_slice(units_of(path)) ? FTW_CONTINUE : FTW_SKIP_SUBTREE;
	visit.each(path, visit.data);
	return FTW_SKIP_SUBTREE;
}

int units_each(void (*each)(const char *path, void *data), void *data, struct fault *fault)
{
	char root[SW_PATH_MAX];
	int err = find_root(root, fault);

	if (err)
		return err;
	visit.each = each;
	visit.data = data;
	visit.root = strlen(root);
	visit.marks = read_marks();
	if (visit.marks.of.n)
		nftw(root, visit_cgroup, 32, FTW_PHYS | FTW_ACTIONRETVAL);
	paths_free(&visit.marks);
	return 0;
}
