// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is around the file: its folder, the file system, and the lock that keeps a second daemon away. The lock is a
 * file of its own, PATH-lock, which stays: locks of SQLite are of the process and the file, and are dropped when any
 * descriptor of it is closed, so nothing but SQLite may open the ledger while it is connected.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "file.h"
#include "store.h"

/* Their locks are not those of the other hosts, or their fsync() is no promise. */
static const struct {
	__u32 type;
	const char *name;
} remote[] = {
	{ 0x6969, "NFS" },        { 0x517b, "SMB" },      { 0xff534d42, "CIFS" },     { 0xfe534d42, "SMB2" },
	{ 0x00c36400, "Ceph" },   { 0x5346414f, "AFS" },  { 0x6b414653, "AFS" },      { 0x01021997, "9P" },
	{ 0x73757245, "Coda" },   { 0x564c, "NCP" },      { 0x7461636f, "OCFS2" },    { 0x01161970, "GFS2" },
	{ 0x0bd00bd0, "Lustre" }, { 0x47504653, "GPFS" }, { 0x20030528, "OrangeFS" }, { 0x786f4256, "vboxsf" },
	{ 0x65735546, "FUSE" },
};

static int make_folder(const char *path, const char *folder, struct fault *fault)
{
	if (!mkdir(folder, 0750)) {
		file_sync_name(folder); /* so that it is there after a power cut */
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	return fault_set(fault, errno, "ledger %s: cannot make its folder %s: %s", path, folder, strerror(errno));
}

static int refuse_remote(const char *path, const char *on, struct fault *fault)
{
	struct statfs fs;

	if (statfs(on, &fs))
		return errno == ENOENT ? 0 : fault_set(fault, errno, "ledger %s: %s", path, strerror(errno));
	for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++)
		if ((__u32)fs.f_type == remote[i].type)
			return fault_set(fault, EREMOTE,
					 "ledger %s: is on %s, where a booking may be lost or made twice: "
					 "put it on a local file system",
					 path, remote[i].name);
	return 0;
}

static int make_file(const char *path, struct fault *fault)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640), err = 0;

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0 || fchmod(fd, 0640))
		err = fault_set(fault, errno, "ledger %s: cannot make it: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

static const char *kind_of(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR:
		return "folder";
	case S_IFIFO:
		return "FIFO";
	case S_IFSOCK:
		return "socket";
	default:
		return "device";
	}
}

/* Whose group may read what lies on the way, as far as one can see. */
static gid_t group_of(const char *path)
{
	char *at = mem_strdup(path), *above = at;
	struct stat st;

	while (stat(above, &st) && above[1])
		above = dirname(above);
	if (stat(above, &st))
		st.st_gid = 0;
	free(at);
	return st.st_gid;
}

/* Root's group is nobody's to join. */
int place_closed(const struct ledger *ledger, struct fault *fault)
{
	gid_t gid = group_of(ledger->path);
	const struct group *group = gid ? getgrgid(gid) : NULL;

	return group ? fault_set(fault, EACCES,
				 "ledger %s: only root and the group '%s' may read it: be root, or join that group",
				 ledger->path, group->gr_name)
		     : fault_set(fault, EACCES,
				 "ledger %s: only root may read it: be root, or let a group read it with 'chgrp GROUP' "
				 "of the file and its folder",
				 ledger->path);
}

static int missing(const struct ledger *ledger, struct fault *fault)
{
	return fault_set(
		fault, ENOENT,
		ledger->purpose != LEDGER_BOOKING
			? "ledger %s: there is none: start 'sockwarden daemon', which makes it, or put it back "
			  "if it was taken away"
			: "ledger %s: is gone: put it back, or restore it from a backup; 'sockwarden daemon "
			  "--adopt' begins a new one",
		ledger->path);
}

/* What SQLite opens beside the file. A FIFO there is waited for without an end, as in the place of the file. */
static int look_beside(const struct ledger *ledger, struct fault *fault)
{
	static const char *const endings[] = { "", "-journal", "-wal", "-shm" };
	char *real = realpath(ledger->path, NULL);
	int err = 0;

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings) && real && !err; i++) {
		char *name = mem_printf("%s%s", real, endings[i]);
		struct stat st;

		if (!stat(name, &st) && !S_ISREG(st.st_mode))
			err = fault_set(fault, EINVAL, "ledger %s: %s is a %s, and has to be a file", ledger->path,
					*endings[i] ? name : "it", kind_of(&st));
		free(name);
	}
	free(real);
	return err;
}

int place_look(struct ledger *ledger, struct fault *fault)
{
	if (!stat(ledger->path, &ledger->seen))
		return look_beside(ledger, fault);
	if (errno == ENOENT)
		return missing(ledger, fault);
	return errno == EACCES ? place_closed(ledger, fault)
			       : fault_set(fault, errno, "ledger %s: %s", ledger->path, strerror(errno));
}

static bool is_held(int fd, const char *name)
{
	struct stat held, now;

	return fd >= 0 && !fstat(fd, &held) && !stat(name, &now) && same_file(&held, &now);
}

static int take_lock(struct ledger *ledger, const char *name, struct fault *fault)
{
	int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600), err = 0;

	if (fd < 0)
		return fault_set(fault, errno, "ledger %s: cannot open the lock %s: %s", ledger->path, name,
				 strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK
			      ? fault_set(fault, EBUSY,
					  "ledger %s: another daemon books in it (it holds %s): stop it first",
					  ledger->path, name)
			      : fault_set(fault, errno, "ledger %s: cannot lock %s: %s", ledger->path, name,
					  strerror(errno));
	if (err) {
		close(fd);
		return err;
	}
	if (ledger->lock >= 0)
		close(ledger->lock);
	ledger->lock = fd;
	return 0;
}

/* Beside the file that a symbolic link leads to: there is one lock, whatever the path. */
int place_lock(struct ledger *ledger, struct fault *fault)
{
	char *real = realpath(ledger->path, NULL), *name;
	int err;

	if (!real)
		return fault_set(fault, errno, "ledger %s: %s", ledger->path, strerror(errno));
	name = mem_printf("%s-lock", real);
	err = is_held(ledger->lock, name) ? 0 : take_lock(ledger, name, fault);
	free(name);
	free(real);
	return err;
}

int place_trust(struct ledger *ledger, struct fault *fault)
{
	char *copy = mem_strdup(ledger->path);
	int err = refuse_remote(ledger->path, dirname(copy), fault);

	free(copy);
	return err ? err : refuse_remote(ledger->path, ledger->path, fault); /* a link may lead elsewhere */
}

/* One that was there and is gone is put back, not begun anew. */
int place_make(struct ledger *ledger, struct fault *fault)
{
	char *copy = mem_strdup(ledger->path);
	int err = ledger->id ? 0 : make_folder(ledger->path, dirname(copy), fault);

	free(copy);
	if (!err)
		err = place_trust(ledger, fault);
	return err || ledger->id ? err : make_file(ledger->path, fault);
}
