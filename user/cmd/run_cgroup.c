// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "detach.h"
#include "run_cgroup.h"
#include "state.h"

#define FOLDER "sockwarden"
#define MARK   "trusted.sockwarden"

/* What a run says of itself on its cgroup. */
struct mark {
	int pid;
	uint64_t tenancy; /* 0: none was attached yet */
};

static int write_mark(const struct cgroup *cgroup, const struct mark *mark, struct fault *fault)
{
	char text[48];
	int len = snprintf(text, sizeof(text), "%d %" PRIu64, mark->pid, mark->tenancy);

	if (!fsetxattr(cgroup->fd, MARK, text, len, 0))
		return 0;
	return fault_set(fault, errno, "cannot mark %s as a run's: %s", cgroup->path, strerror(errno));
}

/* False for a cgroup that no run made. */
static bool read_mark(const struct cgroup *cgroup, struct mark *mark)
{
	char text[48];
	ssize_t len = fgetxattr(cgroup->fd, MARK, text, sizeof(text) - 1);

	*mark = (struct mark){ 0 };
	if (len < 0)
		return false;
	text[len] = '\0';
	return sscanf(text, "%d %" SCNu64, &mark->pid, &mark->tenancy) == 2;
}

int run_cgroup_mark(const struct cgroup *cgroup, __u64 tenancy, struct fault *fault)
{
	return write_mark(cgroup, &(struct mark){ getpid(), tenancy }, fault);
}

/* False while another run lives. Nobody else has it locked: the directory is made so that only root can open it. */
static bool own(const struct cgroup *cgroup)
{
	return !flock(cgroup->fd, LOCK_EX | LOCK_NB);
}

/* Whose it is, if it is not free to take. */
static int check_free(const struct host *host, const char *name, const struct cgroup *cgroup, struct fault *fault)
{
	struct tenancy has = tenancy_of_cgroup(host, cgroup->id);
	struct mark mark;

	if (!own(cgroup)) {
		read_mark(cgroup, &mark);
		return fault_set(fault, EEXIST,
				 "tenant %s is another run's, process %d: wait until that has ended, or choose another "
				 "name with --tenant",
				 name, mark.pid);
	}
	if (has.number)
		return fault_set(fault, EEXIST, "%s is tenant %s already: choose another name with --tenant",
				 cgroup->path, tenancy_record(host, has)->name);
	if (cgroup_populated(cgroup))
		return fault_set(fault, EEXIST,
				 "%s has processes that no run owns: end them, or choose another name with --tenant",
				 cgroup->path);
	return 0;
}

int run_cgroup_make(const struct host *host, const char *name, struct cgroup *cgroup, struct fault *fault)
{
	char root[SW_PATH_MAX], path[2 * SW_PATH_MAX];
	struct mark mark;
	bool there;
	int err = cgroup_root(root, fault);

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/" FOLDER "/%s", root, name);
	if (strlen(path) >= SW_PATH_MAX)
		return fault_set(fault, ENAMETOOLONG, "the path %s is too long", path);
	err = cgroup_make(path, 0711, fault);
	if (err && err != -EEXIST)
		return err;
	there = err == -EEXIST;
	err = cgroup_open(cgroup, path, fault);
	if (err)
		return err;
	err = cgroup_keeps(cgroup, fault);
	if (!err)
		err = check_free(host, name, cgroup, fault);
	if (!err && there && !read_mark(cgroup, &mark))
		err = fault_set(fault, EEXIST,
				"%s is there, and no run made it: remove it, or choose another name with --tenant",
				path);
	if (!err)
		err = run_cgroup_mark(cgroup, 0, fault);
	if (err && !there)
		cgroup_remove(cgroup);
	if (err)
		cgroup_close(cgroup);
	return err;
}

/* A tenancy on it that is not the run's is an operator's. */
static bool is_left(struct tenancy has, const struct cgroup *cgroup)
{
	struct mark mark;

	return read_mark(cgroup, &mark) && own(cgroup) && !cgroup_populated(cgroup) &&
	       (!has.number || has.number == mark.tenancy);
}

static void sweep_folder(struct host *host, const char *path)
{
	struct fault ignored;
	struct cgroup cgroup;
	struct tenancy has;

	if (cgroup_open(&cgroup, path, &ignored))
		return;
	has = tenancy_of_cgroup(host, cgroup.id);
	if (is_left(has, &cgroup) && !tenancy_remove_cgroup(host, has, &cgroup) && has.number)
		tenancy_detach(host, has, &ignored);
	cgroup_close(&cgroup);
}

/*
 * Of a cgroup that is gone nothing says who made it but the name that run gives on its own. Others stay as they are:
 * gone, and tidied up by whoever uses the name next.
 */
static void sweep_gone(struct host *host, const char *folder)
{
	char path[3 * SW_PATH_MAX];
	struct fault ignored;

	for_each_slot_of(slot, host, SLOTS(ATTACHED)) {
		const struct sw_record *record = &host->records[slot];
		struct tenancy of = tenancy_in(host, slot);

		snprintf(path, sizeof(path), "%s/%s", folder, record->name);
		if (!strncmp(record->name, RUN_PREFIX, strlen(RUN_PREFIX)) && !strcmp(path, record->path) &&
		    tenancy_state(host, of) == TENANT_GONE)
			tenancy_detach(host, of, &ignored);
	}
}

void run_cgroup_sweep(struct host *host)
{
	char root[SW_PATH_MAX], folder[2 * SW_PATH_MAX], path[4 * SW_PATH_MAX];
	struct fault ignored;
	struct dirent *entry;
	DIR *dir;

	if (cgroup_root(root, &ignored))
		return;
	snprintf(folder, sizeof(folder), "%s/" FOLDER, root);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		sweep_folder(host, path);
	}
	if (dir)
		closedir(dir);
	sweep_gone(host, folder);
}
