// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdicts POLICIES CALLS [SEED]: random policies in the kernel, and CALLS calls under each, to random peers that come
 * again and again. Each must be refused when the decision (include/decide.h) says so for the compiled policy, or its gate
 * holds what is no question, and only then, whatever the kernel has kept of the calls before. One tenant goes from policy to policy, with sockets that stay
 * open. Prints TAP. Runs inside the lab.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../pure/unit/generate.h"
#include "attach.h"
#include "detach.h"

#define PEERS       48
#define WRONG_SHOWN 10

struct peer {
	struct sw_flow flow;
	struct sockaddr_storage addr;
	socklen_t len;
	bool allowed;
	int sock; /* connected to it for as long as the policy lasts, or -1 */
};

static int lasting[2] = { -1, -1 }; /* of a family: an unconnected socket that outlives all policies */

/* The kernel takes these for another address, or refuses them before our programs see them. */
static bool is_usable(const struct sw_flow *flow)
{
	const struct sw_addr *a = &flow->peer;
	bool unspecified = !a->w[0] && !a->w[1] && !a->w[3] && (!a->w[2] || sw_addr_is_v4(a));

	return flow->proto < SW_PROTOS && flow->port && !unspecified;
}

static void set_addr(struct peer *peer)
{
	struct sockaddr_in *v4 = (void *)&peer->addr;
	struct sockaddr_in6 *v6 = (void *)&peer->addr;

	memset(&peer->addr, 0, sizeof(peer->addr));
	if (sw_addr_is_v4(&peer->flow.peer)) {
		*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(peer->flow.port) };
		v4->sin_addr.s_addr = peer->flow.peer.w[3];
		peer->len = sizeof(*v4);
		return;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(peer->flow.port);
	memcpy(&v6->sin6_addr, &peer->flow.peer, sizeof(v6->sin6_addr));
	peer->len = sizeof(*v6);
}

static int open_socket(const struct peer *peer)
{
	int type = peer->flow.proto == SW_TCP ? SOCK_STREAM : SOCK_DGRAM, one = 1;
	int sock = socket(peer->addr.ss_family, type | SOCK_NONBLOCK, 0);

	if (sock >= 0)
		setsockopt(sock, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	return sock;
}

/* An error that is not a refusal is the network's: it was asked, so the call was let pass. */
static bool is_refusal(int result)
{
	return result < 0 && (errno == EACCES || errno == EPERM);
}

static bool refused_once(const struct peer *peer)
{
	const struct linger reset = { 1, 0 };
	int sock = open_socket(peer), result = sock;

	if (sock >= 0 && peer->flow.proto == SW_TCP)
		result = connect(sock, (void *)&peer->addr, peer->len);
	else if (sock >= 0)
		result = sendto(sock, "x", 1, 0, (void *)&peer->addr, peer->len);
	if (is_refusal(result)) {
		close(sock);
		return true;
	}
	setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(sock);
	return false;
}

/* Only the packet programs can refuse this one. */
static bool refused_connected(struct peer *peer)
{
	if (peer->sock < 0) {
		peer->sock = open_socket(peer);
		if (peer->sock < 0)
			return is_refusal(-1);
		if (connect(peer->sock, (void *)&peer->addr, peer->len))
			return is_refusal(-1) || !peer->allowed; /* the network has no way there, so nothing is sent */
	}
	for (int i = 0; i < 3; i++) { /* an error of an earlier packet may come first */
		if (send(peer->sock, "x", 1, 0) >= 0)
			return false;
		if (is_refusal(-1))
			return true;
	}
	return !peer->allowed;
}

static bool refused_lasting(const struct peer *peer)
{
	int *sock = &lasting[peer->addr.ss_family == AF_INET6];

	if (*sock < 0)
		*sock = open_socket(peer);
	if (*sock < 0)
		return is_refusal(-1);
	return is_refusal(sendto(*sock, "x", 1, 0, (void *)&peer->addr, peer->len));
}

static bool is_refused(struct draw *draw, struct peer *peer)
{
	bool udp = peer->flow.proto == SW_UDP;

	switch (udp ? draw_below(draw, 3) : 0) {
	case 0:
		return refused_once(peer);
	case 1:
		return refused_connected(peer);
	default:
		return refused_lasting(peer);
	}
}

static unsigned try_calls(struct draw *draw, struct peer *peers, unsigned calls)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < calls; i++) {
		struct peer *peer = &peers[draw_below(draw, PEERS)];
		bool refused = is_refused(draw, peer);
		char text[SW_FLOW_TEXT];

		if (refused == peer->allowed && wrong++ < WRONG_SHOWN)
			printf("# %s: %s, wanted the other (%s)\n", flow_format(&peer->flow, text),
			       refused ? "refused" : "let pass", strerror(errno));
	}
	for (int i = 0; i < PEERS; i++)
		if (peers[i].sock >= 0)
			close(peers[i].sock);
	return wrong;
}

/* What is sent here is never a question, so a gate holds all of it; a connection may be made. */
static bool lets_pass(const struct image *image, const struct sw_flow *flow)
{
	struct sw_verdict verdict = image_decide(image, flow);

	return verdict.allow && !(flow->proto == SW_UDP && verdict.resolver & SW_ANSWER_GATED);
}

static void draw_peers(struct draw *draw, const struct policy *policy, const struct image *image, struct peer *peers)
{
	for (int i = 0; i < PEERS; i++) {
		do
			peers[i].flow = generate_flow(draw, policy);
		while (!is_usable(&peers[i].flow));
		set_addr(&peers[i]);
		peers[i].flow.local = sw_addr_is_loopback(&peers[i].flow.peer);
		peers[i].allowed = lets_pass(image, &peers[i].flow);
		peers[i].sock = -1;
	}
}

static void must(int err, const struct fault *fault)
{
	if (!err)
		return;
	printf("Bail out! %s\n", fault->text);
	exit(1);
}

static void join(const struct cgroup *cgroup)
{
	int fd = openat(cgroup->fd, "cgroup.procs", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		must(-1, &(struct fault){ .text = "cannot join the cgroup" });
	close(fd);
}

struct scene {
	struct host host;
	struct cgroup cgroup;
	struct tenancy tenant;
	bool attached;
};

static void put(struct scene *scene, const struct image *image)
{
	const struct attachment as = { .name = "verdicts", .policy = "random", .image = image };
	struct fault fault;

	if (scene->attached) {
		must(tenancy_replace(&scene->host, scene->tenant, &as, &fault), &fault);
		must(publish_collect(&scene->host, PUBLISH_BATCH, COLLECT_ALL, &fault), &fault);
		return;
	}
	must(tenancy_attach(&scene->host, &scene->cgroup, &as, &scene->tenant, &fault), &fault);
	scene->attached = true;
	join(&scene->cgroup);
}

static unsigned one_policy(struct scene *scene, struct draw *draw, unsigned calls, unsigned *allowed)
{
	struct policy *policy = generate_policy(draw);
	struct diags diags = { 0 };
	struct peer peers[PEERS];
	struct image *image;
	unsigned wrong;

	policy->budget = SW_NO_LIMIT;
	image = compile(policy, &diags);
	if (!image)
		must(-1, &(struct fault){ .text = "a policy does not compile" });
	put(scene, image);
	draw_peers(draw, policy, image, peers);
	for (int i = 0; i < PEERS; i++)
		*allowed += peers[i].allowed;
	wrong = try_calls(draw, peers, calls);
	image_free(image);
	policy_free(policy);
	return wrong;
}

static void leave(struct scene *scene)
{
	const struct cgroup root = { .fd = open(getenv("BOX_CGROUP"), O_RDONLY | O_DIRECTORY) };
	struct fault fault;

	join(&root);
	must(tenancy_detach(&scene->host, scene->tenant, &fault), &fault);
	must(publish_collect(&scene->host, PUBLISH_BATCH, COLLECT_ALL, &fault), &fault);
	host_close(&scene->host);
	cgroup_end(&scene->cgroup);
	cgroup_remove(&scene->cgroup);
}

int main(int argc, char **argv)
{
	unsigned policies = argc > 1 ? atoi(argv[1]) : 50, calls = argc > 2 ? atoi(argv[2]) : 2000;
	unsigned wrong = 0, allowed = 0;
	struct draw draw = { .state = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL) };
	struct scene scene = { 0 };
	char path[SW_PATH_MAX];
	struct fault fault;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..1\n# seed %llu\n", (unsigned long long)draw.state);
	snprintf(path, sizeof(path), "%s/verdicts", getenv("BOX_CGROUP") ?: "");
	must(cgroup_make(path, 0755, &fault), &fault);
	must(cgroup_open(&scene.cgroup, path, &fault), &fault);
	must(host_open(&scene.host, HOST_LOADING, &fault), &fault);
	for (unsigned i = 0; i < policies; i++)
		wrong += one_policy(&scene, &draw, calls, &allowed);
	leave(&scene);
	printf("# %u calls under %u policies, %u of %u peers allowed, %u calls wrong\n", policies * calls, policies,
	       allowed, policies * PEERS, wrong);
	printf("%sok 1 the kernel refuses what the decision refuses, and nothing else\n",
	       wrong || !allowed ? "not " : "");
	return wrong || !allowed;
}
