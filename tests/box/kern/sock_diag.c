// SPDX-License-Identifier: GPL-2.0-only
/* Crowds of sockets at addresses as alike as they can be, twice over in two namespaces, of which one at a time is
 * closed. */
#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "addr.h"
#include "mem.h"
#include "sock_diag.h"

enum trait {
	LISTEN = 1,
	DEVICE = 2, /* bound to lo */
	V6ONLY = 4,
	GROUP = 8, /* SO_REUSEPORT; the others have SO_REUSEADDR */
};

/* Bound to `local`, which may be NULL; then connected to `peer`, if there is one. */
static const struct plan {
	int family, type;
	const char *local;
	int port;
	const char *peer;
	int peer_port;
	int traits, count;
} plans[] = {
	{ AF_INET, SOCK_DGRAM, "0.0.0.0", 1000 },
	{ AF_INET, SOCK_DGRAM, "0.0.0.0", 1000, .traits = DEVICE },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1000 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1000, .traits = DEVICE },
	{ AF_INET, SOCK_DGRAM, "127.0.0.2", 1000 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1001 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1000, "127.0.0.9", 2000 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1000, "127.0.0.9", 2001 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1000, "127.0.0.8", 2000 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1000, "127.0.0.9", 2000, DEVICE },
	{ AF_INET, SOCK_DGRAM, NULL, 0, "127.0.0.9", 2000 },
	{ AF_INET6, SOCK_DGRAM, "::", 1000, .traits = V6ONLY },
	{ AF_INET6, SOCK_DGRAM, "::", 1000, .traits = DEVICE },
	{ AF_INET6, SOCK_DGRAM, "::", 1001 },
	{ AF_INET6, SOCK_DGRAM, "::1", 1000 },
	{ AF_INET6, SOCK_DGRAM, "::1", 1000, "::1", 2000 },
	{ AF_INET6, SOCK_DGRAM, "::1", 1000, "::1", 2001 },
	{ AF_INET6, SOCK_DGRAM, NULL, 0, "::1", 2000 },
	{ AF_INET6, SOCK_DGRAM, "::ffff:0.0.0.0", 1000 },
	{ AF_INET6, SOCK_DGRAM, "::ffff:127.0.0.1", 1000 },
	{ AF_INET6, SOCK_DGRAM, "::ffff:127.0.0.1", 1000, "::ffff:127.0.0.9", 2002 },
	{ AF_INET6, SOCK_DGRAM, "::", 1000, "::ffff:127.0.0.9", 2003 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1100, .traits = GROUP, .count = 16 },
	{ AF_INET, SOCK_DGRAM, "0.0.0.0", 1100, .traits = GROUP, .count = 3 },
	{ AF_INET, SOCK_DGRAM, "127.0.0.1", 1100, "127.0.0.9", 2000, GROUP },
	{ AF_INET6, SOCK_DGRAM, "::", 1101, .traits = GROUP, .count = 4 },
	{ AF_INET6, SOCK_DGRAM, "::ffff:127.0.0.1", 1102, .traits = GROUP, .count = 4 },

	{ AF_INET, SOCK_STREAM, "0.0.0.0", 80, .traits = LISTEN | GROUP },
	{ AF_INET, SOCK_STREAM, "127.0.0.1", 80, .traits = LISTEN | GROUP },
	{ AF_INET, SOCK_STREAM, "127.0.0.1", 80, .traits = LISTEN | GROUP | DEVICE },
	{ AF_INET, SOCK_STREAM, "127.0.0.2", 80, .traits = LISTEN | GROUP },
	{ AF_INET, SOCK_STREAM, "127.0.0.1", 81, .traits = LISTEN | GROUP, .count = 8 },
	{ AF_INET6, SOCK_STREAM, "::", 80, .traits = LISTEN | GROUP | V6ONLY },
	{ AF_INET6, SOCK_STREAM, "::1", 80, .traits = LISTEN | GROUP },
	{ AF_INET6, SOCK_STREAM, "::1", 81, .traits = LISTEN | GROUP, .count = 8 },
	{ AF_INET6, SOCK_STREAM, "::", 82, .traits = LISTEN },
	{ AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1", 83, .traits = LISTEN },
	{ AF_INET6, SOCK_STREAM, "::ffff:0.0.0.0", 84, .traits = LISTEN },
};

struct member {
	int fd, state;
	int other; /* the end it is connected to, or -1 */
	bool ended;
	struct sw_found found;
};

struct crowd {
	LIST(struct member) of;
	LIST(int) props; /* sockets that only make the others what they are */
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct scene {
	struct netns space;
	int diag;
	struct crowd crowd, twin; /* in `space`, and in the test's own namespace */
	struct fault fault;
};

static union address address(int family, const char *text, int port)
{
	union address address = { .any.sa_family = family };
	void *at = family == AF_INET ? (void *)&address.v4.sin_addr : &address.v6.sin6_addr;

	address.v4.sin_port = htons(port);
	assert_int_equal(inet_pton(family, text, at), 1);
	return address;
}

static void set(int fd, int level, int name, int value)
{
	assert_int_equal(setsockopt(fd, level, name, &value, sizeof(value)), 0);
}

static struct sw_flow flow_of(const union address *address, int type)
{
	struct sw_flow flow = { .port = ntohs(address->v4.sin_port), .proto = type == SOCK_STREAM ? SW_TCP : SW_UDP };

	if (address->any.sa_family == AF_INET)
		flow.peer = sw_addr_v4(address->v4.sin_addr.s_addr);
	else
		memcpy(&flow.peer, &address->v6.sin6_addr, sizeof(flow.peer));
	return flow;
}

static int state_of(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_state;
}

static struct sw_found found_of(int fd)
{
	struct sw_found found = { .bound = 1, .fresh = 1 };
	union address local, peer;
	int type, device;
	socklen_t len = sizeof(local);

	assert_int_equal(getsockname(fd, &local.any, &len), 0);
	len = sizeof(type);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len), 0);
	len = sizeof(found.cookie);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &found.cookie, &len), 0);
	len = sizeof(device);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, &len), 0);
	found.family = local.any.sa_family;
	found.device = device;
	found.local = flow_of(&local, type);
	len = sizeof(peer);
	if (!getpeername(fd, &peer.any, &len))
		found.peer = flow_of(&peer, type);
	return found;
}

static int add(struct crowd *crowd, int fd, int other)
{
	*list_add(&crowd->of) = (struct member){ fd, state_of(fd), other, false, found_of(fd) };
	return (int)crowd->of.n - 1;
}

static int open_planned(const struct plan *plan)
{
	int fd = socket(plan->family, plan->type | SOCK_CLOEXEC, 0);
	union address at;

	set(fd, SOL_SOCKET, plan->traits & GROUP ? SO_REUSEPORT : SO_REUSEADDR, 1);
	if (plan->family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !!(plan->traits & V6ONLY));
	if (plan->traits & DEVICE)
		set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)if_nametoindex("lo"));
	at = plan->local ? address(plan->family, plan->local, plan->port) : (union address){ 0 };
	if (plan->local && bind(fd, &at.any, sizeof(at)))
		fail_msg("plan %d: bind %s", (int)(plan - plans), strerror(errno));
	at = plan->peer ? address(plan->family, plan->peer, plan->peer_port) : (union address){ 0 };
	if (plan->peer && connect(fd, &at.any, sizeof(at)))
		fail_msg("plan %d: connect %s", (int)(plan - plans), strerror(errno));
	if (plan->traits & LISTEN)
		assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static int connected(int family, const char *peer, int port, int flags)
{
	union address at = address(family, peer, port);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (connect(fd, &at.any, sizeof(at)) && errno != EINPROGRESS)
		fail_msg("connect to %s %d: %s", peer, port, strerror(errno));
	return fd;
}

static int listening(struct crowd *crowd, int family, int port, int backlog)
{
	union address at = address(family, family == AF_INET ? "0.0.0.0" : "::", port);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &at.any, sizeof(at)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	*list_add(&crowd->props) = fd;
	return fd;
}

/* How far a connection is when it is looked at. */
enum stage { ESTABLISHED, HALF_CLOSED, FULL_HALF_CLOSED, STAGES };

static void half_close(int fd, enum stage stage)
{
	static const char page[65536];

	while (stage == FULL_HALF_CLOSED && send(fd, page, sizeof(page), MSG_DONTWAIT) > 0)
		;
	if (stage != ESTABLISHED)
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
}

/* An acknowledgement may be late. */
static void wait_for(int fd, int state)
{
	for (int i = 0; i < 5000 && state_of(fd) != state; i++)
		usleep(1000);
	assert_int_equal(state_of(fd), state);
}

static void add_connection(struct crowd *crowd, int listener, int family, const char *peer, int port, enum stage stage)
{
	int client = connected(family, peer, port, 0), server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int n = (int)crowd->of.n;

	half_close(client, stage);
	if (stage == HALF_CLOSED)
		wait_for(client, TCP_FIN_WAIT2);
	add(crowd, client, n + 1);
	add(crowd, server, n);
}

static void add_connections(struct crowd *crowd)
{
	int v4 = listening(crowd, AF_INET, 90, 16), v6 = listening(crowd, AF_INET6, 91, 16);

	for (enum stage stage = 0; stage < STAGES; stage++)
		for (int twice = 0; twice < 2; twice++) {
			add_connection(crowd, v4, AF_INET, "127.0.0.1", 90, stage);
			add_connection(crowd, v4, AF_INET6, "::ffff:127.0.0.1", 90, stage);
			add_connection(crowd, v6, AF_INET, "127.0.0.1", 91, stage);
			add_connection(crowd, v6, AF_INET6, "::ffff:127.0.0.1", 91, stage);
			add_connection(crowd, v6, AF_INET6, "::1", 91, stage);
		}
}

/* The kernel does not name a peer that has not answered. */
static void add_attempt(struct crowd *crowd, int family, const char *peer, int port)
{
	const union address at = address(family, peer, port);
	int which = add(crowd, connected(family, peer, port, SOCK_NONBLOCK), -1);

	crowd->of.v[which].found.peer = flow_of(&at, SOCK_STREAM);
}

/* With its queue full a listener does not answer. */
static void add_attempts(struct crowd *crowd)
{
	listening(crowd, AF_INET, 92, 0);
	listening(crowd, AF_INET6, 93, 0);
	*list_add(&crowd->props) = connected(AF_INET, "127.0.0.1", 92, 0);
	*list_add(&crowd->props) = connected(AF_INET6, "::1", 93, 0);
	for (int i = 0; i < 2; i++) {
		add_attempt(crowd, AF_INET, "127.0.0.1", 92);
		add_attempt(crowd, AF_INET6, "::1", 93);
		add_attempt(crowd, AF_INET6, "::ffff:127.0.0.1", 93);
	}
}

static void crowd_make(struct crowd *crowd)
{
	for (size_t i = 0; i < COUNT(plans); i++)
		for (int n = 0; n < (plans[i].count ? plans[i].count : 1); n++)
			add(crowd, open_planned(&plans[i]), -1);
	add_connections(crowd);
	add_attempts(crowd);
}

static void crowd_free(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->of.n; i++)
		close(crowd->of.v[i].fd);
	for (size_t i = 0; i < crowd->props.n; i++)
		close(crowd->props.v[i]);
	free(crowd->of.v);
	free(crowd->props.v);
}

static int error_on(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

/* Nothing has happened to it. */
static void assert_untouched(const struct crowd *crowd, size_t which, size_t because)
{
	const struct member *member = &crowd->of.v[which];
	struct sw_found now = found_of(member->fd);
	int error = error_on(member->fd);

	if (member->state == TCP_SYN_SENT)
		now.peer = member->found.peer;
	if (error || state_of(member->fd) != member->state || !sw_flow_equal(&now.local, &member->found.local) ||
	    !sw_flow_equal(&now.peer, &member->found.peer))
		fail_msg("%d was touched by closing %d: %s, state %d", (int)which, (int)because, strerror(error),
			 state_of(member->fd));
}

static void assert_others_untouched(const struct scene *scene, size_t because)
{
	for (size_t i = 0; i < scene->crowd.of.n; i++)
		if (!scene->crowd.of.v[i].ended)
			assert_untouched(&scene->crowd, i, because);
	for (size_t i = 0; i < scene->twin.of.n; i++)
		assert_untouched(&scene->twin, i, because);
}

static void end_member(struct member *member)
{
	close(member->fd);
	member->fd = -1;
	member->ended = true;
}

static void close_one(struct scene *scene, size_t which)
{
	struct crowd *crowd = &scene->crowd;
	struct member *member = &crowd->of.v[which];
	int err = sock_diag_destroy(scene->diag, &member->found, &scene->fault);

	if (err)
		fail_msg("%d (port %d, state %d): %s", (int)which, member->found.local.port, member->state,
			 scene->fault.text);
	assert_int_equal(error_on(member->fd), ECONNABORTED);
	if (member->found.local.proto == SW_TCP)
		assert_int_equal(state_of(member->fd), TCP_CLOSE);
	end_member(member);
	if (member->other >= 0)
		end_member(&crowd->of.v[member->other]);
	assert_others_untouched(scene, which);
}

static void in_space(struct scene *scene, void (*make)(struct crowd *))
{
	int home = netns_home(&scene->fault);

	assert_int_equal(netns_enter(&scene->space, &scene->fault), 0);
	make(&scene->crowd);
	if (scene->diag < 0)
		scene->diag = sock_diag_open(&scene->fault);
	assert_int_equal(netns_leave(home, &scene->fault), 0);
	close(home);
	assert_true(scene->diag >= 0);
}

static struct netns new_space(struct scene *scene)
{
	int home = netns_home(&scene->fault);
	struct netns space;

	new_netns();
	space = current_netns();
	space.fd = netns_home(&scene->fault);
	assert_int_equal(netns_leave(home, &scene->fault), 0);
	close(home);
	return space;
}

static int scene_begin(void **state)
{
	struct scene *scene = mem_alloc(1, sizeof(*scene));

	*state = scene;
	scene->diag = -1;
	scene->space = new_space(scene);
	return 0;
}

static int scene_end(void **state)
{
	struct scene *scene = *state;

	crowd_free(&scene->crowd);
	crowd_free(&scene->twin);
	close(scene->diag);
	netns_close_all(&scene->space, 1);
	free(scene);
	return 0;
}

static void each_is_closed_alone(void **state)
{
	struct scene *scene = *state;

	in_space(scene, crowd_make);
	crowd_make(&scene->twin);
	for (size_t i = 0; i < scene->crowd.of.n; i++)
		if (!scene->crowd.of.v[i].ended)
			close_one(scene, i);
}

static void each_is_closed_alone_the_other_way_round(void **state)
{
	struct scene *scene = *state;

	in_space(scene, crowd_make);
	crowd_make(&scene->twin);
	for (size_t i = scene->crowd.of.n; i-- > 0;)
		if (!scene->crowd.of.v[i].ended)
			close_one(scene, i);
}

/* The states the crowd is meant to hold; else the tests above would pass for less than they say. */
static void every_state_is_in_the_crowd(void **state)
{
	static const int expected[] = { TCP_ESTABLISHED, TCP_SYN_SENT,   TCP_FIN_WAIT1,
					TCP_FIN_WAIT2,   TCP_CLOSE_WAIT, TCP_LISTEN };
	struct scene *scene = *state;

	in_space(scene, crowd_make);
	for (size_t i = 0; i < COUNT(expected); i++) {
		int families = 0;

		for (size_t j = 0; j < scene->crowd.of.n; j++)
			if (scene->crowd.of.v[j].state == expected[i])
				families |= scene->crowd.of.v[j].found.family == AF_INET ? 1 : 2;
		if (families != 3)
			fail_msg("state %d: %d", expected[i], families);
	}
}

/* Everything is right but the cookie. */
static void a_cookie_of_none_closes_none(void **state)
{
	struct scene *scene = *state;

	in_space(scene, crowd_make);
	for (size_t i = 0; i < scene->crowd.of.n; i++) {
		struct sw_found found = scene->crowd.of.v[i].found;

		found.cookie += 1ULL << 32;
		assert_int_equal(sock_diag_destroy(scene->diag, &found, &scene->fault), -ESTALE);
	}
	assert_others_untouched(scene, 0);
}

static void make_nothing(struct crowd *crowd)
{
	(void)crowd;
}

/* They are in the other namespace: here there is nothing at their addresses. */
static void another_namespace_is_not_looked_at(void **state)
{
	struct scene *scene = *state;

	in_space(scene, make_nothing);
	crowd_make(&scene->twin);
	for (size_t i = 0; i < scene->twin.of.n; i++)
		assert_int_equal(sock_diag_destroy(scene->diag, &scene->twin.of.v[i].found, &scene->fault), -ENOENT);
	assert_others_untouched(scene, 0);
}

/* What is found at a wider address does not stand in a closed socket's place. */
static void one_that_is_gone(void **state)
{
	const struct linger at_once = { 1, 0 };
	struct scene *scene = *state;

	in_space(scene, crowd_make);
	for (size_t i = 0; i < scene->crowd.of.n; i++) {
		struct member *member = &scene->crowd.of.v[i];

		if (!member->found.peer.port || member->ended)
			continue;
		setsockopt(member->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		end_member(member);
		assert_int_equal(sock_diag_destroy(scene->diag, &member->found, &scene->fault), -ENOENT);
		if (member->other >= 0)
			end_member(&scene->crowd.of.v[member->other]);
	}
	assert_others_untouched(scene, 0);
}

static void make_pair(struct crowd *crowd)
{
	int listener = listening(crowd, AF_INET, 90, 1);

	add_connection(crowd, listener, AF_INET, "127.0.0.1", 90, ESTABLISHED);
}

/* It has the cookie still. */
static void one_in_time_wait(void **state)
{
	struct scene *scene = *state;
	struct member *pair;
	struct sw_found other;

	in_space(scene, make_pair);
	pair = scene->crowd.of.v;
	end_member(&pair[0]);
	end_member(&pair[1]);
	other = pair[0].found;
	other.cookie++;
	assert_int_equal(sock_diag_destroy(scene->diag, &other, &scene->fault), -ENOENT);
	assert_int_equal(sock_diag_destroy(scene->diag, &pair[1].found, &scene->fault), -ENOENT);
	assert_int_equal(sock_diag_destroy(scene->diag, &pair[0].found, &scene->fault), 0);
	assert_int_equal(sock_diag_destroy(scene->diag, &pair[0].found, &scene->fault), -ENOENT);
}

/* Its process has closed it, the other end has not. Older kernels leave it, and find it again. */
static void one_without_a_process(void **state)
{
	struct scene *scene = *state;
	struct member *pair;
	int again;

	in_space(scene, make_pair);
	pair = scene->crowd.of.v;
	end_member(&pair[0]);
	assert_int_equal(sock_diag_destroy(scene->diag, &pair[0].found, &scene->fault), 0);
	again = sock_diag_destroy(scene->diag, &pair[0].found, &scene->fault);
	assert_int_equal(again, state_of(pair[1].fd) == TCP_CLOSE ? -ENOENT : 0);
}

static void make_alike(struct crowd *crowd)
{
	static const struct plan plan = { AF_INET, SOCK_DGRAM, "127.0.0.1", 1000 };

	for (int i = 0; i < 3; i++)
		add(crowd, open_planned(&plan), -1);
}

/* One of each family, with the same two ends. */
static void make_families(struct crowd *crowd)
{
	static const struct plan v4 = { AF_INET, SOCK_DGRAM, "127.0.0.1", 1000, "127.0.0.9", 2000 };
	static const struct plan v6 = { AF_INET6, SOCK_DGRAM, "::ffff:127.0.0.1", 1000, "::ffff:127.0.0.9", 2000 };

	add(crowd, open_planned(&v6), -1);
	add(crowd, open_planned(&v4), -1);
}

/* Of several without SO_REUSEPORT the kernel always finds the same one. Which; the others are hidden. */
static size_t close_the_one_found(struct scene *scene)
{
	size_t closed = SIZE_MAX;

	for (size_t i = 0; i < scene->crowd.of.n && closed == SIZE_MAX; i++) {
		const struct member *member = &scene->crowd.of.v[i];
		int err = member->ended ? -ESTALE : sock_diag_destroy(scene->diag, &member->found, &scene->fault);

		if (err == -ESTALE)
			continue;
		assert_int_equal(err, 0);
		assert_int_equal(error_on(member->fd), ECONNABORTED);
		closed = i;
	}
	assert_true(closed < scene->crowd.of.n);
	return closed;
}

/* When it has gone, the next is found. */
static void assert_one_after_another(struct scene *scene)
{
	for (size_t left = scene->crowd.of.n; left > 0; left--) {
		size_t closed = close_the_one_found(scene);

		for (size_t i = closed + 1; i < scene->crowd.of.n; i++)
			if (!scene->crowd.of.v[i].ended)
				assert_int_equal(
					sock_diag_destroy(scene->diag, &scene->crowd.of.v[i].found, &scene->fault),
					-ESTALE);
		end_member(&scene->crowd.of.v[closed]);
		assert_others_untouched(scene, closed);
	}
}

static void one_that_hides_others(void **state)
{
	in_space(*state, make_alike);
	assert_one_after_another(*state);
}

static void one_that_hides_another_family(void **state)
{
	in_space(*state, make_families);
	assert_one_after_another(*state);
}

/* A tenant may have every right in a namespace of its own. */
static void nobody_but_the_kernel_is_heard(void **state)
{
	struct scene *scene = *state;
	struct sockaddr_nl to;
	socklen_t len = sizeof(to);
	struct nlmsghdr forged = { .nlmsg_len = sizeof(forged), .nlmsg_type = NLMSG_ERROR };
	int home = netns_home(&scene->fault), sock;

	in_space(scene, make_alike);
	assert_int_equal(getsockname(scene->diag, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(netns_enter(&scene->space, &scene->fault), 0);
	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	assert_int_equal(netns_leave(home, &scene->fault), 0);
	assert_int_equal(sendto(sock, &forged, sizeof(forged), 0, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(sock);
	close(home);
}

/* An answer to an earlier question, which was never read. */
static void what_was_left_is_passed_over(void **state)
{
	struct scene *scene = *state;
	const struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} earlier = { { sizeof(earlier), SOCK_DESTROY, NLM_F_REQUEST | NLM_F_ACK },
		      { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP } };

	in_space(scene, make_pair);
	assert_int_equal(send(scene->diag, &earlier, sizeof(earlier), 0), sizeof(earlier));
	close_one(scene, 0);
}

static void what_is_not_a_socket_is_an_error(void **state)
{
	struct scene *scene = *state;
	const struct sw_found found = { .cookie = 77, .family = AF_INET };

	in_space(scene, make_nothing);
	assert_int_equal(sock_diag_destroy(-1, &found, &scene->fault), -EBADF);
	assert_non_null(strstr(scene->fault.text, "cannot close socket 77"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_state_is_in_the_crowd),
		TEST(each_is_closed_alone),
		TEST(each_is_closed_alone_the_other_way_round),
		TEST(a_cookie_of_none_closes_none),
		TEST(another_namespace_is_not_looked_at),
		TEST(one_that_is_gone),
		TEST(one_in_time_wait),
		TEST(one_without_a_process),
		TEST(one_that_hides_others),
		TEST(one_that_hides_another_family),
		TEST(what_was_left_is_passed_over),
		TEST(nobody_but_the_kernel_is_heard),
		TEST(what_is_not_a_socket_is_an_error),
	};

	own_world();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
