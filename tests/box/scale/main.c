// SPDX-License-Identifier: GPL-2.0-only
/*
 * crowd FOLDER TENANTS SPACES IDLE BUSY BYSTANDERS PERIOD
 *
 * Makes that many sockets in that many network namespaces, the caller's among them: idle and busy ones in one process
 * for each of the cgroups FOLDER/1 to FOLDER/TENANTS, and the host's in another. Each busy one is used every PERIOD
 * milliseconds; 0: no more than an idle one. Answers each line on standard input by one on standard output:
 *
 *   (none)   ready: all sockets are there
 *   sound    does everything work that is not an idle tenant's, and is it in the kernel's tables
 *   check    that, and is every idle tenant's closed, and in no table
 *   again    closes the idle ones and makes new ones
 *
 * What is wrong is told on standard error, one line for each of the first few sockets. Ends with its standard input.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"

#define WRONG_SHOWN 20

enum order { ORDER_SOUND, ORDER_CHECK, ORDER_AGAIN };

static const char *const orders[] = { [ORDER_SOUND] = "sound", [ORDER_CHECK] = "check", [ORDER_AGAIN] = "again" };

/* One process with its sockets. */
struct group {
	const char *folder; /* of cgroups; NULL: the host's */
	unsigned number;
	struct member *members;
	unsigned n;
	int fd;      /* to it */
	double *gap; /* seconds that one of its busy ones was not used, at most since the last order */
};

static struct crowd {
	int spaces[SPACES_MAX]; /* the first is ours */
	unsigned n_spaces;
	struct member *members;
	size_t n;
	struct group *groups;
	unsigned n_groups;
	int period;
} crowd;

static void enter(int space)
{
	if (setns(space, CLONE_NEWNET))
		err(1, "setns");
}

static void open_many_files(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* ---- namespaces ---- */

static void set(const char *name, const char *value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	file = fopen(path, "we");
	if (!file || fputs(value, file) == EOF || fclose(file))
		err(1, "%s", path);
}

static void furnish(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	set("ipv6/conf/all/disable_ipv6", "0");
	set("core/somaxconn", "65535");
	set("ipv4/ip_local_port_range", "1024 65535");
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback))
		err(1, "lo");
	close(fd);
}

static void make_spaces(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i && unshare(CLONE_NEWNET))
			err(1, "unshare");
		crowd.spaces[i] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		if (crowd.spaces[i] < 0)
			err(1, "our network namespace");
		furnish();
	}
	crowd.n_spaces = n;
	enter(crowd.spaces[0]);
}

/* ---- the processes that own sockets ---- */

static void join(const struct group *group)
{
	char path[4096];
	FILE *file;

	if (!group->folder)
		return;
	snprintf(path, sizeof(path), "%s/%u/cgroup.procs", group->folder, group->number);
	file = fopen(path, "we");
	if (!file || fputs("0", file) == EOF || fclose(file))
		err(1, "%s", path);
}

static void open_all(const struct group *group, bool again)
{
	for (unsigned space = 0; space < crowd.n_spaces; space++) {
		enter(crowd.spaces[space]);
		for (unsigned i = 0; i < group->n; i++) {
			struct member *member = &group->members[i];

			if (member->space != space || (again && member->role != IDLE))
				continue;
			if (again)
				close(member->fd);
			member_open(member);
		}
	}
	enter(crowd.spaces[0]);
}

static void use_all(const struct group *group)
{
	for (unsigned i = 0; i < group->n; i++) {
		struct member *member = &group->members[i];
		double before = member->used;

		if (member->role != BUSY)
			continue;
		member_use(member);
		if (member->used - before > *group->gap)
			*group->gap = member->used - before;
	}
}

static void check_all(const struct group *group, enum order order)
{
	for (unsigned i = 0; i < group->n; i++) {
		struct member *member = &group->members[i];

		if (member->role != IDLE)
			member->wrong = !member_works(member);
		else
			member->wrong = order == ORDER_CHECK && !member_is_closed(member);
	}
}

static void obey(const struct group *group, enum order order)
{
	if (order == ORDER_AGAIN)
		open_all(group, true);
	else
		check_all(group, order);
}

static void own(const void *what, int fd)
{
	const struct group *group = what;
	enum order order;

	join(group);
	open_all(group, false);
	for (;;) {
		if (write(fd, "", 1) != 1)
			_exit(0);
		while (!poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, crowd.period ? crowd.period : -1))
			use_all(group);
		if (read(fd, &order, sizeof(order)) != sizeof(order))
			_exit(0);
		obey(group, order);
	}
}

/* A process of its own; a descriptor to it. */
static int start(void (*run)(const void *what, int fd), const void *what)
{
	int pair[2], pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		err(1, "socketpair");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid) {
		close(pair[1]);
		return pair[0];
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(pair[0]);
	run(what, pair[1]);
	_exit(0);
}

static void be_service(const void *space, int fd)
{
	serve(*(const int *)space, crowd.spaces[0], fd);
}

static void await(int fd, const char *who)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		errx(1, "%s has ended", who);
}

static void tell(enum order order)
{
	for (unsigned i = 0; i < crowd.n_groups; i++)
		if (write(crowd.groups[i].fd, &order, sizeof(order)) != sizeof(order))
			err(1, "a process");
	for (unsigned i = 0; i < crowd.n_groups; i++)
		await(crowd.groups[i].fd, "a process");
}

/* ---- who has what ---- */

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	return memory;
}

/* Every kind of socket in every namespace, in turns. */
static unsigned fill(struct member *members, enum role role, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		members[i] = (struct member){
			.role = role,
			.kind = i % kinds,
			.space = i / kinds % crowd.n_spaces,
			.fd = -1,
		};
	return n;
}

/* Part `i` of `parts` that add up to `n`. */
static unsigned part(unsigned n, unsigned i, unsigned parts)
{
	return n / parts + (i < n % parts);
}

static void share_out(const char *folder, unsigned tenants, const unsigned n[ROLES])
{
	struct member *next;
	double *gaps;

	crowd.n_groups = tenants + 1;
	crowd.n = n[IDLE] + n[BUSY] + n[BYSTANDER];
	crowd.members = next = shared(crowd.n * sizeof(*crowd.members));
	gaps = shared(crowd.n_groups * sizeof(*gaps));
	crowd.groups = calloc(crowd.n_groups, sizeof(*crowd.groups));
	for (unsigned i = 0; i < crowd.n_groups; i++) {
		struct group *group = &crowd.groups[i];

		*group = (struct group){ .number = i + 1, .members = next, .gap = &gaps[i] };
		if (i == tenants) {
			group->n = fill(next, BYSTANDER, n[BYSTANDER]);
			break;
		}
		group->folder = folder;
		group->n = fill(next, IDLE, part(n[IDLE], i, tenants));
		group->n += fill(next + group->n, BUSY, part(n[BUSY], i, tenants));
		next += group->n;
	}
}

/* ---- what became of them ---- */

static void read_tables(struct cookies *cookies)
{
	cookies->n = 0;
	for (unsigned i = 0; i < crowd.n_spaces; i++) {
		enter(crowd.spaces[i]);
		tables_read(cookies);
	}
	enter(crowd.spaces[0]);
	cookies_sort(cookies);
}

static void show(const struct member *member, const char *what)
{
	static const char *const roles[] = { "an idle tenant's", "a busy tenant's", "the host's" };
	static unsigned shown;

	if (shown++ < WRONG_SHOWN)
		warnx("%s %s in namespace %u, cookie %llu: %s", roles[member->role], kind_name(member->kind),
		      member->space, (unsigned long long)member->cookie, what);
}

static bool is_listed_wrongly(const struct member *member, const struct cookies *cookies, bool idle_too)
{
	if (!member->named || (member->role == IDLE && !idle_too))
		return false;
	return cookies_have(cookies, member->cookie) == (member->role == IDLE);
}

/* The longest that a busy one was not used, since the last time this was asked. */
static double take_gap(void)
{
	double longest = 0;

	for (unsigned i = 0; i < crowd.n_groups; i++) {
		if (*crowd.groups[i].gap > longest)
			longest = *crowd.groups[i].gap;
		*crowd.groups[i].gap = 0;
	}
	return longest;
}

static void ready(void)
{
	take_gap();
	puts("ready");
}

static unsigned count_wrongly_listed(bool idle_too)
{
	static struct cookies cookies;
	unsigned n = 0;

	read_tables(&cookies);
	for (size_t i = 0; i < crowd.n; i++) {
		const struct member *member = &crowd.members[i];

		if (!is_listed_wrongly(member, &cookies, idle_too))
			continue;
		n++;
		show(member, member->role == IDLE ? "is in the tables" : "is not in the tables");
	}
	return n;
}

/* The tables come first: a closed UDP socket is given a port again by the mere attempt to send. */
static void report(enum order order)
{
	unsigned n[ROLES] = { 0 }, wrong[ROLES] = { 0 }, listed = count_wrongly_listed(order == ORDER_CHECK);

	tell(order);
	for (size_t i = 0; i < crowd.n; i++) {
		const struct member *member = &crowd.members[i];

		n[member->role]++;
		wrong[member->role] += member->wrong;
		if (member->wrong)
			show(member, member->error ? strerror(member->error) : "still works");
	}
	printf("idle=%u not-closed=%u busy=%u not-working=%u ", n[IDLE], wrong[IDLE], n[BUSY], wrong[BUSY]);
	printf("bystanders=%u disturbed=%u listed-wrongly=%u ", n[BYSTANDER], wrong[BYSTANDER], listed);
	printf("longest-unused-ms=%.0f\n", take_gap() * 1e3);
}

static void answer(const char *line)
{
	enum order order = ORDER_SOUND;

	while (order <= ORDER_AGAIN && strncmp(line, orders[order], strlen(orders[order])))
		order++;
	if (order > ORDER_AGAIN)
		errx(1, "what is %s", line);
	if (order != ORDER_AGAIN) {
		report(order);
		return;
	}
	tell(order);
	ready();
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 8 || atoi(argv[3]) > SPACES_MAX)
		errx(2, "usage: crowd FOLDER TENANTS SPACES IDLE BUSY BYSTANDERS PERIOD");
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_many_files();
	crowd.period = atoi(argv[7]);
	make_spaces(atoi(argv[3]));
	share_out(argv[1], atoi(argv[2]), (unsigned[]){ atoi(argv[4]), atoi(argv[5]), atoi(argv[6]) });
	for (unsigned i = 0; i < crowd.n_spaces; i++)
		await(start(be_service, &crowd.spaces[i]), "the host's service");
	for (unsigned i = 0; i < crowd.n_groups; i++)
		crowd.groups[i].fd = start(own, &crowd.groups[i]);
	for (unsigned i = 0; i < crowd.n_groups; i++)
		await(crowd.groups[i].fd, "a process");
	ready();
	while (fgets(line, sizeof(line), stdin))
		answer(line);
	return 0;
}
