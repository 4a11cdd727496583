// SPDX-License-Identifier: GPL-2.0-only
/* The operations that are measured. They use only what the policy leaves to a program. */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

static char block[1 << 16];

static int domain(const struct work *work)
{
	return work->peer[0].ss_family;
}

static struct sockaddr *peer(struct work *work, int i)
{
	return (struct sockaddr *)&work->peer[i];
}

static struct sockaddr *next_peer(struct work *work)
{
	return peer(work, work->turn++ & (work->load->peers - 1));
}

static int open_nothing(struct work *work)
{
	(void)work;
	return 0;
}

static int open_udp(struct work *work)
{
	work->fd = socket(domain(work), SOCK_DGRAM, 0);
	return work->fd < 0 ? -1 : 0;
}

static int open_udp_connected(struct work *work)
{
	return open_udp(work) ? -1 : connect(work->fd, peer(work, 0), work->len);
}

static int open_tcp_connected(struct work *work)
{
	work->fd = socket(domain(work), SOCK_STREAM, 0);
	return work->fd < 0 ? -1 : connect(work->fd, peer(work, 0), work->len);
}

/* `fd` sends to `other`, which is on the far side. The buffers are the network's: a policy may mock their options. */
static int open_stream(struct work *work)
{
	if (open_tcp_connected(work))
		return -1;
	work->other = far_accept();
	return work->other < 0 ? -1 : 0;
}

/* A socket at `peer`'s address and a port of the kernel's choice, which the peer's port becomes. */
static int bound(struct work *work)
{
	int fd = socket(domain(work), SOCK_DGRAM, 0);

	((struct sockaddr_in *)peer(work, 0))->sin_port = 0;
	if (fd < 0 || bind(fd, peer(work, 0), work->len) || getsockname(fd, peer(work, 0), &work->len))
		return -1;
	return fd;
}

/* `other` sends to `fd`, and each is connected to the other. */
static int open_pair(struct work *work)
{
	work->other = bound(work);
	work->fd = socket(domain(work), SOCK_DGRAM, 0);
	if (work->other < 0 || work->fd < 0 || connect(work->fd, peer(work, 0), work->len) ||
	    getsockname(work->fd, peer(work, 0), &work->len))
		return -1;
	return connect(work->other, peer(work, 0), work->len);
}

/* A datagram waits in `fd`, to be looked at again and again. */
static int open_waiting(struct work *work)
{
	return open_pair(work) || send(work->other, block, 1, 0) != 1 ? -1 : 0;
}

static int open_crowd(struct work *work)
{
	struct rlimit limit;

	work->crowd = calloc(work->load->crowd, sizeof(*work->crowd));
	if (!work->crowd || getrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	for (int i = 0; i < work->load->crowd; i++) {
		work->crowd[i] = socket(domain(work), SOCK_DGRAM, 0);
		if (work->crowd[i] < 0)
			return -1;
	}
	return 0;
}

static int open_crowd_connected(struct work *work)
{
	if (open_crowd(work))
		return -1;
	for (int i = 0; i < work->load->crowd; i++)
		if (connect(work->crowd[i], peer(work, 0), work->len))
			return -1;
	return 0;
}

/* To what a name has opened. */
static int open_named(struct work *work)
{
	return ask_once(work) ? -1 : open_udp(work);
}

static int open_named_connected(struct work *work)
{
	return ask_once(work) ? -1 : open_udp_connected(work);
}

static int run_nothing(struct work *work)
{
	(void)work;
	return 0;
}

static int run_socket(struct work *work)
{
	int fd = socket(domain(work), SOCK_DGRAM, 0);

	return fd < 0 ? -1 : close(fd);
}

static int run_connect(struct work *work)
{
	return connect(work->fd, peer(work, 0), work->len);
}

static int run_connect_turns(struct work *work)
{
	return connect(work->fd, next_peer(work), work->len);
}

static int run_send(struct work *work)
{
	return send(work->fd, block, 64, 0) == 64 ? 0 : -1;
}

static int run_send_crowd(struct work *work)
{
	int fd = work->crowd[work->turn++ % work->load->crowd];

	return send(fd, block, 64, 0) == 64 ? 0 : -1;
}

static int run_sendto(struct work *work)
{
	return sendto(work->fd, block, 64, 0, peer(work, 0), work->len) == 64 ? 0 : -1;
}

static int run_sendto_turns(struct work *work)
{
	return sendto(work->fd, block, 64, 0, next_peer(work), work->len) == 64 ? 0 : -1;
}

static int run_pair(struct work *work)
{
	return send(work->other, block, 64, 0) == 64 ? 0 : -1;
}

/* Binds, and unbinds by disconnecting. */
static int run_bind(struct work *work)
{
	struct sockaddr_storage any = { .ss_family = domain(work) };
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	return bind(work->fd, (struct sockaddr *)&any, work->len) ? -1 : connect(work->fd, &none, sizeof(none));
}

static int get(struct work *work, int option)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(work->fd, SOL_SOCKET, option, &value, &len);
}

static int set(struct work *work, int option)
{
	int value = 4096;

	return setsockopt(work->fd, SOL_SOCKET, option, &value, sizeof(value));
}

static int run_get_pass(struct work *work)
{
	return get(work, SO_MARK);
}
static int run_get_mock(struct work *work)
{
	return get(work, SO_SNDBUF);
}
static int run_set_pass(struct work *work)
{
	return set(work, SO_MARK);
}
static int run_set_mock(struct work *work)
{
	return set(work, SO_SNDBUF);
}

/* A connection that was reset before connect() returned was one all the same. */
static int run_tcp(struct work *work)
{
	int fd = socket(domain(work), SOCK_STREAM, 0);

	if (fd < 0 || (connect(fd, peer(work, 0), work->len) && errno != ECONNRESET))
		return -1;
	return close(fd);
}

static int run_refused(struct work *work)
{
	int fd = socket(domain(work), SOCK_STREAM, 0);

	if (fd < 0 || !connect(fd, peer(work, 0), work->len) || errno != ECONNREFUSED)
		return -1;
	return close(fd);
}

static bool passes(int from, int to, ssize_t bytes)
{
	return send(from, block, bytes, 0) == bytes && recv(to, block, bytes, 0) == bytes;
}

/* This thread is both ends, as in the streams. The client closes first, and the server's reset leaves no port in use. */
static int run_served(struct work *work)
{
	int fd = socket(domain(work), SOCK_STREAM, 0), other, err;

	if (fd < 0 || connect(fd, peer(work, 0), work->len))
		return -1;
	other = far_accept();
	if (other < 0)
		return -1;
	err = !passes(fd, other, 64) || !passes(other, fd, 64);
	return close(fd) || close(other) || err ? -1 : 0;
}

static int run_request(struct work *work)
{
	return passes(work->fd, work->other, 1) && passes(work->other, work->fd, 1) ? 0 : -1;
}

/* This thread is both ends: nobody is woken, and when the operation is over nothing is on its way. */
static int run_stream(struct work *work)
{
	if (send(work->fd, block, sizeof(block), 0) != sizeof(block))
		return -1;
	return recv(work->other, NULL, sizeof(block), MSG_TRUNC | MSG_WAITALL) == sizeof(block) ? 0 : -1;
}

static int run_name(struct work *work)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	return getsockname(work->fd, (struct sockaddr *)&name, &len);
}

static int run_peer(struct work *work)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	return getpeername(work->fd, (struct sockaddr *)&name, &len);
}

static int run_recv(struct work *work)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char byte;

	return recvfrom(work->fd, &byte, 1, MSG_PEEK, (struct sockaddr *)&from, &len) == 1 ? 0 : -1;
}

static const struct answer no_address = { NAME_NAMED, 0, 0, NULL, false };
static const struct answer one_address = { NAME_NAMED, 0, 1, NULL, false };
static const struct answer new_address = { NAME_NAMED, 0, 1, NULL, true };
static const struct answer new_addresses = { NAME_NAMED, 0, 60, NULL, true };
static const struct answer aliases = { NAME_NAMED, 5, 1, NULL, false };
static const struct answer far_address = { NAME_NAMED, 0, 1, FAR4, false };
static const struct answer strange = { NAME_OTHER, 0, 1, NULL, false };

const struct load loads[] = {
	[LOAD_SOCKET] = { "socket, close", 64, NEAR4, PORT_DROP, 1, open_nothing, run_socket },
	[LOAD_CONNECT4] = { "connect UDP", 64, NULL4, PORT_DROP, 1, open_udp, run_connect },
	[LOAD_CONNECT4_TWO] = { "connect UDP to two in turns", 64, NULL4, PORT_DROP, 2, open_udp, run_connect_turns },
	[LOAD_CONNECT6] = { "connect UDP", 64, NULL6, PORT_DROP, 1, open_udp, run_connect },
	[LOAD_SEND_NULL] = { "send, connected UDP", 64, NULL4, PORT_DROP, 1, open_udp_connected, run_send },
	[LOAD_SENDTO4] = { "sendto", 64, NULL4, PORT_DROP, 1, open_udp, run_sendto },
	[LOAD_SENDTO4_TWO] = { "sendto two in turns", 64, NULL4, PORT_DROP, 2, open_udp, run_sendto_turns },
	[LOAD_SENDTO6] = { "sendto", 64, NULL6, PORT_DROP, 1, open_udp, run_sendto },
	[LOAD_INGRESS] = { "send to oneself", 64, NEAR4, 0, 1, open_pair, run_pair },
	[LOAD_BIND4] = { "bind, unbind", 64, NEAR4, 0, 1, open_udp, run_bind },
	[LOAD_BIND6] = { "bind, unbind", 64, NEAR6, 0, 1, open_udp, run_bind },
	[LOAD_GET_PASS] = { "SO_MARK, the kernel's", 64, NEAR4, 0, 1, open_udp, run_get_pass },
	[LOAD_GET_MOCK] = { "SO_SNDBUF, a mock", 64, NEAR4, 0, 1, open_udp, run_get_mock },
	[LOAD_SET_PASS] = { "SO_MARK, the kernel's", 64, NEAR4, 0, 1, open_udp, run_set_pass },
	[LOAD_SET_MOCK] = { "SO_SNDBUF, a mock", 64, NEAR4, 0, 1, open_udp, run_set_mock },
	[LOAD_TCP_NEAR] = { "connect TCP, close", 8, NEAR4, PORT_CLOSE, 1, open_nothing, run_tcp },
	[LOAD_NAME4] = { "getsockname", 64, NULL4, PORT_DROP, 1, open_udp_connected, run_name },
	[LOAD_NAME6] = { "getsockname", 64, NULL6, PORT_DROP, 1, open_udp_connected, run_name },
	[LOAD_PEER4] = { "getpeername", 64, NULL4, PORT_DROP, 1, open_udp_connected, run_peer },
	[LOAD_PEER6] = { "getpeername", 64, NULL6, PORT_DROP, 1, open_udp_connected, run_peer },
	[LOAD_RECV4] = { "recvfrom, peeking", 64, NEAR4, 0, 1, open_waiting, run_recv },
	[LOAD_RECV6] = { "recvfrom, peeking", 64, NEAR6, 0, 1, open_waiting, run_recv },
	[LOAD_TCP_FAR] = { "TCP connect accepted, close", 8, FAR4, PORT_CLOSE, 1, open_nothing, run_tcp },
	[LOAD_STREAM] = { "TCP stream, 64 KiB", 8, FAR4, PORT_STREAM, 1, open_stream, run_stream },
	[LOAD_SEND_FAR] = { "UDP send, connected", 64, FAR4, PORT_DROP, 1, open_udp_connected, run_send },
	[LOAD_SENDTO_FAR] = { "UDP sendto, one peer", 64, FAR4, PORT_DROP, 1, open_udp, run_sendto },
	[LOAD_SENDTO_FAR_TWO] = { "UDP sendto, two peers in turns", 64, FAR4, PORT_DROP, 2, open_udp,
				  run_sendto_turns },
	[LOAD_SENDTO_FAR_SIXTEEN] = { "UDP sendto, sixteen peers in turns", 64, FAR4, PORT_DROP, 16, open_udp,
				      run_sendto_turns },
	[LOAD_REFUSED] = { "TCP connect refused, close", 8, FAR4, PORT_NOBODY, 1, open_nothing, run_refused },
	[LOAD_REFUSED6] = { "TCP connect refused, close, IPv6", 8, FAR6, PORT_NOBODY, 1, open_nothing, run_refused },
	[LOAD_SERVED] = { "TCP connect, request, answer, close", 8, FAR4, PORT_STREAM, 1, open_nothing, run_served },
	[LOAD_REQUEST] = { "TCP request, answer, 1 byte each", 32, FAR4, PORT_STREAM, 1, open_stream, run_request },
	[LOAD_CROWD] = { "UDP send, 1,000 connected in turns", 64, FAR4, PORT_DROP, 1, open_crowd_connected,
			 run_send_crowd, 1000 },
	[LOAD_SEND_FAR6] = { "UDP send, connected, IPv6", 64, FAR6, PORT_DROP, 1, open_udp_connected, run_send },
	[LOAD_SENDTO_FAR6] = { "UDP sendto, one peer, IPv6", 64, FAR6, PORT_DROP, 1, open_udp, run_sendto },
	[LOAD_HOLD_IDLE] = { "UDP, only made", 64, FAR4, PORT_DROP, 1, open_crowd, run_nothing, 10000 },
	[LOAD_HOLD_CONNECTED] = { "UDP, connected", 64, FAR4, PORT_DROP, 1, open_crowd_connected, run_nothing, 10000 },
	[LOAD_ASK_NEGATIVE] = { "no address", 16, NAME_SERVER, 53, 1, open_asking, run_ask, .answer = &no_address },
	[LOAD_ASK_ANEW] = { "no address, a socket for each", 16, NAME_SERVER, 53, 1, open_asking_anew, run_ask_anew,
			    .answer = &no_address },
	[LOAD_ASK_RENEWED] = { "an address that is open", 16, NAME_SERVER, 53, 1, open_asking, run_ask,
			       .answer = &one_address },
	[LOAD_ASK_NEW] = { "a new address", 16, NAME_SERVER, 53, 1, open_asking, run_ask, .answer = &new_address,
			   .most = 2000 },
	[LOAD_ASK_NEW_MANY] = { "60 new addresses", 2, NAME_SERVER, 53, 1, open_asking, run_ask,
				.answer = &new_addresses, .most = 34 },
	[LOAD_ASK_ALIASES] = { "5 CNAMEs, an address that is open", 16, NAME_SERVER, 53, 1, open_asking, run_ask,
			       .answer = &aliases },
	[LOAD_ASK_STRANGE] = { "an address, a name that no rule has", 16, NAME_SERVER, 53, 1, open_asking, run_ask,
			       .answer = &strange },
	[LOAD_ASK_STREAM] = { "an address that is open, TCP", 16, NAME_SERVER, 53, 1, open_asking_stream, run_ask,
			      .answer = &one_address },
	[LOAD_NAMED_CONNECT] = { "TCP connect accepted, close", 8, FAR4, PORT_CLOSE, 1, open_named, run_tcp,
				 .answer = &far_address },
	[LOAD_NAMED_SEND] = { "UDP send, connected", 64, FAR4, PORT_DROP, 1, open_named_connected, run_send,
			      .answer = &far_address },
	[LOAD_NAMED_SENDTO] = { "UDP sendto", 64, FAR4, PORT_DROP, 1, open_named, run_sendto, .answer = &far_address },
};
