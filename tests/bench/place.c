// SPDX-License-Identifier: GPL-2.0-only
/* Where things run, and what they talk to: cgroups, CPUs, networks, addresses. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

const char *given(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		die("%s is not set: start tests/bench/bench", name);
	return value;
}

const char *cgroup_base(void)
{
	return given("BENCH_CGROUP");
}

const char *ledger_folder(void)
{
	return given("BENCH_LEDGER");
}

void cgroup_add(const char *name, char path[SW_PATH_MAX])
{
	snprintf(path, SW_PATH_MAX, "%s/%s", cgroup_base(), name);
	if (mkdir(path, 0755) && errno != EEXIST)
		die("%s: %s", path, strerror(errno));
}

__u64 cgroup_number(const char *path)
{
	struct stat stat_of;

	if (stat(path, &stat_of))
		die("%s: %s", path, strerror(errno));
	return stat_of.st_ino;
}

/* The bench's own cgroup is a child of the root, and all of ours are children of that. */
__u32 cgroup_level(const char *path)
{
	return strncmp(path, cgroup_base(), strlen(cgroup_base())) ? 0 : 2;
}

void network_enter(const char *process)
{
	char path[64];
	int net;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", process);
	net = open(path, O_RDONLY | O_CLOEXEC);
	if (net < 0 || setns(net, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	close(net);
}

socklen_t address_set(struct sockaddr_storage *to, const char *address, int port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	inet_pton(to->ss_family, address, to->ss_family == AF_INET ? (void *)&in->sin_addr : &in6->sin6_addr);
	in->sin_port = htons(port); /* at the same place in both */
	return to->ss_family == AF_INET ? sizeof(*in) : sizeof(*in6);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity: %s", strerror(errno));
}

static int cpu_of(int first)
{
	int found = -1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity: %s", strerror(errno));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && (found < 0 || !first))
			found = cpu;
	return found;
}

void pin_near(void)
{
	pin(cpu_of(1));
}

void pin_far(void)
{
	pin(cpu_of(0));
}
