// SPDX-License-Identifier: GPL-2.0-only
/* Calls that name a peer, and the ones that use it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

#define CONNECT_MS 1000
#define ANSWER_MS  300 /* all hosts of the lab are one hop away */

static int step_connect(struct probe *probe, int words, char **word)
{
	struct peer peer;
	int err = peer_parse(word[1], word[2], &peer);

	(void)words;
	return err ? err : outcome(connect(probe_fd(probe), &peer.sa, peer.len));
}

static int finish_connect(int fd)
{
	int error = 0, err = probe_wait(fd, POLLOUT, CONNECT_MS);
	socklen_t len = sizeof(error);

	if (err)
		return err;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? -errno : -error;
}

/* As event loops do it: start, poll, read SO_ERROR. */
static int step_connect_later(struct probe *probe, int words, char **word)
{
	int fd = probe_fd(probe), flags = fcntl(fd, F_GETFL), err;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	err = step_connect(probe, words, word);
	if (err == -EINPROGRESS)
		err = finish_connect(fd);
	fcntl(fd, F_SETFL, flags);
	return err;
}

static int step_disconnect(struct probe *probe, int words, char **word)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };

	(void)words, (void)word;
	return outcome(connect(probe_fd(probe), &none, sizeof(none)));
}

static int send_to(struct probe *probe, char **word, int family, int flags)
{
	struct peer peer;
	int err = peer_parse(word[1], word[2], &peer);

	if (err)
		return err;
	if (family >= 0)
		peer.sa.sa_family = family;
	return outcome(
		sendto(probe_fd(probe), PROBE_DATA, strlen(PROBE_DATA), flags | MSG_NOSIGNAL, &peer.sa, peer.len));
}

static int step_sendto(struct probe *probe, int words, char **word)
{
	(void)words;
	return send_to(probe, word, -1, 0);
}

static int step_sendto_unspec(struct probe *probe, int words, char **word)
{
	(void)words;
	return send_to(probe, word, AF_UNSPEC, 0);
}

static int step_fastopen(struct probe *probe, int words, char **word)
{
	(void)words;
	return send_to(probe, word, -1, MSG_FASTOPEN);
}

/* An echo request: all that a ping socket sends. */
static int step_ping(struct probe *probe, int words, char **word)
{
	unsigned char request[8] = { 8 };
	struct peer peer;
	int err = peer_parse(word[1], "0", &peer);

	(void)words;
	if (!err && peer.sa.sa_family == AF_INET6)
		request[0] = 128;
	return err ? err : outcome(sendto(probe_fd(probe), request, sizeof(request), 0, &peer.sa, peer.len));
}

static int step_send(struct probe *probe, int words, char **word)
{
	(void)words, (void)word;
	return outcome(send(probe_fd(probe), PROBE_DATA, strlen(PROBE_DATA), MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* One message to each peer in one system call; the answer is how many the kernel took. */
static int step_sendmmsg(struct probe *probe, int words, char **word)
{
	struct iovec data = { PROBE_DATA, strlen(PROBE_DATA) };
	struct mmsghdr messages[PROBE_WORDS / 2] = { 0 };
	struct peer peers[PROBE_WORDS / 2];
	int n = (words - 1) / 2, sent;

	for (int i = 0; i < n; i++) {
		if (peer_parse(word[1 + 2 * i], word[2 + 2 * i], &peers[i]))
			return -EINVAL;
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &peers[i].sa,
			.msg_namelen = peers[i].len,
			.msg_iov = &data,
			.msg_iovlen = 1,
		};
	}
	sent = sendmmsg(probe_fd(probe), messages, n, 0);
	if (sent < 0)
		return -errno;
	snprintf(probe->text, sizeof(probe->text), "%d", sent);
	return 0;
}

static int step_recv(struct probe *probe, int words, char **word)
{
	int fd = probe_fd(probe), err = probe_wait(fd, POLLIN, words > 1 ? atoi(word[1]) : ANSWER_MS);
	char data[4096];
	ssize_t len;

	if (err)
		return err;
	len = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	if (!len)
		snprintf(probe->text, sizeof(probe->text), "closed");
	return outcome(len);
}

/* What an ICMP error brought; the data it quotes is a stranger's to choose. */
static int step_recv_error(struct probe *probe, int words, char **word)
{
	struct iovec data = { probe->text, sizeof(probe->text) - 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	int fd = probe_fd(probe), err = probe_wait(fd, POLLERR, ANSWER_MS);

	(void)words, (void)word;
	return err ? err : outcome(recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT));
}

static int step_getpeername(struct probe *probe, int words, char **word)
{
	struct peer peer = { .len = sizeof(peer.storage) };

	(void)words, (void)word;
	return outcome(getpeername(probe_fd(probe), &peer.sa, &peer.len));
}

const struct step peer_steps[] = {
	{ "connect", "ADDRESS PORT", 2, 2, step_connect },
	{ "connect-later", "ADDRESS PORT  without blocking; waits, then reads SO_ERROR", 2, 2, step_connect_later },
	{ "disconnect", "           connect to AF_UNSPEC", 0, 0, step_disconnect },
	{ "sendto", "ADDRESS PORT", 2, 2, step_sendto },
	{ "sendto-unspec", "ADDRESS PORT  with the family AF_UNSPEC", 2, 2, step_sendto_unspec },
	{ "sendmmsg", "ADDRESS PORT [ADDRESS PORT]...", 2, PROBE_WORDS - 1, step_sendmmsg },
	{ "fastopen", "ADDRESS PORT    the first data with the SYN", 2, 2, step_fastopen },
	{ "ping", "ADDRESS           one echo request", 1, 1, step_ping },
	{ "send", "", 0, 0, step_send },
	{ "recv", "[MILLISECONDS]", 0, 1, step_recv },
	{ "recv-error", "           from the error queue", 0, 0, step_recv_error },
	{ "getpeername", "", 0, 0, step_getpeername },
	{ 0 },
};
