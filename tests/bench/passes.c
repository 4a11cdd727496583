// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a pass over a crowd of sockets costs (tests/box/scale), beside iterators with programs that look at nothing: over
 * the same objects, and over the sockets of the same network namespaces. What one costs that closes them all, beside
 * iterators that close the same and know nothing of them. And how long the processor is held.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "host.h"
#include "reap.h"

#define TENANTS    50
#define SPACES     20
#define SOCKETS    200000
#define BYSTANDERS 10000 /* sockets that are no tenant's; and there are the other ends of connections */
#define TIMES      11
#define CLOSINGS   5 /* rounds: in each all sockets are made anew, three times */
#define WATCH_NS   100000

static const char policy_text[] = "idle-timeout: 60m\nsockopts: {other: allow}\ndefault: allow\n";

enum bare { FILES, STORAGE, TCP, UDP, CLOSE_TCP, CLOSE_UDP, BARES };

static const char *const bare_names[] = {
	"bare_files", "bare_storage", "bare_tcp", "bare_udp", "close_tcp", "close_udp"
};

static struct scene {
	struct host host;
	struct reaper reaper;
	int bare[BARES];
	int spaces[SPACES], n_spaces, home;
	int orders, answers; /* of the crowd */
	int pid;
} scene = { .home = -1 };

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void must(int err, const struct fault *fault)
{
	if (err)
		die("%s", fault->text);
}

/* ---- the crowd ---- */

static void hear(void)
{
	char line[512];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(scene.answers, &line[n], 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	if (strcmp(line, "ready"))
		die("the crowd says '%s'", line);
}

static const char *number(int n)
{
	char *text;

	if (asprintf(&text, "%d", n) < 0)
		die("no memory");
	return text;
}

static void start_crowd(const char *folder)
{
	int orders[2], answers[2];

	if (pipe2(orders, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	scene.pid = fork();
	if (!scene.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(orders[0], STDIN_FILENO);
		dup2(answers[1], STDOUT_FILENO);
		execl(given("BENCH_CROWD"), "crowd", folder, number(TENANTS), number(SPACES), number(SOCKETS), "0",
		      number(BYSTANDERS), "0", NULL);
		_exit(127);
	}
	close(orders[0]);
	close(answers[1]);
	scene.orders = orders[1];
	scene.answers = answers[0];
	hear();
}

static void again(void)
{
	if (write(scene.orders, "again\n", 6) != 6)
		die("the crowd is gone");
	hear();
}

/* The crowd's first process has them all open. */
static void open_spaces(void)
{
	char folder[64], path[128], link[64];
	struct dirent *entry;
	DIR *files;
	ssize_t len;

	snprintf(folder, sizeof(folder), "/proc/%d/fd", scene.pid);
	files = opendir(folder);
	while (files && scene.n_spaces < SPACES && (entry = readdir(files))) {
		snprintf(path, sizeof(path), "%s/%.16s", folder, entry->d_name);
		len = readlink(path, link, sizeof(link));
		if (len > 5 && !memcmp(link, "net:[", 5))
			scene.spaces[scene.n_spaces++] = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (files)
		closedir(files);
	scene.home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (scene.n_spaces != SPACES)
		die("%d namespaces were found", scene.n_spaces);
}

static void make_tenants(const char *folder)
{
	char name[64], path[SW_PATH_MAX];
	FILE *policy = fopen("/run/bench-passes.yaml", "w");

	if (!policy || fputs(policy_text, policy) == EOF || fclose(policy))
		die("a policy: %s", strerror(errno));
	for (int i = 1; i <= TENANTS; i++) {
		snprintf(name, sizeof(name), "%s/%d", folder, i);
		cgroup_add(name, path);
		snprintf(name, sizeof(name), "passes-%d", i);
		attach(path, name, "/run/bench-passes.yaml");
	}
}

/* ---- iterators ---- */

static void load_bare(void)
{
	struct bpf_object *object = bpf_object__open_file(given("BENCH_PASSES"), NULL);

	if (!object || bpf_object__load(object))
		die("the bare iterators: %s", strerror(errno));
	for (int i = 0; i < BARES; i++)
		scene.bare[i] = bpf_program__fd(bpf_object__find_program_by_name(object, bare_names[i]));
}

static void walk(int program, bool storage)
{
	union bpf_iter_link_info info = { .map.map_fd = scene.host.map[MAP_socks] };
	LIBBPF_OPTS(bpf_link_create_opts, options);
	static char buffer[32768];
	int link, fd;

	if (storage) {
		options.iter_info = &info;
		options.iter_info_len = sizeof(info);
	}
	link = bpf_link_create(program, 0, BPF_TRACE_ITER, &options);
	fd = link < 0 ? -1 : bpf_iter_create(link);
	if (fd < 0)
		die("an iterator: %s", strerror(errno));
	while (read(fd, buffer, sizeof(buffer)) > 0 || errno == EAGAIN)
		errno = 0;
	close(fd);
	close(link);
}

static double cost_of_walk(int program, bool storage)
{
	double begin = cpu_ns();

	walk(program, storage);
	return cpu_ns() - begin;
}

/* In each namespace. */
static double cost_of_tables(int tcp, int udp)
{
	double begin = cpu_ns();

	for (int i = 0; i < SPACES; i++) {
		if (setns(scene.spaces[i], CLONE_NEWNET))
			die("setns: %s", strerror(errno));
		walk(tcp, false);
		walk(udp, false);
	}
	if (setns(scene.home, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	return cpu_ns() - begin;
}

/* ---- who holds the processor ---- */

static _Atomic bool watching;
static double longest_wait;

/* Wants the processor every 100 us, before all others: how late it comes is how long it was held. */
static void *want_processor(void *unused)
{
	struct timespec at;
	double late;

	clock_gettime(CLOCK_MONOTONIC, &at);
	while (watching) {
		at.tv_nsec += WATCH_NS;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		late = now_ns() - (at.tv_sec * 1e9 + at.tv_nsec);
		if (late > longest_wait)
			longest_wait = late;
		if (late > WATCH_NS)
			clock_gettime(CLOCK_MONOTONIC, &at);
	}
	return unused;
}

static pthread_t watch_processor(void)
{
	const struct sched_param first = { .sched_priority = 1 };
	pthread_attr_t attributes;
	pthread_t thread;

	longest_wait = 0;
	watching = true;
	pthread_attr_init(&attributes);
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
	pthread_attr_setschedparam(&attributes, &first);
	errno = pthread_create(&thread, &attributes, want_processor, NULL);
	if (errno)
		die("a thread that comes first: %s", strerror(errno));
	pthread_attr_destroy(&attributes);
	return thread;
}

static double watched(pthread_t thread)
{
	watching = false;
	pthread_join(thread, NULL);
	return longest_wait;
}

/* ---- passes ---- */

/* Of one way, round by round. */
struct holds {
	double said[TIMES], seen[TIMES]; /* ms */
};

static struct reap_result pass(__u64 idle, struct holds *holds, int round)
{
	const struct reap_options options = { .idle = idle };
	pthread_t thread = watch_processor();
	struct reap_result result;
	struct fault fault;

	must(reap_pass(&scene.reaper, &options, NULL, NULL, &result, &fault), &fault);
	holds->seen[round] = watched(thread) / 1e6;
	holds->said[round] = result.longest / 1e6;
	return result;
}

/* As long without a pass: what the machine holds its processors for by itself. */
static void no_pass(struct holds *holds, int round)
{
	pthread_t thread = watch_processor();
	double end = now_ns() + 4e8;

	while (now_ns() < end)
		;
	holds->seen[round] = watched(thread) / 1e6;
	holds->said[round] = 0;
}

static void row(const char *what, const double *ns, int rounds, double per, const double *under)
{
	cell("%s", what);
	cell("%.0f", quartiles(ns, rounds).median / per);
	if (!under) {
		cell("-");
		cell("-");
		return;
	}
	cell_ratio(ratios(under, ns, rounds));
}

static void headings(const char *ratio)
{
	cell("what");
	cell("ns per socket");
	cell("%s", ratio);
	cell("quartiles");
}

static void print_steady(struct holds *holds, struct holds *none)
{
	static double ours[TIMES], same[TIMES], tables[TIMES];

	for (int i = 0; i < TIMES; i++) {
		struct reap_result result = pass(SW_NO_LIMIT, holds, i);

		if (result.seen != SOCKETS || result.found)
			die("a pass saw %llu sockets, and closed %llu", result.seen, result.found);
		ours[i] = result.cpu;
		same[i] = cost_of_walk(scene.bare[FILES], false) + cost_of_walk(scene.bare[STORAGE], true);
		tables[i] = cost_of_tables(scene.bare[TCP], scene.bare[UDP]);
		no_pass(none, i);
	}
	headings("pass/this");
	row("a pass that finds nothing to close", ours, TIMES, SOCKETS, NULL);
	row("bare iterators over TCP and UDP of each namespace", tables, TIMES, SOCKETS, ours);
	row("bare iterators over descriptors and storage", same, TIMES, SOCKETS, ours);
	table_print("A pass over 200,000 sockets of 50 tenants in 20 network namespaces; 11 rounds", 4);
}

static double close_all(const char *without, struct holds *holds, int round)
{
	struct reap_result result;

	pass(SW_NO_LIMIT, holds, round); /* idle is what has not moved since a pass has seen it */
	sleep(2);
	setenv("SOCKWARDEN_WITHOUT", without, 1);
	result = pass(1, holds, round);
	unsetenv("SOCKWARDEN_WITHOUT");
	if (result.found != SOCKETS || result.stuck)
		die("a pass closed %llu sockets, and %llu are stuck", result.found, result.stuck);
	again();
	return result.cpu;
}

static void print_closing(struct holds *iterators, struct holds *netlink)
{
	static double ours[CLOSINGS], bare[CLOSINGS], theirs[CLOSINGS];

	for (int i = 0; i < CLOSINGS; i++) {
		ours[i] = close_all("netlink-destroy", iterators, i);
		bare[i] = cost_of_tables(scene.bare[CLOSE_TCP], scene.bare[CLOSE_UDP]);
		again();
		theirs[i] = close_all("", netlink, i);
	}
	headings("pass/this");
	row("a pass that closes all by iterators", ours, CLOSINGS, SOCKETS, NULL);
	row("bare iterators that close all", bare, CLOSINGS, SOCKETS, ours);
	row("a pass that closes all", theirs, CLOSINGS, SOCKETS, ours);
	table_print("The same 200,000 sockets are closed; 5 rounds", 4);
}

static void hold_row(const char *what, const struct holds *holds, int rounds)
{
	cell("%s", what);
	cell("%.1f", quartiles(holds->said, rounds).median);
	cell("%.1f", quartiles(holds->seen, rounds).median);
}

static void end_tenants(void)
{
	char name[64];

	close(scene.orders);
	waitpid(scene.pid, NULL, 0);
	for (int i = 1; i <= TENANTS; i++) {
		snprintf(name, sizeof(name), "passes-%d", i);
		detach(name);
	}
}

void bench_passes(void)
{
	static struct holds steady, iterators, netlink, none;
	char folder[SW_PATH_MAX];
	struct fault fault;
	cpu_set_t all;

	cgroup_add("crowd", folder);
	make_tenants("crowd");
	start_crowd(folder);
	open_spaces();
	must(host_open(&scene.host, HOST_READING, &fault), &fault);
	reaper_open(&scene.reaper, &scene.host, true);
	load_bare();
	sched_getaffinity(0, sizeof(all), &all);
	pin_near(); /* with us the thread that comes first */
	print_steady(&steady, &none);
	print_closing(&iterators, &netlink);
	cell("what");
	cell("as it says");
	cell("as one saw who comes first");
	hold_row("a pass that finds nothing to close", &steady, TIMES);
	hold_row("a pass that closes all by iterators", &iterators, CLOSINGS);
	hold_row("a pass that closes all", &netlink, CLOSINGS);
	hold_row("no pass", &none, TIMES);
	table_print("The processor is held in one go, ms", 3);
	sched_setaffinity(0, sizeof(all), &all);
	host_close(&scene.host);
	end_tenants();
}
