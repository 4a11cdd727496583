// SPDX-License-Identifier: GPL-2.0-only
/* Making sockets, and their local end. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define ANSWER_MS 300 /* all hosts of the lab are one hop away */

static const struct kind {
	const char *name;
	int family; /* 0: the one that the step names */
	int type, protocol;
	int protocol6; /* of AF_INET6 where it differs */
} kinds[] = {
	{ "tcp", 0, SOCK_STREAM, IPPROTO_TCP },
	{ "udp", 0, SOCK_DGRAM, IPPROTO_UDP },
	{ "udp-lite", 0, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ "ping", 0, SOCK_DGRAM, IPPROTO_ICMP, IPPROTO_ICMPV6 },
	{ "raw-icmp", 0, SOCK_RAW, IPPROTO_ICMP, IPPROTO_ICMPV6 },
	{ "raw-tcp", 0, SOCK_RAW, IPPROTO_TCP },
	{ "raw-udp", 0, SOCK_RAW, IPPROTO_UDP },
	{ "raw", 0, SOCK_RAW, IPPROTO_RAW },
	{ "sctp", 0, SOCK_STREAM, IPPROTO_SCTP },
	{ "sctp-many", 0, SOCK_SEQPACKET, IPPROTO_SCTP },
	{ "dccp", 0, SOCK_DCCP, IPPROTO_DCCP },
	{ "mptcp", 0, SOCK_STREAM, IPPROTO_MPTCP },
	{ "packet", AF_PACKET, SOCK_RAW, 0 },
	{ "packet-cooked", AF_PACKET, SOCK_DGRAM, 0 },
	{ "netlink", AF_NETLINK, SOCK_RAW, 0 },
	{ "unix", AF_UNIX, SOCK_STREAM, 0 },
	{ "vsock", AF_VSOCK, SOCK_STREAM, 0 },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static int step_socket(struct probe *probe, int words, char **word)
{
	const struct kind *kind = find_kind(word[1]);
	bool v6 = words > 2 && *word[2] == '6';
	int family;

	if (!kind)
		return -EINVAL;
	family = kind->family ? kind->family : v6 ? AF_INET6 : AF_INET;
	return outcome(probe_add(probe, socket(family, kind->type | SOCK_CLOEXEC,
					       v6 && kind->protocol6 ? kind->protocol6 : kind->protocol)));
}

static int step_use(struct probe *probe, int words, char **word)
{
	int number = atoi(word[1]);

	(void)words;
	if (number < 0 || number >= probe->sockets)
		return -EBADF;
	probe->current = number;
	return 0;
}

/* Closes the current socket; the one before it, if there is one, is current then. */
static int step_close(struct probe *probe, int words, char **word)
{
	int err;

	(void)words, (void)word;
	err = outcome(close(probe_fd(probe)));
	for (int i = probe->current; !err && i + 1 < probe->sockets; i++)
		probe->fd[i] = probe->fd[i + 1];
	if (!err)
		probe->sockets--;
	probe->current = probe->sockets ? probe->sockets - 1 : 0;
	return err;
}

static int step_number(struct probe *probe, int words, char **word)
{
	(void)words, (void)word;
	snprintf(probe->text, sizeof(probe->text), "%d", probe_fd(probe));
	return 0;
}

static int step_bind(struct probe *probe, int words, char **word)
{
	struct peer local;
	int err = peer_parse(word[1], word[2], &local);

	(void)words;
	return err ? err : outcome(bind(probe_fd(probe), &local.sa, local.len));
}

/* The kernel serves the family AF_UNSPEC as AF_INET when the address is 0.0.0.0. */
static int step_bind_unspec(struct probe *probe, int words, char **word)
{
	struct peer local;
	int err = peer_parse(word[1], word[2], &local);

	(void)words;
	local.sa.sa_family = AF_UNSPEC;
	return err ? err : outcome(bind(probe_fd(probe), &local.sa, local.len));
}

static int step_listen(struct probe *probe, int words, char **word)
{
	(void)words, (void)word;
	return outcome(listen(probe_fd(probe), 8));
}

static int step_accept(struct probe *probe, int words, char **word)
{
	int fd = probe_fd(probe), err = probe_wait(fd, POLLIN, ANSWER_MS);

	(void)words, (void)word;
	return err ? err : outcome(probe_add(probe, accept4(fd, NULL, NULL, SOCK_CLOEXEC)));
}

static int step_port(struct probe *probe, int words, char **word)
{
	struct peer local = { .len = sizeof(local.storage) };

	(void)words, (void)word;
	if (getsockname(probe_fd(probe), &local.sa, &local.len))
		return -errno;
	snprintf(probe->text, sizeof(probe->text), "%u",
		 ntohs(local.sa.sa_family == AF_INET6 ? local.in6.sin6_port : local.in.sin_port));
	return 0;
}

const struct step socket_steps[] = {
	{ "socket", "KIND [4|6]     make a socket", 1, 2, step_socket },
	{ "use", "NUMBER            make another one current", 1, 1, step_use },
	{ "close", "", 0, 0, step_close },
	{ "number", "               the current one's file descriptor", 0, 0, step_number },
	{ "bind", "ADDRESS PORT", 2, 2, step_bind },
	{ "bind-unspec", "ADDRESS PORT  with the family AF_UNSPEC", 2, 2, step_bind_unspec },
	{ "listen", "", 0, 0, step_listen },
	{ "accept", "", 0, 0, step_accept },
	{ "port", "                 the local port", 0, 0, step_port },
	{ 0 },
};
