// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on a socket that no hook of a cgroup sees. An object of its own, because not every kernel lets every
 * program of it be loaded. Most sockets of a host are no tenant's: for them all ends with a look at a pointer.
 */
#include "kernel.bpf.h"
#include "sock.bpf.h"

static __always_inline struct sw_sock *touch(struct sock *sk)
{
	struct sw_sock *sock = sk ? bpf_sk_storage_get(&socks, sk, NULL, 0) : NULL;

	if (sock)
		sock_touch(sock);
	return sock;
}

/*
 * The one that can refuse as well: a reclaimed UDP socket would otherwise wait for ever for what cannot arrive.
 * (socket, msg, size, flags, what the one before us said)
 */
SEC("lsm/socket_recvmsg") int sw_receive(__u64 *ctx)
{
	struct sw_sock *sock = touch(((struct socket *)ctx[0])->sk);
	int before = ctx[4];

	return sock && sock->closed ? -ECONNABORTED : before;
}

#define WATCH(name, section, sk)                                                                                       \
	SEC(section) int name(__u64 *ctx)                                                                              \
	{                                                                                                              \
		touch(sk);                                                                                             \
		return 0;                                                                                              \
	}

#define SOCKET(argument) (((struct socket *)ctx[argument])->sk)

WATCH(sw_receive_entry, "fentry/security_socket_recvmsg", SOCKET(0))
WATCH(sw_receive_length, "tp_btf/sock_recv_length", (struct sock *)ctx[0]) /* Linux 6.3 */
WATCH(sw_poll_tcp, "fentry/tcp_poll", SOCKET(1))
WATCH(sw_poll_udp, "fentry/udp_poll", SOCKET(1))
WATCH(sw_ioctl4, "fentry/inet_ioctl", SOCKET(0))
WATCH(sw_ioctl6, "fentry/inet6_ioctl", SOCKET(0))
WATCH(sw_shutdown, "fentry/inet_shutdown", SOCKET(0))

char LICENSE[] SEC("license") __weak = "GPL";
