// SPDX-License-Identifier: GPL-2.0-only
/* A file system in user space, spoken to by its protocol (linux/fuse.h), so that nothing but the kernel is needed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tenant.h"

#define FILE_SIZE (1 << 20)

enum node { ROOT = 1, NODE_UNREAD, NODE_UNFLUSHED };

struct request {
	struct fuse_in_header head;
	char body[(1 << 17) + 4096];
};

static void answer(int fd, const struct request *request, int error, const void *body, size_t len)
{
	char reply[sizeof(struct fuse_out_header) + 4096];
	struct fuse_out_header *head = (void *)reply;

	*head = (struct fuse_out_header){ sizeof(*head) + len, -error, request->head.unique };
	if (len)
		memcpy(reply + sizeof(*head), body, len);
	if (write(fd, reply, head->len) < 0 && errno != ENOENT && errno != ENODEV)
		fail("answer");
}

static struct fuse_attr attributes(enum node node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == ROOT ? 0 : FILE_SIZE,
		.mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
		.blksize = PAGE,
	};
}

static void on_lookup(int fd, const struct request *request)
{
	enum node node = !strcmp(request->body, "unread") ? NODE_UNREAD : NODE_UNFLUSHED;
	const struct fuse_entry_out entry = {
		.nodeid = node,
		.entry_valid = 3600,
		.attr_valid = 3600,
		.attr = attributes(node),
	};

	answer(fd, request, 0, &entry, sizeof(entry));
}

static void on_getattr(int fd, const struct request *request)
{
	const struct fuse_attr_out out = { .attr_valid = 3600, .attr = attributes(request->head.nodeid) };

	answer(fd, request, 0, &out, sizeof(out));
}

/*
 * Should nobody be left who could end it, the kernel does (from protocol 7.43 on, Linux 6.15). Headers may be older: the members
 * are those behind `flags2`.
 */
#define GIVES_UP        900 /* seconds */
#define REQUEST_TIMEOUT (1U << (42 - 32))

static void on_init(int fd, const struct request *request)
{
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 38,
		.flags = FUSE_INIT_EXT,
		.flags2 = REQUEST_TIMEOUT,
		.unused[1] = GIVES_UP,
		.max_background = 64,
		.congestion_threshold = 64,
		.max_write = PAGE,
	};

	answer(fd, request, 0, &out, sizeof(out));
}

static bool is_unanswered(const struct request *request)
{
	switch (request->head.opcode) {
	case FUSE_READ:
		return request->head.nodeid == NODE_UNREAD;
	case FUSE_FLUSH:
		return request->head.nodeid == NODE_UNFLUSHED;
	case FUSE_LOOKUP:
		return !strcmp(request->body, "unfound");
	default:
		return false;
	}
}

static void on_request(int fd, const struct request *request)
{
	static const char zeroes[PAGE];
	const struct fuse_open_out opened = { 0 };

	switch (request->head.opcode) {
	case FUSE_INIT:
		return on_init(fd, request);
	case FUSE_LOOKUP:
		return on_lookup(fd, request);
	case FUSE_GETATTR:
		return on_getattr(fd, request);
	case FUSE_OPEN:
		return answer(fd, request, 0, &opened, sizeof(opened));
	case FUSE_READ:
		return answer(fd, request, 0, zeroes, sizeof(zeroes));
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return answer(fd, request, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT: /* what it is about is never answered */
		return;
	default:
		return answer(fd, request, ENOSYS, NULL, 0);
	}
}

static _Noreturn void serve(int fd)
{
	static struct request request;
	bool told = false;

	for (;;) {
		ssize_t len = read(fd, &request, sizeof(request));

		if (len < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (len < 0)
			exit(0); /* unmounted, or aborted */
		if (!is_unanswered(&request)) {
			on_request(fd, &request);
		} else if (!told) {
			told = true;
			puts("held");
			fflush(stdout);
		}
	}
}

void mount_unanswering(const char *device, int keep)
{
	int fd = must(open(device, O_RDWR | O_CLOEXEC), device);
	char options[128];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	must(mount("unanswering", PLACE, "fuse", MS_NOSUID | MS_NODEV, options), "mount");
	if (!must(fork(), "fork")) {
		prctl(PR_SET_NAME, "unanswering");
		serve(fd);
	}
	if (!keep)
		close(fd);
}
