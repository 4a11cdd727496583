// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tenant.h"

#define NOBODY 65534

_Noreturn void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

int must(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static void write_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CLOEXEC), path);

	must(write(fd, text, strlen(text)), path);
	close(fd);
}

void become_tenant(void)
{
	must(setgroups(0, NULL), "setgroups");
	must(setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
	must(setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
	must(prctl(PR_SET_DUMPABLE, 1), "prctl"); /* or its files in /proc are root's */
	must(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 65534 1");
	write_file("/proc/self/gid_map", "0 65534 1");
}

void *map_unread(size_t len)
{
	int fd = must(open(UNREAD, O_RDONLY | O_CLOEXEC), UNREAD);
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		fail("mmap");
	close(fd);
	return at;
}

int connected(int type, uint16_t port)
{
	const struct sockaddr_in peer = { AF_INET, htons(port), { htonl(INADDR_LOOPBACK) } };
	int sock = must(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");

	must(connect(sock, (const struct sockaddr *)&peer, sizeof(peer)), "connect");
	return sock;
}
