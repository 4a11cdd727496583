// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's tables of sockets, as any program can list them. */
#include <err.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd.h"

#define ALL_STATES 0xffffffff

static void ask(int fd, int family, int protocol)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head = { sizeof(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = family, .sdiag_protocol = protocol, .idiag_states = ALL_STATES },
	};

	if (send(fd, &request, sizeof(request), 0) != sizeof(request))
		err(1, "sock_diag");
}

static void add(struct cookies *cookies, const struct inet_diag_msg *message)
{
	if (cookies->n == cookies->room) {
		cookies->room = cookies->room ? cookies->room * 2 : 1024;
		cookies->v = realloc(cookies->v, cookies->room * sizeof(*cookies->v));
		if (!cookies->v)
			err(1, "realloc");
	}
	cookies->v[cookies->n++] = (uint64_t)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0];
}

/* False at the end of the list. */
static bool take(int fd, struct cookies *cookies)
{
	static union {
		struct nlmsghdr head;
		char room[1 << 16];
	} answer;
	ssize_t len = recv(fd, &answer, sizeof(answer), 0);

	if (len <= 0)
		err(1, "sock_diag");
	for (const struct nlmsghdr *head = &answer.head; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
		if (head->nlmsg_type == NLMSG_DONE)
			return false;
		if (head->nlmsg_type == NLMSG_ERROR)
			errx(1, "sock_diag refuses");
		add(cookies, NLMSG_DATA(head));
	}
	return true;
}

void tables_read(struct cookies *cookies)
{
	static const int families[] = { AF_INET, AF_INET6 }, protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		err(1, "sock_diag");
	for (int i = 0; i < 4; i++) {
		ask(fd, families[i / 2], protocols[i % 2]);
		while (take(fd, cookies))
			;
	}
	close(fd);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void cookies_sort(struct cookies *cookies)
{
	qsort(cookies->v, cookies->n, sizeof(*cookies->v), compare);
}

bool cookies_have(const struct cookies *cookies, uint64_t cookie)
{
	return bsearch(&cookie, cookies->v, cookies->n, sizeof(*cookies->v), compare);
}
