// SPDX-License-Identifier: GPL-2.0-only
/* Namespaces that are kept by something different each, and which of them are found. */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "feature.h"

#define MANY 40 /* namespaces kept by one process */

enum kind {
	PROCESS,     /* which lives in it */
	THREAD,      /* of a process that lives elsewhere */
	LAST_THREAD, /* likewise, and the process's first thread has ended */
	MOUNT,
	SOCKET,  /* of a process that lives elsewhere */
	FLIGHT,  /* a socket on its way in a message */
	NOTHING, /* it has ended */
	KINDS,
};

/* What a child says of the namespace it has made. */
struct word {
	struct netns space;
	__u64 file;     /* inode of a socket that was made there, or 0 */
	int handle_len; /* 0: the kernel has no handles */
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	};
};

struct scene {
	struct netns home, of[KINDS];
	__u64 file[KINDS];
	bool reached; /* the kernel itself opens, by its own handle, the one in FLIGHT */
	pid_t child[KINDS];
	int pair[2];
	char mount[32];
	struct fault fault;
};

static struct word describe(void)
{
	struct word word = { .space = current_netns(), .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	if (!name_to_handle_at(AT_FDCWD, "/proc/thread-self/ns/net", &word.handle, &mount, AT_SYMLINK_FOLLOW))
		word.handle_len = (int)word.handle.handle_bytes;
	return word;
}

static void say(int to, const struct word *word)
{
	if (write(to, word, sizeof(*word)) != sizeof(*word))
		abort();
}

struct thread {
	enum kind kind;
	int to;
};

static void *live_in_thread(void *argument)
{
	const struct thread *self = argument;
	struct word word;
	char link[64];

	new_netns();
	word = describe();
	while (self->kind == LAST_THREAD && readlink("/proc/self/ns/net", link, sizeof(link)) >= 0)
		usleep(1000);
	say(self->to, &word);
	pause();
	return NULL;
}

static void live_beside_thread(enum kind kind, int to)
{
	static struct thread argument;
	pthread_t thread;

	argument = (struct thread){ kind, to };
	if (pthread_create(&thread, NULL, live_in_thread, &argument))
		abort();
	if (kind == LAST_THREAD)
		syscall(SYS_exit, 0); /* of this thread alone */
	pause();
}

static void send_socket(int through, int sock)
{
	char control[CMSG_SPACE(sizeof(sock))] = { 0 }, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	*rights = (struct cmsghdr){ CMSG_LEN(sizeof(sock)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(rights), &sock, sizeof(sock));
	if (sendmsg(through, &message, 0) != 1)
		abort();
}

/* And leaves it open; its inode. */
static __u64 make_socket(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM, 0);
	struct stat stat;

	if (sock < 0 || fstat(sock, &stat))
		abort();
	return stat.st_ino;
}

static void live(enum kind kind, int to, int through)
{
	struct fault fault;
	struct word word;
	int home = netns_home(&fault);

	if (kind == THREAD || kind == LAST_THREAD)
		live_beside_thread(kind, to);
	new_netns();
	word = describe();
	if (kind == SOCKET) {
		word.file = make_socket();
		if (netns_leave(home, &fault))
			abort();
	}
	if (kind == FLIGHT)
		send_socket(through, socket(AF_INET, SOCK_DGRAM, 0));
	close(home);
	say(to, &word);
	if (kind == PROCESS || kind == SOCKET || kind == MOUNT)
		pause();
	_exit(0);
}

static void end_child(pid_t *child)
{
	if (*child > 0) {
		kill(*child, SIGKILL);
		waitpid(*child, NULL, 0);
	}
	*child = 0;
}

static pid_t start(void (*main)(enum kind, int to, int through), enum kind kind, int through, int *from)
{
	int pipe_of[2];
	pid_t child;

	assert_int_equal(pipe2(pipe_of, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		main(kind, pipe_of[1], through);
	}
	close(pipe_of[1]);
	*from = pipe_of[0];
	return child;
}

static void keep_mounted(struct scene *scene)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", scene->child[MOUNT]);
	strcpy(scene->mount, "/tmp/netns-XXXXXX");
	close(mkstemp(scene->mount));
	assert_int_equal(mount(path, scene->mount, NULL, MS_BIND, NULL), 0);
	end_child(&scene->child[MOUNT]);
}

static bool kernel_reaches(struct word *word)
{
	int home, fd;
	struct fault fault;

	if (!word->handle_len)
		return false;
	home = netns_home(&fault);
	fd = open_by_handle_at(home, &word->handle, O_RDONLY | O_CLOEXEC);
	close(home);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void make(struct scene *scene, enum kind kind)
{
	struct word word;
	int from;

	scene->child[kind] = start(live, kind, scene->pair[1], &from);
	assert_int_equal(read(from, &word, sizeof(word)), sizeof(word));
	close(from);
	scene->of[kind] = word.space;
	scene->file[kind] = word.file;
	scene->of[kind].files = &scene->file[kind];
	scene->of[kind].n_files = 1;
	if (kind == FLIGHT || kind == NOTHING) {
		waitpid(scene->child[kind], NULL, 0);
		scene->child[kind] = 0;
	}
	if (kind == MOUNT)
		keep_mounted(scene);
	if (kind == FLIGHT)
		scene->reached = kernel_reaches(&word);
}

static int scene_begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	*state = scene;
	scene->home = current_netns();
	unsetenv("SOCKWARDEN_WITHOUT");
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, scene->pair))
		return -1;
	for (enum kind kind = 0; kind < KINDS; kind++)
		make(scene, kind);
	return 0;
}

static int scene_end(void **state)
{
	struct scene *scene = *state;

	for (enum kind kind = 0; kind < KINDS; kind++)
		end_child(&scene->child[kind]);
	umount2(scene->mount, MNT_DETACH);
	unlink(scene->mount);
	close(scene->pair[0]);
	close(scene->pair[1]);
	free(scene);
	return 0;
}

static int open_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(files))
		n++;
	closedir(files);
	return n;
}

static void assert_home(const struct scene *scene)
{
	assert_true(current_netns().cookie == scene->home.cookie);
}

/* That the descriptor is of the namespace that was asked for. */
static void assert_is(struct scene *scene, const struct netns *space)
{
	int home = netns_home(&scene->fault);

	assert_int_equal(fcntl(space->fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(netns_enter(space, &scene->fault), 0);
	assert_true(current_netns().cookie == space->cookie);
	assert_int_equal(netns_leave(home, &scene->fault), 0);
	assert_home(scene);
	close(home);
}

static void assert_finds(struct scene *scene, const bool expected[KINDS])
{
	int files = open_files(), found = netns_open_all(scene->of, KINDS, &scene->fault), n = 0;

	assert_home(scene);
	for (enum kind kind = 0; kind < KINDS; kind++) {
		if (expected[kind] != (scene->of[kind].fd >= 0))
			fail_msg("kind %d: %d", kind, scene->of[kind].fd);
		if (expected[kind])
			assert_is(scene, &scene->of[kind]);
		n += expected[kind];
	}
	assert_int_equal(found, n);
	assert_int_equal(open_files(), files + n);
	netns_close_all(scene->of, KINDS);
	assert_int_equal(open_files(), files);
}

static const bool by_looking[KINDS] = {
	[PROCESS] = true, [THREAD] = true, [LAST_THREAD] = true, [MOUNT] = true, [SOCKET] = true,
};

static void with_handles(void **state)
{
	struct scene *scene = *state;
	bool expected[KINDS];

	memcpy(expected, by_looking, sizeof(expected));
	expected[FLIGHT] = scene->reached;
	assert_finds(scene, expected);
}

static void without_handles(void **state)
{
	setenv("SOCKWARDEN_WITHOUT", "watches,namespace-handles", 1);
	assert_finds(*state, by_looking);
}

/* Sockets are known by their inodes: without one, or with another's, there is nothing to look for. */
static void without_its_file(void **state)
{
	struct scene *scene = *state;
	bool expected[KINDS];

	memcpy(expected, by_looking, sizeof(expected));
	expected[SOCKET] = false;
	setenv("SOCKWARDEN_WITHOUT", "namespace-handles", 1);
	scene->of[SOCKET].n_files = 0;
	assert_finds(scene, expected);
	scene->of[SOCKET].n_files = 1;
	scene->file[SOCKET]++;
	assert_finds(scene, expected);
	scene->file[SOCKET]--;
	assert_finds(scene, by_looking);
}

static void our_own(void **state)
{
	struct scene *scene = *state;

	for (int with = 0; with < 2; with++) {
		assert_int_equal(netns_open_all(&scene->home, 1, &scene->fault), 1);
		assert_is(scene, &scene->home);
		netns_close_all(&scene->home, 1);
		setenv("SOCKWARDEN_WITHOUT", "namespace-handles", 1);
	}
}

static void none_at_all(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(netns_open_all(NULL, 0, &scene->fault), 0);
}

/* The inode of one that has ended was given to another; and a number that nobody has. */
static void an_inode_is_not_enough(void **state)
{
	struct scene *scene = *state;

	for (int with = 0; with < 2; with++) {
		for (enum kind kind = 0; kind < FLIGHT; kind++) {
			struct netns was[] = { { scene->of[NOTHING].cookie, scene->of[kind].inode },
					       scene->of[kind],
					       { ~0ULL, scene->of[kind].inode } };

			assert_int_equal(netns_open_all(was, COUNT(was), &scene->fault), 1);
			assert_is(scene, &was[1]);
			netns_close_all(was, COUNT(was));
		}
		setenv("SOCKWARDEN_WITHOUT", "namespace-handles", 1);
	}
}

static void a_cookie_is_not_enough(void **state)
{
	struct scene *scene = *state;

	for (int with = 0; with < 2; with++) {
		for (enum kind kind = 0; kind < KINDS; kind++) {
			struct netns wrong[] = { { scene->of[kind].cookie, scene->home.inode },
						 { scene->of[kind].cookie, 1 } };

			assert_int_equal(netns_open_all(wrong, COUNT(wrong), &scene->fault), 0);
			netns_close_all(wrong, COUNT(wrong));
		}
		setenv("SOCKWARDEN_WITHOUT", "namespace-handles", 1);
	}
}

/* Once everything is closed, a namespace that nothing else keeps is not to be found any more. */
static void nothing_is_kept(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(netns_open_all(&scene->of[PROCESS], 1, &scene->fault), 1);
	end_child(&scene->child[PROCESS]);
	assert_is(scene, &scene->of[PROCESS]);
	netns_close_all(&scene->of[PROCESS], 1);
	assert_int_equal(netns_open_all(&scene->of[PROCESS], 1, &scene->fault), 0);
}

static void a_thread_that_stays_away_is_an_error(void **state)
{
	struct scene *scene = *state;
	struct fault fault = { "" };

	assert_int_equal(netns_leave(-1, &fault), -EBADF);
	assert_non_null(strstr(fault.text, "cannot go back"));
	assert_int_equal(netns_enter(&(struct netns){ .fd = -1 }, &fault), -EBADF);
	assert_home(scene);
}

static void churn(enum kind kind, int to, int through)
{
	(void)kind, (void)to, (void)through;
	while (1) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

static void while_processes_come_and_go(void **state)
{
	struct scene *scene = *state;
	pid_t child[2];
	int from[2];

	for (int i = 0; i < 2; i++)
		child[i] = start(churn, KINDS, -1, &from[i]);
	setenv("SOCKWARDEN_WITHOUT", "namespace-handles", 1);
	for (int i = 0; i < 20; i++)
		assert_finds(scene, by_looking);
	for (int i = 0; i < 2; i++) {
		end_child(&child[i]);
		close(from[i]);
	}
}

/* Each kept by a socket of one process. */
static void live_in_many(enum kind kind, int to, int through)
{
	struct fault fault;
	struct word word;
	int home = netns_home(&fault);

	(void)kind, (void)through;
	for (int i = 0; i < MANY; i++) {
		new_netns();
		word = describe();
		word.file = make_socket();
		say(to, &word);
	}
	netns_leave(home, &fault);
	say(to, &word);
	pause();
}

static pid_t make_many(struct netns many[MANY])
{
	static __u64 files[MANY];
	struct word word;
	int from;
	pid_t child = start(live_in_many, KINDS, -1, &from);

	for (int i = 0; i <= MANY; i++) {
		assert_int_equal(read(from, &word, sizeof(word)), sizeof(word));
		if (i == MANY)
			break;
		files[i] = word.file;
		many[i] = word.space;
		many[i].files = &files[i];
		many[i].n_files = 1;
	}
	close(from);
	return child;
}

static void the_limit_of_open_files_is_raised(void **state)
{
	struct scene *scene = *state;
	struct rlimit was, low;
	struct netns many[MANY];
	pid_t child = make_many(many);

	getrlimit(RLIMIT_NOFILE, &was);
	low = (struct rlimit){ open_files() + 10, was.rlim_max };
	for (int with = 0; with < 2; with++) {
		setrlimit(RLIMIT_NOFILE, &low);
		assert_int_equal(netns_open_all(many, MANY, &scene->fault), MANY);
		netns_close_all(many, MANY);
		setrlimit(RLIMIT_NOFILE, &was);
		setenv("SOCKWARDEN_WITHOUT", "namespace-handles", 1);
	}
	end_child(&child);
}

/* In a process of its own, for a limit that cannot be raised stays. */
static int open_under_limit(struct scene *scene, struct netns many[MANY])
{
	int files = open_files();
	const struct rlimit low = { files + 10, files + 10 };
	int found;

	setrlimit(RLIMIT_NOFILE, &low);
	found = netns_open_all(many, MANY, &scene->fault);
	return found == -EMFILE && strstr(scene->fault.text, "cannot open all network namespaces") &&
			       open_files() == files && many[0].fd == -1 && current_netns().cookie == scene->home.cookie
		       ? 0
		       : 1;
}

static void what_does_not_fit_is_an_error(void **state)
{
	struct scene *scene = *state;
	struct netns many[MANY];
	pid_t child = make_many(many);

	for (int with = 0; with < 2; with++) {
		pid_t limited = fork();
		int status;

		if (!limited)
			_exit(open_under_limit(scene, many));
		waitpid(limited, &status, 0);
		assert_int_equal(status, 0);
		setenv("SOCKWARDEN_WITHOUT", "namespace-handles", 1);
	}
	end_child(&child);
}

static void features_by_name(void **state)
{
	static const struct {
		const char *value, *name;
		bool without;
	} cases[] = {
		{ "watches", "watches", true },
		{ "watches,netlink-destroy", "watches", true },
		{ "watches,netlink-destroy", "netlink-destroy", true },
		{ ",,netlink-destroy,", "netlink-destroy", true },
		{ "watches,netlink-destroy", "sock", false },
		{ "sock", "netlink-destroy", false },
		{ "", "watches", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		setenv("SOCKWARDEN_WITHOUT", cases[i].value, 1);
		assert_int_equal(feature_without(cases[i].name), cases[i].without);
	}
	unsetenv("SOCKWARDEN_WITHOUT");
	assert_false(feature_without("watches"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(with_handles),
		TEST(without_handles),
		TEST(without_its_file),
		TEST(our_own),
		TEST(none_at_all),
		TEST(an_inode_is_not_enough),
		TEST(a_cookie_is_not_enough),
		TEST(nothing_is_kept),
		TEST(a_thread_that_stays_away_is_an_error),
		TEST(while_processes_come_and_go),
		TEST(the_limit_of_open_files_is_raised),
		TEST(what_does_not_fit_is_an_error),
		cmocka_unit_test(features_by_name),
	};

	own_world();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
