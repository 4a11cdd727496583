// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "addr.h"
#include "bench.h"

/* One to one on numbers of `bits` bits, and without a visible pattern. */
static __u32 scatter(__u32 x, int bits)
{
	__u32 mask = bits == 32 ? ~0U : (1U << bits) - 1;

	for (int i = 0; i < 3; i++) {
		x = (x * 0x9e3779b1u + 0x7f4a7c15u) & mask;
		x ^= x >> bits / 2;
	}
	return x;
}

/* 32.0.0.0/3 has IPv4 /24s enough, and 2a00::/12 IPv6 /48s. No server and no special address is in either. */
struct sw_prefix prefix_of(unsigned i)
{
	__u32 n = scatter(i / 2, i & 1 ? 32 : 21);
	struct sw_prefix p = { .len = SW_V4_BITS + 24, .addr = sw_addr_v4(htonl(1u << 29 | n << 8)) };

	if (i & 1)
		p = (struct sw_prefix){ 48, { .w = { htonl(0x2a000000 | n >> 12), htonl(n << 20) } } };
	return p;
}

static void prefixes_write(unsigned n, const char *path)
{
	FILE *out = fopen(path, "w");

	for (unsigned i = 0; out && i < n; i++) {
		struct sw_prefix p = prefix_of(i);
		char text[INET6_ADDRSTRLEN];

		if (i & 1)
			inet_ntop(AF_INET6, &p.addr, text, sizeof(text));
		else
			inet_ntop(AF_INET, &p.addr.w[3], text, sizeof(text));
		fprintf(out, "%s/%u\n", text, i & 1 ? p.len : p.len - SW_V4_BITS);
	}
	if (!out || fclose(out))
		die("%s: %s", path, strerror(errno));
}

/* App Engine's restrictions, with the prefixes in place of its rules. */
static const char policy_text[] =
	"mode: enforce\n"
	"protocols: [tcp, udp]\n"
	"listen: deny\n"
	"bind: ephemeral\n"
	"transfer: allow\n" /* a client has the far end of each connection, too, which the host made */
	"idle-timeout: %dm\n"
	"rules:\n"
	"  - deny: {net: \"file:%s\"}\n"
	"default: allow\n"
	"sockopts:\n"
	"  mock: {SO_SNDBUF: 2097152, SO_RCVBUF: 2097152, SO_LINGER: [0, 0], TCP_NODELAY: 0, SO_KEEPALIVE: 0}\n"
	"  other: allow\n";

void policy_write(unsigned n, int variant, char path[SW_PATH_MAX])
{
	char prefixes[SW_PATH_MAX];
	FILE *out;

	snprintf(prefixes, sizeof(prefixes), "/run/bench-prefixes-%u", n);
	snprintf(path, SW_PATH_MAX, "/run/bench-%u-%d.yaml", n, variant);
	prefixes_write(n, prefixes);
	out = fopen(path, "w");
	if (!out || fprintf(out, policy_text, 10 + variant, prefixes) < 0 || fclose(out))
		die("%s: %s", path, strerror(errno));
}

static double ms_of(struct timeval t)
{
	return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

static void exec_quietly(const char *const args[])
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	execv(args[0], (char *const *)args);
	_exit(127);
}

struct cost sockwarden(const char *const args[])
{
	double begin = now_ns();
	struct rusage usage;
	int status, pid = fork();

	if (!pid)
		exec_quietly(args);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		die("%s %s failed", args[0], args[1]);
	return (struct cost){ (now_ns() - begin) / 1e6, ms_of(usage.ru_utime), ms_of(usage.ru_stime) };
}

const char *program(void)
{
	const char *path = getenv("BENCH_SOCKWARDEN");

	if (!path)
		die("BENCH_SOCKWARDEN is not set: start tests/bench/bench");
	return path;
}

void attach(const char *cgroup, const char *tenant, const char *policy)
{
	sockwarden((const char *[]){ program(), "attach", "--tenant", tenant, "--policy", policy, cgroup, NULL });
}

void detach(const char *tenant)
{
	sockwarden((const char *[]){ program(), "detach", tenant, NULL });
}
