// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel looks a socket up as it would for a packet from the peer, and only then compares cookies. So of several
 * sockets at the same addresses it finds one, and when that is another it says ENOENT, as if there were none (6.1 to
 * 6.18: inet_diag_find_one_icsk, __udp_diag_destroy).
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "sock_diag.h"

#define TIME_WAIT_TIMER 3 /* of inet_diag_msg: what is left of a connection whose socket is gone */

/* Ports a packet is said to come from, until it would be given to the one socket of a SO_REUSEPORT group that is meant.
 */
#define GROUP_TRIES 512

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

union answer {
	struct nlmsghdr head;
	char room[4096];
};

static int protocol_of(const struct sw_found *found)
{
	return found->local.proto == SW_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}

static void put_addr(__be32 to[4], const struct sw_addr *addr, int family)
{
	if (family == AF_INET)
		to[0] = addr->w[3];
	else
		memcpy(to, addr->w, sizeof(addr->w));
}

static struct inet_diag_sockid id_of(const struct sw_found *found)
{
	struct inet_diag_sockid id = {
		.idiag_sport = htons(found->local.port),
		.idiag_dport = htons(found->peer.port),
		.idiag_if = found->device,
		.idiag_cookie = { (__u32)found->cookie, (__u32)(found->cookie >> 32) },
	};

	put_addr(id.idiag_src, &found->local.peer, found->family);
	put_addr(id.idiag_dst, &found->peer.peer, found->family);
	return id;
}

static int send_request(int fd, struct request *request)
{
	static __u32 sequence;

	request->head.nlmsg_len = sizeof(*request);
	request->head.nlmsg_seq = ++sequence;
	request->head.nlmsg_flags |= NLM_F_REQUEST;
	return send(fd, request, sizeof(*request), 0) < 0 ? -errno : 0;
}

/* The kernel answers before send() returns. What is left of an earlier question is passed over. */
static int receive_answer(int fd, __u32 sequence, union answer *answer)
{
	ssize_t got;

	do {
		got = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);
		if (got < 0)
			return -errno;
		if (!NLMSG_OK(&answer->head, (size_t)got))
			return -EIO;
	} while (answer->head.nlmsg_seq != sequence);
	return 0;
}

/* An error the kernel answered, or none. */
static int error_in(const union answer *answer)
{
	int error = 0;

	if (answer->head.nlmsg_type == NLMSG_ERROR || answer->head.nlmsg_type == NLMSG_DONE)
		memcpy(&error, NLMSG_DATA(&answer->head), sizeof(error));
	return error;
}

static int ask(int fd, struct request *request, union answer *answer)
{
	int err = send_request(fd, request);

	if (!err)
		err = receive_answer(fd, request->head.nlmsg_seq, answer);
	return err ? err : error_in(answer);
}

static int destroy(int fd, const struct sw_found *found, const struct inet_diag_sockid *id)
{
	struct request request = {
		.head = { .nlmsg_type = SOCK_DESTROY, .nlmsg_flags = NLM_F_ACK },
		.body = { .sdiag_family = found->family, .sdiag_protocol = protocol_of(found), .id = *id },
	};
	union answer answer;

	return ask(fd, &request, &answer);
}

/* A question about UDP names the ends the other way round, unlike an order to destroy. */
static void turn_round(struct inet_diag_sockid *id)
{
	struct inet_diag_sockid was = *id;

	id->idiag_sport = was.idiag_dport;
	id->idiag_dport = was.idiag_sport;
	memcpy(id->idiag_src, was.idiag_dst, sizeof(id->idiag_src));
	memcpy(id->idiag_dst, was.idiag_src, sizeof(id->idiag_dst));
}

/* What is found at wider addresses, or is left of a connection, is found only if nothing is at these any more. */
static bool in_its_place(const struct inet_diag_msg *other, const struct inet_diag_sockid *id)
{
	if (other->idiag_timer == TIME_WAIT_TIMER)
		return false;
	return !memcmp(&other->id, id, offsetof(struct inet_diag_sockid, idiag_cookie));
}

/* -ESTALE: another socket at the same addresses is found; -ENOENT: none is, so that ours is gone; or another -errno. */
static int who_answers(int fd, const struct sw_found *found, const struct inet_diag_sockid *id)
{
	struct request request = {
		.head = { .nlmsg_type = SOCK_DIAG_BY_FAMILY },
		.body = { .sdiag_family = found->family,
			  .sdiag_protocol = protocol_of(found),
			  .idiag_states = ~0U,
			  .id = *id },
	};
	union answer answer;
	int err;

	memset(request.body.id.idiag_cookie, 0xff, sizeof(request.body.id.idiag_cookie)); /* INET_DIAG_NOCOOKIE */
	if (found->local.proto == SW_UDP)
		turn_round(&request.body.id);
	err = ask(fd, &request, &answer);
	if (err)
		return err;
	return in_its_place(NLMSG_DATA(&answer.head), id) ? -ESTALE : -ENOENT;
}

/* Which of a SO_REUSEPORT group is found depends on where a packet is from, and a socket without peer leaves that open.
 */
static int destroy_in_group(int fd, const struct sw_found *found, struct inet_diag_sockid id)
{
	int err = -ENOENT;

	for (int port = 1; port <= GROUP_TRIES && err == -ENOENT; port++) {
		id.idiag_dport = htons(port);
		err = destroy(fd, found, &id);
	}
	return err == -ENOENT ? -ESTALE : err;
}

int sock_diag_destroy(int fd, const struct sw_found *found, struct fault *fault)
{
	const struct inet_diag_sockid id = id_of(found);
	int err = destroy(fd, found, &id);

	if (err == -ENOENT)
		err = who_answers(fd, found, &id);
	if (err == -ESTALE && !found->peer.port)
		err = destroy_in_group(fd, found, id);
	return err ? fault_set(fault, -err, "cannot close socket %llu: %s", found->cookie, strerror(-err)) : 0;
}

/* Asks for all sockets in no state, since that a module is missing is ENOENT too when one is asked for. */
static int check(int fd, int protocol, const char *name, struct fault *fault)
{
	struct request request = {
		.head = { .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_DUMP },
		.body = { .sdiag_family = AF_INET, .sdiag_protocol = protocol },
	};
	union answer answer;
	int err = ask(fd, &request, &answer);

	if (err == -ENOENT)
		return fault_set(fault, ENOTSUP, "this kernel cannot look up sockets: load the module %s", name);
	return err ? fault_set(fault, -err, "cannot look up sockets: %s", strerror(-err)) : 0;
}

int sock_diag_open(struct fault *fault)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), err = 0;

	if (fd < 0)
		return fault_set(fault, errno, "cannot open a socket for sock_diag: %s", strerror(errno));
	/* connected, it hears only the kernel: in a namespace of its own a tenant may have the right to answer us */
	if (connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)))
		err = fault_set(fault, errno, "cannot connect a socket for sock_diag: %s", strerror(errno));
	if (!err)
		err = check(fd, IPPROTO_TCP, "tcp_diag", fault);
	if (!err)
		err = check(fd, IPPROTO_UDP, "udp_diag", fault);
	if (!err)
		return fd;
	close(fd);
	return err;
}

bool sock_diag_destroys(void)
{
	const struct sw_found nobody = { .cookie = 1, .family = AF_INET };
	const struct inet_diag_sockid id = id_of(&nobody);
	struct fault fault;
	int fd = sock_diag_open(&fault), err;

	if (fd < 0)
		return false;
	err = destroy(fd, &nobody, &id);
	close(fd);
	return err != -EOPNOTSUPP;
}
