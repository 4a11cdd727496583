// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults.so stands in for what a test cannot have: power cuts, a disk that takes its time, and a clock that somebody
 * sets. Preloaded.
 *
 * Power cuts. FAULTS_DIR is the folder of the ledger, FAULTS_DISK what a disk with a write cache would hold of it, kept
 * strictly: a file's content is there as of its last fsync(), a name is there, or gone, as of the last fsync() of the
 * folder. With FAULTS_CUT=N the power goes before the Nth call that changes something in the folder: FAULTS_DIR is
 * left with what the disk has, and the process is killed.
 *
 *   FAULTS_SEED=S   some of what was not synced is on the disk nevertheless, drawn at random: names one by one,
 *                   contents by pages of 4096 bytes, of which one in four is torn at a sector of 512
 *   FAULTS_NOSYNC   fsync() does nothing: what a program with such a mistake loses must be seen
 *
 *   FAULTS_DISK/ids/NAME     number of the file that NAME is now
 *   FAULTS_DISK/names/NAME   number of the file that NAME is on the disk
 *   FAULTS_DISK/data/NUMBER  its content there; none: it is empty
 *
 * Disk. While there is a file FAULTS_HOLD, fsync() of any file waits.
 *
 * Clock. FAULTS_CLOCK is a file with seconds, which the clock of the day is off by.
 *
 * Signals. FAULTS_SIGNAL is one that comes while a daemon starts: as it makes its epoll set.
 *
 * Namespaces. FAULTS_SETNS=INODE:N is one that a process gets into N times, and then no more.
 *
 * Links. Of those that a process puts on cgroups the one of number FAULTS_LINKS, counted from 1, is refused.
 *
 * Clients. FAULTS_BUFFER is how many bytes wait in the kernel for one that does not read, as SO_SNDBUF counts them.
 * While there is a file FAULTS_FILES, there is no descriptor for another.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PAGE   4096
#define SECTOR 512
#define LONG   (2 * PATH_MAX)

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *folder, *disk;
static char real_folder[PATH_MAX];
static long cut_at;
static bool nosync, loose;

/* A daemon and its children have one power supply, and their calls are counted together. */
static struct family {
	pid_t daemon;
	long calls;
	bool dark;
} * family;

static void die(const char *what)
{
	dprintf(2, "faults: %s: %s\n", what, strerror(errno));
	_exit(99);
}

static void make(const char *name)
{
	char path[LONG];

	snprintf(path, sizeof(path), "%s/%s", disk, name);
	if (REAL(mkdir)(path, 0700) && errno != EEXIST)
		die(path);
}

__attribute__((constructor)) static void start(void)
{
	folder = getenv("FAULTS_DIR");
	disk = getenv("FAULTS_DISK");
	cut_at = atol(getenv("FAULTS_CUT") ?: "0");
	loose = getenv("FAULTS_SEED") != NULL;
	srandom(atol(getenv("FAULTS_SEED") ?: "0"));
	nosync = getenv("FAULTS_NOSYNC") != NULL;
	if (!folder || !disk || !realpath(folder, real_folder)) {
		folder = NULL;
		return;
	}
	family = mmap(NULL, sizeof(*family), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (family == MAP_FAILED)
		die("mmap");
	family->daemon = getpid();
	make("ids");
	make("names");
	make("data");
}

/* ---- files, read and written whole ---- */

struct content {
	char *bytes;
	size_t len;
};

static struct content load(const char *path)
{
	struct content content = { 0 };
	int fd = REAL(open)(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return content;
	if (fstat(fd, &st) || !(content.bytes = calloc(1, st.st_size + 1)))
		die(path);
	content.len = st.st_size;
	if (pread(fd, content.bytes, content.len, 0) != st.st_size)
		die(path);
	REAL(close)(fd);
	return content;
}

/* By a rename: whoever is killed here leaves the old one or the new one. */
static void store(const char *path, const struct content *content)
{
	char aside[LONG];
	int fd;

	snprintf(aside, sizeof(aside), "%s/aside", disk);
	fd = REAL(open)(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0 || REAL(write)(fd, content->bytes, content->len) != (ssize_t)content->len ||
	    REAL(rename)(aside, path))
		die(path);
	REAL(close)(fd);
}

static const char *at(char path[LONG], const char *kind, const char *name)
{
	snprintf(path, LONG, "%s/%s/%s", disk, kind, name);
	return path;
}

/* Number of the file that a name is, of one kind; "" when there is none. */
static void number_of(const char *kind, const char *name, char number[32])
{
	char path[LONG];
	struct content content = load(at(path, kind, name));

	snprintf(number, 32, "%s", content.bytes ?: "");
	free(content.bytes);
}

static void set_number(const char *kind, const char *name, const char *number)
{
	char path[LONG];

	at(path, kind, name);
	if (*number)
		store(path, &(struct content){ (char *)number, strlen(number) });
	else
		REAL(unlink)(path);
}

/* Calls `each` for every file of a folder. */
static void for_each(const char *path, void (*each)(const char *name))
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_REG)
			each(entry->d_name);
	if (dir)
		closedir(dir);
}

static void in_folder(char path[LONG], const char *name)
{
	snprintf(path, LONG, "%s/%s", real_folder, name);
}

/* ---- what becomes durable ---- */

/* A file that no name leads to any more, neither now nor on the disk. */
static void forget(const char *name, const char *number)
{
	char path[LONG], now[32], then[32];

	number_of("ids", name, now);
	number_of("names", name, then);
	if (*number && strcmp(number, now) && strcmp(number, then))
		REAL(unlink)(at(path, "data", number));
}

static void sync_content(const char *name)
{
	char number[32], path[LONG];
	struct content content;

	number_of("ids", name, number);
	if (!*number)
		return; /* it has no name any more */
	in_folder(path, name);
	content = load(path);
	store(at(path, "data", number), &content);
	free(content.bytes);
}

static void sync_name(const char *name)
{
	char number[32], old[32];

	number_of("ids", name, number);
	number_of("names", name, old);
	set_number("names", name, number);
	forget(name, old);
}

static void sync_names(void)
{
	char path[LONG];

	for_each(at(path, "names", ""), sync_name); /* those that are gone */
	for_each(at(path, "ids", ""), sync_name);
}

/* ---- the power cut ---- */

/* By sectors: `new` where the page, or its part before the tear, had been written. */
static struct content mix(const struct content *old, const struct content *new)
{
	size_t larger = old->len > new->len ? old->len : new->len;
	struct content out = { calloc(1, larger + 1), random() % 2 ? old->len : new->len };

	for (size_t page = 0; page < out.len; page += PAGE) {
		bool written = random() % 2, torn = random() % 4 == 0;
		size_t tear = random() % (PAGE / SECTOR) * SECTOR;

		for (size_t i = page; i < page + PAGE && i < out.len; i++) {
			const struct content *from = written != (torn && i - page >= tear) ? new : old;

			out.bytes[i] = i < from->len ? from->bytes[i] : 0;
		}
	}
	return out;
}

/* Draws which file a name is after the cut, and what is in it. */
static struct content draw(const char *name, char number[32])
{
	char path[LONG], now[32];
	struct content old, new;

	number_of("names", name, number);
	number_of("ids", name, now);
	if (loose && random() % 2)
		strcpy(number, now);
	old = *number ? load(at(path, "data", number)) : (struct content){ 0 };
	if (!loose || !*number || strcmp(number, now))
		return old;
	in_folder(path, name);
	new = load(path);
	return mix(&old, &new);
}

static void cut_name(const char *name)
{
	char number[32], path[LONG];
	struct content content = draw(name, number);

	set_number("names", name, number);
	in_folder(path, name);
	if (!*number)
		REAL(unlink)(path);
	else
		store(path, &content);
	if (*number)
		store(at(path, "data", number), &content);
	free(content.bytes);
	number_of("names", name, number);
	set_number("ids", name, number);
}

/* Made by one who was killed before it was noted. */
static void cut_unknown(const char *name)
{
	char number[32], path[LONG];

	number_of("ids", name, number);
	in_folder(path, name);
	if (!*number)
		REAL(unlink)(path);
}

static void cut_new_name(const char *name)
{
	char number[32];

	number_of("names", name, number);
	if (!*number)
		cut_name(name);
}

static void cut_power(void)
{
	char path[LONG];

	family->dark = true;
	if (getpid() != family->daemon)
		kill(family->daemon, SIGKILL);
	for_each(real_folder, cut_unknown);
	for_each(at(path, "ids", ""), cut_new_name); /* before: cut_name() makes the two alike */
	for_each(at(path, "names", ""), cut_name);
	kill(getpid(), SIGKILL);
	pause();
}

/*
 * One process at a time changes the folder and what the disk has of it: the lock is a file's, so that it goes with
 * the process that is killed in the middle.
 */
static void lock(short how)
{
	struct flock whole = { .l_type = how, .l_whence = SEEK_SET };
	static pid_t owner;
	static int fd;
	char path[LONG];

	if (owner != getpid()) {
		snprintf(path, sizeof(path), "%s/lock", disk);
		fd = REAL(open)(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
		owner = getpid();
	}
	if (fd < 0 || fcntl(fd, F_SETLKW, &whole))
		die("lock");
	if (family->dark)
		pause(); /* killed with the daemon, in a moment */
}

/* A call that changes something: the last moment before it. Then done(). */
static void change(void)
{
	lock(F_WRLCK);
	if (++family->calls == cut_at)
		cut_power();
}

static void done(bool changed)
{
	int saved = errno;

	if (changed)
		lock(F_UNLCK);
	errno = saved;
}

/* ---- the calls ---- */

/* The last part of the path if it is a file of our folder, or "." for the folder; NULL: none of our business. */
static const char *ours(const char *path, char real[PATH_MAX])
{
	size_t len = strlen(real_folder);
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!folder)
		return NULL;
	if (realpath(path, real)) {
		if (!strcmp(real, real_folder))
			return ".";
		if (!strncmp(real, real_folder, len) && real[len] == '/' && !strchr(real + len + 1, '/'))
			return real + len + 1;
		return NULL;
	}
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (!slash || !realpath(parent, real) || strcmp(real, real_folder))
		return NULL;
	return slash + 1;
}

static const char *ours_fd(int fd, char real[PATH_MAX])
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	if (!folder)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0)
		return NULL;
	path[len] = '\0';
	return ours(path, real);
}

static void born(const char *name)
{
	char number[32];
	struct timespec now;

	REAL(clock_gettime)(CLOCK_MONOTONIC, &now);
	snprintf(number, sizeof(number), "%jd.%09ld", (intmax_t)now.tv_sec, now.tv_nsec);
	set_number("ids", name, number);
}

static int open_any(const char *path, int flags, mode_t mode, int (*real_open)(const char *, int, ...))
{
	char real[PATH_MAX];
	const char *name = flags & (O_CREAT | O_TRUNC) ? ours(path, real) : NULL;
	bool made = name && access(path, F_OK), changes = made || (name && flags & O_TRUNC);
	int fd;

	if (changes)
		change();
	fd = real_open(path, flags, mode);
	if (fd >= 0 && made)
		born(name);
	done(changes);
	return fd;
}

#define OPEN(name)                                                                                                     \
	int name(const char *path, int flags, ...)                                                                     \
	{                                                                                                              \
		va_list args;                                                                                          \
		mode_t mode;                                                                                           \
                                                                                                                       \
		va_start(args, flags);                                                                                 \
		mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;                                                     \
		va_end(args);                                                                                          \
		return open_any(path, flags, mode, REAL(name));                                                        \
	}
OPEN(open)
OPEN(open64)

static bool change_fd(int fd)
{
	char real[PATH_MAX];
	int saved = errno;
	bool changes = ours_fd(fd, real);

	if (changes)
		change();
	errno = saved;
	return changes;
}

ssize_t write(int fd, const void *data, size_t len)
{
	bool changes = change_fd(fd);
	ssize_t result = REAL(write)(fd, data, len);

	done(changes);
	return result;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t where)
{
	bool changes = change_fd(fd);
	ssize_t result = REAL(pwrite)(fd, data, len, where);

	done(changes);
	return result;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t where)
{
	bool changes = change_fd(fd);
	ssize_t result = REAL(pwrite64)(fd, data, len, where);

	done(changes);
	return result;
}

int ftruncate(int fd, off_t len)
{
	bool changes = change_fd(fd);
	int result = REAL(ftruncate)(fd, len);

	done(changes);
	return result;
}

int ftruncate64(int fd, off64_t len)
{
	bool changes = change_fd(fd);
	int result = REAL(ftruncate64)(fd, len);

	done(changes);
	return result;
}

/* While the test says so. */
static void hold(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	const char *path = getenv("FAULTS_HOLD");

	while (path && !access(path, F_OK))
		nanosleep(&pause, NULL);
}

static int sync_any(int fd, int (*real_sync)(int))
{
	char real[PATH_MAX];
	const char *name = ours_fd(fd, real);
	int result;

	hold();
	if (name)
		change();
	result = real_sync(fd);
	if (!result && name && !nosync) {
		if (!strcmp(name, "."))
			sync_names();
		else
			sync_content(name);
	}
	done(name);
	return result;
}

int fsync(int fd)
{
	return sync_any(fd, REAL(fsync));
}

int fdatasync(int fd)
{
	return sync_any(fd, REAL(fdatasync));
}

int unlink(const char *path)
{
	char real[PATH_MAX], number[32];
	const char *name = ours(path, real);
	int result;

	if (name)
		change();
	result = REAL(unlink)(path);
	if (!result && name) {
		number_of("ids", name, number);
		set_number("ids", name, "");
		forget(name, number);
	}
	done(name);
	return result;
}

int rename(const char *from, const char *to)
{
	char real[2][PATH_MAX], number[32];
	const char *old = ours(from, real[0]), *new = ours(to, real[1]);
	int result;

	if (old || new)
		change();
	if (old)
		number_of("ids", old, number);
	result = REAL(rename)(from, to);
	if (!result && old && new) {
		set_number("ids", new, number);
		set_number("ids", old, "");
	}
	done(old || new);
	return result;
}

/* ---- the clock ---- */

static time_t off_by(void)
{
	const char *path = getenv("FAULTS_CLOCK");
	char text[32] = "";
	int fd = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		*text = '\0';
	REAL(close)(fd);
	return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = REAL(clock_gettime)(clock, now);

	if (!result && clock == CLOCK_REALTIME)
		now->tv_sec += off_by();
	return result;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	int result = REAL(gettimeofday)(out, zone);

	if (!result)
		out->tv_sec += off_by();
	return result;
}

/* ---- a daemon's signals and clients ---- */

int epoll_create1(int flags)
{
	raise(atoi(getenv("FAULTS_SIGNAL") ?: "0")); /* 0 is none */
	return REAL(epoll_create1)(flags);
}

int accept4(int listener, struct sockaddr *restrict peer, socklen_t *restrict len, int flags)
{
	const char *none = getenv("FAULTS_FILES");
	int fd, size = atoi(getenv("FAULTS_BUFFER") ?: "0");

	if (none && !access(none, F_OK)) {
		errno = EMFILE;
		return -1;
	}
	fd = REAL(accept4)(listener, peer, len, flags);
	if (fd >= 0 && size)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

int setns(int fd, int kind)
{
	static unsigned entries;
	unsigned long inode = 0;
	unsigned limit = 0;
	struct stat st;

	sscanf(getenv("FAULTS_SETNS") ?: "", "%lu:%u", &inode, &limit);
	if (!fstat(fd, &st) && st.st_ino == inode && entries++ >= limit) {
		errno = EPERM;
		return -1;
	}
	return REAL(setns)(fd, kind);
}

int bpf_link_create(int prog, int target, int type, const void *how); /* of libbpf */

int bpf_link_create(int prog, int target, int type, const void *how)
{
	static unsigned links;
	const char *limit = getenv("FAULTS_LINKS");

	if (limit && type != BPF_TRACE_ITER && ++links == (unsigned)atoi(limit)) {
		errno = ENOMEM;
		return -ENOMEM;
	}
	return ((int (*)(int, int, int, const void *))dlsym(RTLD_NEXT, "bpf_link_create"))(prog, target, type, how);
}
