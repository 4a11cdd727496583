// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold DEVICE WAY PORT [N]: a tenant that waits for ever, in a way of the table below, and has who looks at it wait too.
 * DEVICE is /dev/fuse, or a copy; on PORT of 127.0.0.1 is a service that says something to whom it accepts.
 * Writes "held" when it waits. Ends when it is killed, or its standard input ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/tcp.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tenant.h"

struct order {
	const char *device;
	uint16_t port;
	int n;
};

static void held(void)
{
	puts("held");
	fflush(stdout);
}

/* ---- memory of a file that is not read, under the lock of a socket -------------------------------------------- */

static void tcp_send(const struct order *order)
{
	send(connected(SOCK_STREAM, order->port), map_unread(PAGE), PAGE, 0);
}

static void udp_send(const struct order *order)
{
	send(connected(SOCK_DGRAM, order->port), map_unread(PAGE), 100, 0);
}

/* With more to come the socket is locked while the data is copied. */
static void udp_more(const struct order *order)
{
	send(connected(SOCK_DGRAM, order->port), map_unread(PAGE), 100, MSG_MORE);
}

static void tcp_recv(const struct order *order)
{
	recv(connected(SOCK_STREAM, order->port), map_unread(PAGE), PAGE, 0);
}

static void tcp_sendfile(const struct order *order)
{
	int file = must(open(UNREAD, O_RDONLY | O_CLOEXEC), UNREAD);

	sendfile(connected(SOCK_STREAM, order->port), file, NULL, PAGE);
}

static void set_option(const struct order *order)
{
	setsockopt(connected(SOCK_STREAM, order->port), IPPROTO_IP, IP_OPTIONS, map_unread(PAGE), 40);
}

static void get_option(const struct order *order)
{
	socklen_t len = sizeof(int);

	getsockopt(connected(SOCK_STREAM, order->port), SOL_SOCKET, SO_TYPE, map_unread(PAGE), &len);
}

/* What is too little for a page is copied, to where the caller says. */
static void zerocopy(const struct order *order)
{
	int sock = connected(SOCK_STREAM, order->port);
	void *pages = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, sock, 0);
	struct tcp_zerocopy_receive zc = {
		.address = (uintptr_t)pages,
		.length = PAGE,
		.copybuf_address = (uintptr_t)map_unread(PAGE),
		.copybuf_len = PAGE,
	};
	struct pollfd ready = { sock, POLLIN, 0 };
	socklen_t len = sizeof(zc);

	if (pages == MAP_FAILED)
		fail("mmap of a socket");
	poll(&ready, 1, -1);
	must(getsockopt(sock, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len), "TCP_ZEROCOPY_RECEIVE");
}

/* Memory that another process is to fill, and does not. */
static void tcp_userfault(const struct order *order)
{
	int fd = must(syscall(SYS_userfaultfd, O_CLOEXEC), "userfaultfd");
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register all = { .mode = UFFDIO_REGISTER_MODE_MISSING, .range.len = PAGE };
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffd_msg message;

	all.range.start = (uintptr_t)at;
	must(ioctl(fd, UFFDIO_API, &api), "UFFDIO_API");
	must(ioctl(fd, UFFDIO_REGISTER, &all), "UFFDIO_REGISTER");
	if (must(fork(), "fork")) { /* the child's memory is filled by nobody who is waited for */
		send(connected(SOCK_STREAM, order->port), at, PAGE, 0);
		return;
	}
	must(read(fd, &message, sizeof(message)), "read");
	held();
	pause();
}

#ifdef __x86_64__
/* By a 32-bit system call, which no hook of options sees: the value is read when the socket is locked. */
static void set_option_32(const struct order *order)
{
	int sock = connected(SOCK_STREAM, order->port), result = 366; /* setsockopt */
	void *low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_32BIT,
			 must(open(UNREAD, O_RDONLY | O_CLOEXEC), UNREAD), 0);

	if (low == MAP_FAILED)
		fail("mmap");
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(sock), "c"(IPPROTO_IP), "d"(IP_OPTIONS), "S"(low), "D"(40)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = -result;
	fail("setsockopt");
}
#endif

/* By a worker of the kernel's, which no signal reaches. */
static void ring_send(const struct order *order)
{
	struct io_uring_params params = { 0 };
	int ring = must(syscall(SYS_io_uring_setup, 4, &params), "io_uring_setup");
	char *queue = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(__u32), PROT_READ | PROT_WRITE,
			   MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entries = mmap(NULL, params.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE,
					    MAP_SHARED, ring, IORING_OFF_SQES);

	if (queue == MAP_FAILED || entries == MAP_FAILED)
		fail("mmap of a ring");
	entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_SEND,
		.flags = IOSQE_ASYNC,
		.fd = connected(SOCK_STREAM, order->port),
		.addr = (uintptr_t)map_unread(PAGE),
		.len = PAGE,
	};
	*(__u32 *)(queue + params.sq_off.array) = 0;
	__atomic_store_n((__u32 *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0), "io_uring_enter");
}

/* ---- a process that is stopped on its way ---------------------------------------------------------------------- */

/* A socket in a namespace of its own, for which a pass has to come here. */
static void own_socket(void)
{
	const struct sockaddr_in any = { AF_INET };
	int sock;

	must(unshare(CLONE_NEWNET), "unshare");
	sock = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	must(bind(sock, (const struct sockaddr *)&any, sizeof(any)), "bind");
}

static void exec_unread(const struct order *order)
{
	(void)order;
	own_socket();
	execl(UNREAD, "unread", NULL);
	fail("exec");
}

/* Close-on-exec is done when the old memory is gone already, and nobody may look at the process meanwhile. */
static void exec_unflushed(const struct order *order)
{
	(void)order;
	own_socket();
	must(open(UNFLUSHED, O_RDONLY | O_CLOEXEC), UNFLUSHED);
	execl("/bin/sleep", "sleep", "infinity", NULL);
	fail("exec");
}

static void close_unflushed(const struct order *order)
{
	(void)order;
	own_socket();
	close(must(open(UNFLUSHED, O_RDONLY | O_CLOEXEC), UNFLUSHED));
}

/* Who has the socket is stopped, while it has the lock, together with the parent that waits for it in vfork(). */
static void vfork_send(const struct order *order)
{
	int sock = connected(SOCK_STREAM, order->port);
	void *at = map_unread(PAGE);

	if (!vfork()) {
		send(sock, at, PAGE, 0);
		_exit(0);
	}
}

/* ---- much of something ------------------------------------------------------------------------------------------ */

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* N network namespaces, of which nothing is left but a socket each. */
static void spaces(const struct order *order)
{
	raise_limit();
	for (int i = 0; i < order->n; i++)
		own_socket();
	held();
}

/* N network namespaces, with a process in each. */
static void inhabited(const struct order *order)
{
	for (int i = 0; i < order->n; i++)
		if (!must(fork(), "fork")) {
			own_socket();
			held();
			pause();
		}
}

static void loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int sock = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	must(ioctl(sock, SIOCSIFFLAGS, &lo), "SIOCSIFFLAGS");
	close(sock);
}

/* N network namespaces, with a process in each that has a socket locked. */
static void held_spaces(const struct order *order)
{
	void *at = map_unread(PAGE); /* once: to open the file again would wait, too */

	for (int i = 0; i < order->n; i++)
		if (!must(fork(), "fork")) {
			must(unshare(CLONE_NEWNET), "unshare");
			loopback_up();
			send(connected(SOCK_DGRAM, order->port), at, 100, MSG_MORE);
			pause();
		}
}

static _Noreturn int parked(void *data)
{
	(void)data;
	for (;;)
		pause();
}

/* N processes with one table of descriptors, which is as large as one may be; or with one of their own each. */
static void tables(const struct order *order, int flags)
{
	struct rlimit limit;
	int file = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");

	raise_limit();
	getrlimit(RLIMIT_NOFILE, &limit);
	for (rlim_t i = 0; i < limit.rlim_max && i < 20000; i++)
		if (dup(file) < 0)
			break;
	for (int i = 0; i < order->n; i++) {
		char *stack = malloc(1 << 16);

		if (clone(parked, stack + (1 << 16), flags | SIGCHLD, NULL) < 0)
			break; /* as many as there may be */
	}
	held();
}

static void shared_table(const struct order *order)
{
	tables(order, CLONE_FILES);
}

static void own_tables(const struct order *order)
{
	tables(order, 0);
}

/* One process, of N threads. */
static void threads(const struct order *order)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	for (int i = 0; i < order->n; i++) {
		char *stack = malloc(1 << 14);

		if (!stack || clone(parked, stack + (1 << 14), flags, NULL) < 0)
			break;
	}
	held();
}

/* Processes that come and go, with sockets that come and go. */
static void churn(const struct order *order)
{
	signal(SIGCHLD, SIG_IGN);
	held();
	for (;;) {
		if (!must(fork(), "fork")) {
			for (int i = 0; i < order->n; i++)
				connected(SOCK_DGRAM, order->port);
			_exit(0);
		}
		usleep(1000);
	}
}

/* N connections that are idle at once. */
static void crowd(const struct order *order)
{
	raise_limit();
	for (int i = 0; i < order->n; i++)
		connected(SOCK_DGRAM, order->port);
	held();
}

/* N sockets at one address: of them a question finds any. */
static void group(const struct order *order)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(41000) };
	int one = 1;

	raise_limit();
	for (int i = 0; i < order->n; i++) {
		int sock = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");

		must(setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), "SO_REUSEPORT");
		must(bind(sock, (struct sockaddr *)&any, sizeof(any)), "bind");
	}
	held();
}

/* Sockets that nothing keeps but each other's queues. */
static void in_flight(const struct order *order)
{
	for (int i = 0; i < order->n; i++) {
		int ends[2], fds[3];
		char room[CMSG_SPACE(sizeof(fds))], byte = 0;
		struct iovec data = { &byte, 1 };
		struct msghdr message = {
			.msg_iov = &data,
			.msg_iovlen = 1,
			.msg_control = room,
			.msg_controllen = sizeof(room),
		};
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);

		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
		fds[0] = ends[0], fds[1] = ends[1], fds[2] = connected(SOCK_DGRAM, order->port);
		*head = (struct cmsghdr){ CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(head), fds, sizeof(fds));
		must(sendmsg(ends[0], &message, 0), "sendmsg");
		for (int k = 0; k < 3; k++)
			close(fds[k]);
	}
	held();
}

/* ---- a close that lingers ---------------------------------------------------------------------------------------- */

static void corked_linger(const struct order *order)
{
	const struct linger linger = { 1, 3600 };
	int sock = connected(SOCK_STREAM, order->port);
	static char data[1 << 20];

	setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	while (send(sock, data, sizeof(data), MSG_MORE | MSG_DONTWAIT) > 0)
		;
	held();
	close(sock);
}

static void lo_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int sock = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	must(ioctl(sock, SIOCSIFFLAGS, &lo), "SIOCSIFFLAGS");
	close(sock);
}

/* A connection with more in it than its peer reads, and the peer. */
static void fill_lingering(int ends[2])
{
	const struct linger linger = { 1, 3600 };
	struct sockaddr_in at = { AF_INET, 0, { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	static char data[1 << 16];

	must(bind(listener, (struct sockaddr *)&at, len), "bind");
	must(listen(listener, 1), "listen");
	must(getsockname(listener, (struct sockaddr *)&at, &len), "getsockname");
	ends[0] = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(connect(ends[0], (struct sockaddr *)&at, len), "connect");
	ends[1] = must(accept(listener, NULL, NULL), "accept");
	close(listener);
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	while (send(ends[0], data, sizeof(data), MSG_DONTWAIT) > 0)
		;
}

/*
 * Sockets that linger, each in a namespace that nobody is in any more, are closed at any moment: who borrows such a
 * descriptor to find the namespace may have the last one.
 */
static void linger_race(const struct order *order)
{
	(void)order;
	signal(SIGCHLD, SIG_IGN);
	held();
	for (int i = 0;; i++) {
		if (!must(fork(), "fork")) {
			int ends[2];

			must(unshare(CLONE_NEWNET), "unshare");
			lo_up();
			fill_lingering(ends);
			must(unshare(CLONE_NEWNET), "unshare");
			usleep(1000000 + i * 7919 % 3000000);
			close(ends[0]);
			_exit(0);
		}
		usleep(100000);
	}
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void covered_proc(const struct order *order)
{
	(void)order;
	own_socket();
	must(mount("none", "/proc", "tmpfs", 0, NULL), "mount");
	must(mount("/proc", "/sys", NULL, MS_BIND, NULL), "mount");
	held();
}

/* Looked for when who comes to this namespace looks for anything. */
static void unfound_root(const struct order *order)
{
	(void)order;
	own_socket();
	must(chroot(PLACE), "chroot");
	must(chdir("/"), "chdir");
	open("/unfound", O_RDONLY);
}

static void stopped(const struct order *order)
{
	connected(SOCK_STREAM, order->port);
	held();
	raise(SIGSTOP);
}

/* Into a namespace and back, all the time. */
static void to_and_fro(const struct order *order)
{
	int home = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "ns"), away, sock;

	must(unshare(CLONE_NEWNET), "unshare");
	away = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "ns");
	sock = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	held();
	(void)home, (void)sock, (void)order;
	for (;;) {
		const struct sockaddr_in any = { AF_INET };

		close(sock);
		must(unshare(CLONE_NEWNET), "unshare");
		sock = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
		must(bind(sock, (const struct sockaddr *)&any, sizeof(any)), "bind");
		must(setns(away, CLONE_NEWNET), "setns");
	}
}

/* Nothing but the file system, for others to come to. */
static void only_mount(const struct order *order)
{
	(void)order;
	puts("mounted");
	fflush(stdout);
}

static const struct way {
	const char *name;
	void (*go)(const struct order *order);
	bool root;  /* needs a right that no user has */
	bool keeps; /* has the device of its own file system, so not even SIGKILL ends it */
} ways[] = {
	{ "tcp-send", tcp_send },
	{ "tcp-send-kept", tcp_send, .keeps = true },
	{ "udp-send", udp_send },
	{ "udp-more", udp_more },
	{ "tcp-recv", tcp_recv },
	{ "sendfile", tcp_sendfile },
	{ "setsockopt", set_option },
	{ "getsockopt", get_option },
	{ "zerocopy", zerocopy },
	{ "userfault", tcp_userfault, .root = true },
	{ "userfault-user", tcp_userfault },
#ifdef __x86_64__
	{ "setsockopt-32", set_option_32 },
#endif
	{ "ring-send", ring_send },
	{ "threads", threads },
	{ "churn", churn },
	{ "crowd", crowd },
	{ "group", group },
	{ "in-flight", in_flight },
	{ "exec-unread", exec_unread },
	{ "exec-unflushed", exec_unflushed },
	{ "close-unflushed", close_unflushed },
	{ "vfork-send", vfork_send },
	{ "spaces", spaces },
	{ "inhabited", inhabited },
	{ "held-spaces", held_spaces },
	{ "shared-table", shared_table },
	{ "own-tables", own_tables },
	{ "corked-linger", corked_linger },
	{ "linger-race", linger_race },
	{ "covered-proc", covered_proc },
	{ "unfound-root", unfound_root },
	{ "stopped", stopped },
	{ "to-and-fro", to_and_fro },
	{ "mount", only_mount },
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	errno = EINVAL;
	fail(name);
}

/* Nothing it has open is the test's; and what waits does not see its input end. */
static void attack(const struct way *way, const struct order *order)
{
	pid_t pid = must(fork(), "fork");

	if (!pid) {
		way->go(order);
		for (;;)
			pause();
	}
}

int main(int argc, char **argv)
{
	const struct way *way;
	struct order order;
	char end;

	if (argc < 4) {
		fprintf(stderr, "usage: hold DEVICE WAY PORT [N]\n");
		return 2;
	}
	way = find_way(argv[2]);
	order = (struct order){ argv[1], atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 1 };
	if (!way->root) {
		become_tenant();
		mount_unanswering(order.device, way->keeps);
	}
	attack(way, &order);
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	return 0;
}
