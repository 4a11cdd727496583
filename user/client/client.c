// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "fd.h"

#define WAIT_SECONDS 8 /* for the daemon's next bytes; a scrape gives up after 10 */

static int refused(const char *path, int error, struct fault *fault)
{
	if (error == ENOENT || error == ECONNREFUSED)
		return fault_set(fault, error, "no daemon answers at %s: start 'sockwarden daemon'", path);
	if (error == EACCES || error == EPERM)
		return fault_set(fault, EACCES, "%s may not be used by this user: the daemon decides whose it is",
				 path);
	return fault_set(fault, error, "cannot ask the daemon at %s: %s", path, strerror(error));
}

/* The socket, with the question sent; or -errno. */
static int ask(const char *path, const char *question)
{
	struct timeval wait = { .tv_sec = WAIT_SECONDS };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, err;

	if (len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) &&
	    !connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    send(fd, question, strlen(question), MSG_NOSIGNAL) == (ssize_t)strlen(question))
		return fd;
	err = errno == EAGAIN ? ETIMEDOUT : errno;
	close(fd);
	return -err;
}

int daemon_ask(const char *path, const char *question, struct fault *fault)
{
	int fd = ask(path, question);

	return fd < 0 ? refused(path, -fd, fault) : fd;
}

int snapshot_ask(const char *path, struct snapshot *out, struct fault *fault)
{
	int fd = daemon_ask(path, SNAPSHOT_ASK, fault), err;
	size_t len;
	char *data;

	if (fd < 0)
		return fd;
	data = fd_read(fd, FD_READ_MAX, &len);
	err = errno == EAGAIN ? ETIMEDOUT : errno;
	close(fd);
	if (!data)
		return refused(path, err, fault);
	err = snapshot_read(data, len, out, fault);
	free(data);
	return err;
}
