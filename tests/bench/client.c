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
#define PATIENCE    60 /* seconds for an order: what waits for longer waits for nothing */

enum order { ORDER_OPEN, ORDER_TURN, ORDER_CLOSE, ORDER_REACH };

struct request {
	enum order order;
	int value; /* enum load_id, milliseconds, or which prefix */
};

struct reply {
	double ns;
	int done;  /* operations */
	int error; /* errno */
};

static double batches[BATCHES_MAX];

static int work_open(struct work *work, const struct load *load)
{
	*work = (struct work){ .fd = -1, .other = -1, .load = load };
	for (unsigned i = 0; i < load->peers; i++)
		work->len = address_set(&work->peer[i], load->peer, load->port + i);
	return load->open(work);
}

static void work_close(struct work *work)
{
	if (work->fd >= 0)
		close(work->fd);
	if (work->other >= 0)
		close(work->other);
	for (int i = 0; work->crowd && i < work->load->crowd; i++)
		close(work->crowd[i]);
	free(work->crowd);
	free(work->dialog);
}

/* The lower quartile of batches: what else ran, and waiting for the other end, does not count. */
static int work_turn(struct work *work, const struct load *load, int ms, struct reply *reply)
{
	double begin = now_ns(), end = begin + ms * 1e6, at = begin, next;
	int n = 0, most = load->most ? load->most / load->batch : BATCHES_MAX;

	while (at < end && n < most) {
		for (int i = 0; i < load->batch; i++)
			if (load->run(work))
				return -1;
		next = now_ns();
		batches[n++] = (next - at) / load->batch;
		at = next;
	}
	reply->ns = quartiles(batches, n).low;
	reply->done = n * load->batch;
	return 0;
}

static int reach(unsigned i)
{
	struct sw_prefix p = prefix_of(i);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	int fd = socket(i & 1 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0), err;

	memcpy(&to6.sin6_addr, &p.addr, sizeof(to6.sin6_addr));
	to6.sin6_addr.s6_addr[15] |= 1;
	memcpy(&to.sin_addr, &to6.sin6_addr.s6_addr[12], sizeof(to.sin_addr));
	err = fd < 0 || sendto(fd, "", 1, 0, i & 1 ? (void *)&to6 : &to, i & 1 ? sizeof(to6) : sizeof(to)) != 1;
	close(fd);
	return err ? -1 : 0;
}

static int obey(const struct request *request, struct work *work, struct reply *reply)
{
	switch (request->order) {
	case ORDER_OPEN:
		return work_open(work, &loads[request->value]);
	case ORDER_TURN:
		return work_turn(work, work->load, request->value, reply);
	case ORDER_REACH:
		return reach(request->value);
	case ORDER_CLOSE:
		break;
	}
	work_close(work);
	return 0;
}

static void client_main(int fd)
{
	struct request request;
	struct work work;

	while (read(fd, &request, sizeof(request)) == sizeof(request)) {
		struct reply reply = { 0 };

		alarm(PATIENCE);
		reply.error = obey(&request, &work, &reply) ? errno : 0;
		alarm(0);
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
	cgroup_add(name, client->cgroup);
	client_start_in(client, NETWORK_OWN);
}

void client_start_in(struct client *client, enum network network)
{
	int pair[2];

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
	if (network == NETWORK_TWIN)
		network_enter(given("BENCH_TWIN"));
	far_use(network);
	pin_near();
	client_main(pair[1]);
}

void client_stop(struct client *client)
{
	close(client->fd);
	kill(client->pid, SIGKILL);
	waitpid(client->pid, NULL, 0);
}

static struct reply client_try(struct client *client, enum order order, int value)
{
	struct request request = { order, value };
	struct reply reply;

	if (write(client->fd, &request, sizeof(request)) != sizeof(request) ||
	    read(client->fd, &reply, sizeof(reply)) != sizeof(reply))
		die("the client in %s is gone", client->cgroup);
	return reply;
}

static struct reply client_ask(struct client *client, enum order order, int value)
{
	struct reply reply = client_try(client, order, value);

	if (reply.error)
		die("the client in %s fails: %s", client->cgroup, strerror(reply.error));
	return reply;
}

bool client_reaches(struct client *client, unsigned i)
{
	int error = client_try(client, ORDER_REACH, i).error;

	if (error && error != EPERM && error != EACCES)
		die("the client in %s, to a prefix: %s", client->cgroup, strerror(error));
	return !error;
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
	struct reply reply = client_ask(client, ORDER_TURN, ms);

	client->done += reply.done;
	return reply.ns;
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
