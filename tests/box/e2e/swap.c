// SPDX-License-Identifier: GPL-2.0-only
/*
 * swap COUNT: changes a tenant's policy COUNT times between two, while 8 clients connect and send. Each verdict a
 * client sees must be one that the policy before or the one after the change gives; where no change was under way,
 * the one of the policy in force. In the first half other tenants have both policies, too, so that their images stay
 * and come into force again; in the second they may be made anew. Prints TAP. Runs inside the lab.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "detach.h"

#define CLIENTS     8
#define TENANTS     3
#define WRONG_SHOWN 20

/* Peers, and what the two policies say of them. */
static const struct target {
	const char *addr;
	bool allowed[2];
} targets[] = {
	{ "93.184.216.34", { true, true } },
	{ "10.1.2.3", { false, false } },
	{ "151.101.1.69", { true, false } },
	{ "34.102.136.180", { false, true } },
};

#define TARGETS (sizeof(targets) / sizeof(targets[0]))

static const char *const texts[2] = {
	"rules:\n  - deny: {net: [special, 34.102.136.180]}\ndefault: allow\n",
	"rules:\n  - allow: {net: [93.184.216.34, 34.102.136.180]}\ndefault: deny\n",
};

/* What parent and clients share. `changes` is odd while a change is under way; half of it says which policy holds. */
static struct shared {
	_Atomic uint64_t changes;
	_Atomic bool stop;
	_Atomic uint64_t verdicts, settled, wrong;
} * shared;

static struct sockaddr_in peer(const struct target *target, int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, target->addr, &addr.sin_addr);
	return addr;
}

/* 1 allowed, 0 refused, -1 neither, which is wrong. */
static int verdict(int result)
{
	if (result >= 0 || errno == EINPROGRESS)
		return 1;
	return errno == EACCES || errno == EPERM ? 0 : -1;
}

/* Closed by a reset, so that no port is kept in TIME_WAIT. */
static int try_connect(const struct target *target)
{
	struct sockaddr_in addr = peer(target, 80);
	struct linger reset = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int seen = verdict(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	return seen;
}

static int try_sendto(const struct target *target)
{
	struct sockaddr_in addr = peer(target, 7);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int seen = verdict(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof(addr)));

	close(fd);
	return seen;
}

/* One socket for ever, that goes from peer to peer: approvals of an earlier policy must not help it. */
static int try_same_socket(const struct target *target)
{
	static int fd = -1;
	struct sockaddr_in addr = peer(target, 7);

	if (fd < 0)
		fd = socket(AF_INET, SOCK_DGRAM, 0);
	return verdict(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof(addr)));
}

/* Connected sockets made while their peer was allowed: only the packet program decides on them. */
static int try_connected(const struct target *target)
{
	static int fds[TARGETS] = { -1, -1, -1, -1 };
	struct sockaddr_in addr = peer(target, 7);
	int *fd = &fds[target - targets];

	if (*fd < 0) {
		*fd = socket(AF_INET, SOCK_DGRAM, 0);
		if (connect(*fd, (struct sockaddr *)&addr, sizeof(addr))) {
			int seen = verdict(-1);

			close(*fd);
			*fd = -1;
			return seen;
		}
	}
	return verdict(send(*fd, "x", 1, 0));
}

static void check(const struct target *target, int (*try)(const struct target *))
{
	uint64_t before = shared->changes, after;
	int seen = try(target);
	bool right;

	after = shared->changes;
	if (before == after && before % 2 == 0) {
		shared->settled++;
		right = seen == target->allowed[before / 2 % 2];
	} else {
		right = seen == target->allowed[0] || seen == target->allowed[1];
	}
	shared->verdicts++;
	if (!right && shared->wrong++ < WRONG_SHOWN)
		printf("# %s: verdict %d (%s), changes %" PRIu64 " to %" PRIu64 "\n", target->addr, seen,
		       seen < 0 ? strerror(errno) : "", before, after);
}

static void client(void)
{
	static int (*const tries[])(const struct target *) = { try_connect, try_sendto, try_same_socket,
							       try_connected };

	while (!shared->stop)
		for (size_t i = 0; i < TARGETS; i++)
			for (size_t j = 0; j < sizeof(tries) / sizeof(tries[0]); j++)
				check(&targets[i], tries[j]);
	fflush(stdout);
	_exit(0);
}

static void join(const struct cgroup *cgroup)
{
	int fd = openat(cgroup->fd, "cgroup.procs", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(2);
	close(fd);
}

static struct image *make_image(const char *text)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_read("swap.yaml", text, strlen(text), &(struct policy_source){ 0 }, &diags);
	struct image *image = policy ? compile(policy, &diags) : NULL;

	diags_print(&diags, stdout);
	policy_free(policy);
	return image;
}

static void must(int err, const struct fault *fault)
{
	if (!err)
		return;
	printf("Bail out! %s\n", fault->text);
	exit(1);
}

static void attach(struct host *host, struct cgroup *cgroup, const char *name, const struct image *image,
		   struct tenancy *tenant)
{
	const struct attachment as = { .name = name, .policy = "swap.yaml", .image = image };
	char path[SW_PATH_MAX];
	struct fault fault;

	snprintf(path, sizeof(path), "%s/%s", getenv("BOX_CGROUP") ?: "", name);
	must(cgroup_make(path, 0755, &fault), &fault);
	must(cgroup_open(cgroup, path, &fault), &fault);
	must(tenancy_attach(host, cgroup, &as, tenant, &fault), &fault);
}

static void detach(struct host *host, struct cgroup *cgroup, struct tenancy tenant)
{
	struct fault fault;

	must(tenancy_detach(host, tenant, &fault), &fault);
	cgroup_end(cgroup);
	cgroup_remove(cgroup);
}

static void change(struct host *host, struct tenancy tenant, const struct image *image)
{
	struct fault fault;

	shared->changes++;
	must(tenancy_replace(host, tenant, &(struct attachment){ .image = image, .policy = "swap.yaml" }, &fault),
	     &fault);
	shared->changes++;
	usleep(10000); /* so that some verdicts are seen while nothing changes */
}

int main(int argc, char **argv)
{
	struct image *images[2] = { make_image(texts[0]), make_image(texts[1]) };
	int count = argc > 1 ? atoi(argv[1]) : 100;
	const char *const names[TENANTS] = { "swap", "keeps-0", "keeps-1" };
	struct image *first[TENANTS] = { images[0], images[0], images[1] };
	struct cgroup cgroups[TENANTS];
	struct tenancy tenants[TENANTS];
	struct fault fault;
	struct host host;
	pid_t clients[CLIENTS];

	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(host_open(&host, HOST_LOADING, &fault), &fault);
	for (int i = 0; i < TENANTS; i++)
		attach(&host, &cgroups[i], names[i], first[i], &tenants[i]);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = fork();
		if (!clients[i]) {
			join(&cgroups[0]);
			client();
		}
	}
	puts("1..1");
	for (int i = 1; i <= count; i++) {
		change(&host, tenants[0], images[i % 2]);
		if (i == count / 2)
			for (int j = 1; j < TENANTS; j++)
				detach(&host, &cgroups[j], tenants[j]);
	}
	shared->stop = true;
	for (int i = 0; i < CLIENTS; i++)
		waitpid(clients[i], NULL, 0);
	detach(&host, &cgroups[0], tenants[0]);
	must(publish_collect(&host, PUBLISH_BATCH, COLLECT_ALL, &fault), &fault);
	host_close(&host);
	printf("# %d changes, %" PRIu64 " verdicts, %" PRIu64 " of them while no change was under way\n", count,
	       shared->verdicts, shared->settled);
	printf("%sok 1 every verdict is one of the policies'\n", shared->wrong || !shared->settled ? "not " : "");
	return shared->wrong || !shared->settled;
}
