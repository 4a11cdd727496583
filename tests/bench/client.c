// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TURN_MS     8
#define BATCHES_MAX (1 << 16)

enum order { ORDER_OPEN, ORDER_TURN, ORDER_CLOSE };

struct request {
	enum order order;
	int value; /* enum load_id, or milliseconds */
};

struct reply {
	double ns;
	int error; /* errno */
};

static double batches[BATCHES_MAX];

static void set_peer(struct sockaddr_storage *to, const char *address, int port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	inet_pton(to->ss_family, address, to->ss_family == AF_INET ? (void *)&in->sin_addr : &in6->sin6_addr);
	in->sin_port = htons(port); /* at the same place in both */
}

static int work_open(struct work *work, const struct load *load)
{
	*work = (struct work){ .fd = -1, .other = -1 };
	set_peer(&work->peer[0], load->peer, load->port);
	set_peer(&work->peer[1], load->peer, load->port_2);
	work->len = work->peer[0].ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	return load->open(work);
}

static void work_close(struct work *work)
{
	if (work->fd >= 0)
		close(work->fd);
	if (work->other >= 0)
		close(work->other);
}

/* The lower quartile of batches: what else ran, and waiting for the other end, does not count. */
static int work_turn(struct work *work, const struct load *load, int ms, double *ns)
{
	double begin = now_ns(), end = begin + ms * 1e6, at = begin, next;
	int n = 0;

	while (at < end && n < BATCHES_MAX) {
		for (int i = 0; i < load->batch; i++)
			if (load->run(work))
				return -1;
		next = now_ns();
		batches[n++] = (next - at) / load->batch;
		at = next;
	}
	*ns = quartiles(batches, n).low;
	return 0;
}

static void client_main(int fd)
{
	const struct load *load = NULL;
	struct request request;
	struct work work;

	while (read(fd, &request, sizeof(request)) == sizeof(request)) {
		struct reply reply = { 0 };
		int err = 0;

		if (request.order == ORDER_OPEN) {
			load = &loads[request.value];
			err = work_open(&work, load);
		} else if (request.order == ORDER_TURN) {
			err = work_turn(&work, load, request.value, &reply.ns);
		} else {
			work_close(&work);
		}
		reply.error = err ? errno : 0;
		if (write(fd, &reply, sizeof(reply)) != sizeof(reply))
			break;
	}
	_exit(0);
}

static void cgroup_enter(const char *path)
{
	char procs[SW_PATH_MAX + 16];
	FILE *file;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	file = fopen(procs, "w");
	if (!file || fputs("0", file) == EOF || fclose(file))
		die("%s: %s", procs, strerror(errno));
}

void client_start(struct client *client, const char *name)
{
	int pair[2];

	cgroup_add(name, client->cgroup);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die("socketpair: %s", strerror(errno));
	client->fd = pair[0];
	client->pid = fork();
	if (client->pid)
		close(pair[1]);
	if (client->pid > 0)
		return;
	if (client->pid < 0)
		die("fork: %s", strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(pair[0]);
	cgroup_enter(client->cgroup);
	pin_near();
	client_main(pair[1]);
}

void client_stop(struct client *client)
{
	close(client->fd);
	kill(client->pid, SIGKILL);
	waitpid(client->pid, NULL, 0);
}

static double client_ask(struct client *client, enum order order, int value)
{
	struct request request = { order, value };
	struct reply reply;

	if (write(client->fd, &request, sizeof(request)) != sizeof(request) ||
	    read(client->fd, &reply, sizeof(reply)) != sizeof(reply))
		die("the client in %s is gone", client->cgroup);
	if (reply.error)
		die("the client in %s fails: %s", client->cgroup, strerror(reply.error));
	return reply.ns;
}

void client_open(struct client *client, enum load_id load)
{
	client_ask(client, ORDER_OPEN, load);
}

void client_close(struct client *client)
{
	client_ask(client, ORDER_CLOSE, 0);
}

double client_turn(struct client *client, int ms)
{
	return client_ask(client, ORDER_TURN, ms);
}

/* A round is many short turns in rotation, so that a slow spell of the machine meets all clients. */
static void one_round(struct client *clients, int n, int turns, int ms, double ns[])
{
	for (int i = 0; i < n; i++)
		ns[i] = 0;
	for (int turn = 0; turn < turns; turn++)
		for (int i = 0; i < n; i++)
			ns[(i + turn) % n] += client_turn(&clients[(i + turn) % n], ms) / turns;
}

void take_turns(struct client *clients, int n, int ms, double ns[][ROUNDS])
{
	int turns = ms < TURN_MS ? 1 : ms / TURN_MS;
	double round_ns[n];

	one_round(clients, n, turns, ms / turns, round_ns);
	for (int round = 0; round < ROUNDS; round++) {
		one_round(clients, n, turns, ms / turns, round_ns);
		for (int i = 0; i < n; i++)
			ns[i][round] = round_ns[i];
	}
}
