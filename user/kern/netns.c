// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <mntent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feature.h"
#include "mem.h"
#include "netns.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define SOCKETS_MAX (1 << 18) /* of other processes, looked at in one search: half a second's work */
#define OTHER_FILES 1024      /* open beside the namespaces */
#define NSFS_HANDLE 0xf1      /* FILEID_NSFS of linux/exportfs.h */
#define PROC_PATH   64

/* A handle's content, struct nsfs_file_handle of linux/nsfs.h. */
struct nsfs_handle {
	__u64 id; /* of a network namespace: its cookie */
	__u32 type;
	__u32 inode;
};

struct search {
	struct netns *spaces;
	size_t n, missing;
	int home;
	dev_t nsfs;
	int sockets; /* of other processes that may still be looked at */
	int err;     /* what ends the search; 0: nothing yet */
	struct fault *fault;
};

int netns_home(struct fault *fault)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fault_set(fault, errno, "cannot open our network namespace: %s", strerror(errno)) : fd;
}

int netns_enter(const struct netns *space, struct fault *fault)
{
	if (!setns(space->fd, CLONE_NEWNET))
		return 0;
	return fault_set(fault, errno, "cannot enter network namespace %u: %s", space->inode, strerror(errno));
}

int netns_leave(int home, struct fault *fault)
{
	if (!setns(home, CLONE_NEWNET))
		return 0;
	return fault_set(fault, errno, "cannot go back to our network namespace: %s", strerror(errno));
}

static bool over(const struct search *search)
{
	return !search->missing || !search->sockets || search->err;
}

/* What was not opened has gone, as processes do. But for want of descriptors or memory nothing more can be found. */
static void note_failure(struct search *search)
{
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		search->err =
			fault_set(search->fault, errno, "cannot open all network namespaces: %s", strerror(errno));
}

static bool wanted_inode(const struct search *search, ino_t inode)
{
	for (size_t i = 0; i < search->n; i++)
		if (search->spaces[i].inode == inode && search->spaces[i].fd < 0)
			return true;
	return false;
}

static struct netns *wanted_cookie(const struct search *search, __u64 cookie)
{
	for (size_t i = 0; i < search->n; i++)
		if (search->spaces[i].cookie == cookie && search->spaces[i].fd < 0)
			return &search->spaces[i];
	return NULL;
}

/* Of the namespace the socket is in; 0: it cannot be told. */
static __u64 cookie_of(int sock)
{
	__u64 cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? 0 : cookie;
}

/* Of the namespace itself, which shows it to none but its sockets; 0: it cannot be told. */
static __u64 cookie_in(struct search *search, int space)
{
	__u64 cookie = 0;
	int sock;

	if (setns(space, CLONE_NEWNET))
		return 0;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock >= 0) {
		cookie = cookie_of(sock);
		close(sock);
	} else {
		note_failure(search);
	}
	if (setns(search->home, CLONE_NEWNET))
		search->err = netns_leave(search->home, search->fault);
	return cookie;
}

/* Takes the descriptor over, for whichever namespace it is of; negative: it could not be opened. */
static void offer(struct search *search, int fd)
{
	struct netns *space = NULL;
	struct stat stat;

	if (fd < 0) {
		note_failure(search);
		return;
	}
	if (!fstat(fd, &stat) && stat.st_dev == search->nsfs && wanted_inode(search, stat.st_ino))
		space = wanted_cookie(search, cookie_in(search, fd));
	if (!space || space->inode != stat.st_ino || search->err) {
		close(fd);
		return;
	}
	space->fd = fd;
	search->missing--;
}

/* From Linux 6.19 on, one that only sockets keep is not opened this way either. */
static void by_handle(struct search *search)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(struct nsfs_handle)];
	} at = { .handle = { .handle_bytes = sizeof(struct nsfs_handle), .handle_type = NSFS_HANDLE } };

	if (feature_without("namespace-handles"))
		return;
	for (size_t i = 0; i < search->n && !over(search); i++) {
		const struct nsfs_handle to = { search->spaces[i].cookie, CLONE_NEWNET, search->spaces[i].inode };

		memcpy(at.handle.f_handle, &to, sizeof(to));
		offer(search, open_by_handle_at(search->home, &at.handle, O_RDONLY | O_CLOEXEC));
	}
}

bool netns_has_handles(void)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(struct nsfs_handle)];
	} at = { .handle = { .handle_bytes = sizeof(struct nsfs_handle) } };
	int mount;

	return !feature_without("namespace-handles") &&
	       !name_to_handle_at(AT_FDCWD, "/proc/thread-self/ns/net", &at.handle, &mount, AT_SYMLINK_FOLLOW) &&
	       at.handle.handle_type == NSFS_HANDLE;
}

/* Calls `visit` for each entry of a folder of /proc whose name is a number. */
static void each_number(struct search *search, const char *folder, void (*visit)(struct search *, const char *path))
{
	DIR *entries = opendir(folder);
	const struct dirent *entry;
	char path[PROC_PATH];

	if (!entries) {
		note_failure(search);
		return;
	}
	while (!over(search) && (entry = readdir(entries))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/%.10s", folder, entry->d_name);
		visit(search, path);
	}
	closedir(entries);
}

/* The number in a link of /proc that reads KIND:[NUMBER]; 0: it is no such link. */
static unsigned long link_number(const char *path, const char *kind)
{
	size_t len = strlen(kind);
	char text[64];
	ssize_t got = readlink(path, text, sizeof(text) - 1);

	if (got < 0)
		return 0;
	text[got] = '\0';
	return !strncmp(text, kind, len) && !strncmp(text + len, ":[", 2) ? strtoul(text + len + 2, NULL, 10) : 0;
}

static void visit_thread(struct search *search, const char *thread)
{
	char path[PROC_PATH + 8];

	snprintf(path, sizeof(path), "%s/ns/net", thread);
	if (wanted_inode(search, link_number(path, "net")))
		offer(search, open(path, O_RDONLY | O_CLOEXEC));
}

/* That a thread was in it a moment ago. */
static void by_hint(struct search *search)
{
	char path[PROC_PATH];

	for (size_t i = 0; i < search->n && !over(search); i++) {
		if (!search->spaces[i].thread || search->spaces[i].fd >= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%u", search->spaces[i].thread);
		visit_thread(search, path);
	}
}

static void visit_threads(struct search *search, const char *process)
{
	char path[PROC_PATH + 8];

	snprintf(path, sizeof(path), "%s/task", process);
	each_number(search, path, visit_thread);
}

static void by_thread(struct search *search)
{
	each_number(search, "/proc", visit_threads);
}

static void by_mount(struct search *search)
{
	FILE *mounts = setmntent("/proc/thread-self/mounts", "r");
	const struct mntent *mount;

	if (!mounts) {
		note_failure(search);
		return;
	}
	/* not to wait for what else may be mounted above it */
	while (!over(search) && (mount = getmntent(mounts)))
		if (!strcmp(mount->mnt_type, "nsfs"))
			offer(search, open(mount->mnt_dir, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	endmntent(mounts);
}

static bool wanted_file(const struct search *search, __u64 file)
{
	for (size_t i = 0; i < search->n; i++)
		for (size_t k = 0; k < search->spaces[i].n_files && search->spaces[i].fd < 0; k++)
			if (search->spaces[i].files[k] == file)
				return true;
	return false;
}

/* A copy of another process's descriptor; negative: it could not be had. */
static int borrow(int process, int fd)
{
	int pidfd = pidfd_open(process, 0), copy;

	if (pidfd < 0)
		return -1;
	copy = pidfd_getfd(pidfd, fd, 0);
	close(pidfd);
	return copy;
}

/* Only the namespace is asked for: any other use of a tenant's socket would be a stranger's. */
static void visit_file(struct search *search, const char *path)
{
	unsigned long file = link_number(path, "socket");
	int process, fd, sock;

	if (!file)
		return;
	search->sockets--;
	if (!wanted_file(search, file) || sscanf(path, "/proc/%d/fd/%d", &process, &fd) != 2)
		return;
	sock = borrow(process, fd);
	if (sock < 0) {
		note_failure(search);
		return;
	}
	offer(search, ioctl(sock, SIOCGSKNS));
	close(sock);
}

static void visit_files(struct search *search, const char *process)
{
	char path[PROC_PATH + 8];

	snprintf(path, sizeof(path), "%s/fd", process);
	each_number(search, path, visit_file);
}

static void by_socket(struct search *search)
{
	each_number(search, "/proc", visit_files);
}

/* Cheapest first. */
static void (*const ways[])(struct search *) = { by_handle, by_hint, by_thread, by_mount, by_socket };

static void make_room(size_t n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= n + OTHER_FILES)
		return;
	limit.rlim_cur = limit.rlim_max < n + OTHER_FILES ? limit.rlim_max : n + OTHER_FILES;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int search_all(struct search *search)
{
	struct stat stat;

	if (fstat(search->home, &stat))
		return fault_set(search->fault, errno, "cannot look at our network namespace: %s", strerror(errno));
	search->nsfs = stat.st_dev;
	make_room(search->n);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && !over(search); i++)
		ways[i](search);
	return search->err;
}

int netns_open_all(struct netns *spaces, size_t n, struct fault *fault)
{
	struct search search = { .spaces = spaces, .n = n, .missing = n, .sockets = SOCKETS_MAX, .fault = fault };
	int err;

	for (size_t i = 0; i < n; i++)
		spaces[i].fd = -1;
	search.home = netns_home(fault);
	if (search.home < 0)
		return search.home;
	err = search_all(&search);
	close(search.home);
	if (err)
		netns_close_all(spaces, n);
	return err ? err : (int)(n - search.missing);
}

void netns_close_all(struct netns *spaces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (spaces[i].fd >= 0)
			close(spaces[i].fd);
		spaces[i].fd = -1;
	}
}
