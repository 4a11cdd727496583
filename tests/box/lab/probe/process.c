// SPDX-License-Identifier: GPL-2.0-only
/* Processes, namespaces, and sockets that go from one process to another. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define MEET_MS 3000

static int step_child(struct probe *probe, int words, char **word)
{
	char answer[sizeof(probe->text)] = "";
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (!pid) {
		probe_step(probe, words - 1, word + 1, answer, sizeof(answer));
		_exit(write(ends[1], answer, sizeof(answer)) < 0);
	}
	close(ends[1]);
	if (pid > 0 && read(ends[0], answer, sizeof(answer)) > 0)
		memcpy(probe->text, answer, sizeof(answer));
	close(ends[0]);
	return pid < 0 || waitpid(pid, NULL, 0) < 0 || !*answer ? -ECHILD : 0;
}

static int step_unshare(struct probe *probe, int words, char **word)
{
	(void)probe, (void)words, (void)word;
	return outcome(unshare(CLONE_NEWUSER | CLONE_NEWNET));
}

static int step_grab(struct probe *probe, int words, char **word)
{
	int process = syscall(SYS_pidfd_open, atoi(word[1]), 0), err;

	(void)words;
	if (process < 0)
		return -errno;
	err = outcome(probe_add(probe, syscall(SYS_pidfd_getfd, process, atoi(word[2]), 0)));
	close(process);
	return err;
}

/* A message with room for one descriptor. Ties the parts together; they must outlive it. */
static struct cmsghdr *make_parcel(struct msghdr *message, struct iovec *data, char control[CMSG_SPACE(sizeof(int))])
{
	struct cmsghdr *cmsg;

	message->msg_iov = data;
	message->msg_iovlen = 1;
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(sizeof(int));
	cmsg = CMSG_FIRSTHDR(message);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	return cmsg;
}

static struct sockaddr_un meeting(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	return at;
}

/* Waits for the taker to be there. */
static int step_give(struct probe *probe, int words, char **word)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct sockaddr_un at = meeting(word[1]);
	struct msghdr message = { .msg_name = &at, .msg_namelen = sizeof(at) };
	struct iovec data = { "", 1 };
	int fd = probe_fd(probe), over = socket(AF_UNIX, SOCK_DGRAM, 0), err;
	struct cmsghdr *cmsg = make_parcel(&message, &data, control);

	(void)words;
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	for (int i = 0; i < MEET_MS / 10; i++) {
		err = outcome(sendmsg(over, &message, 0));
		if (err != -ENOENT && err != -ECONNREFUSED)
			break;
		usleep(10000);
	}
	close(over);
	return err;
}

static int receive_parcel(int over)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { 0 };
	struct iovec data = { (char[1]){ 0 }, 1 };
	struct cmsghdr *cmsg = make_parcel(&message, &data, control);
	int fd;

	if (recvmsg(over, &message, 0) < 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&message);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS) {
		errno = ENOMSG;
		return -1;
	}
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

static int step_take(struct probe *probe, int words, char **word)
{
	int over = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct sockaddr_un at = meeting(word[1]);

	(void)words;
	err = outcome(bind(over, (struct sockaddr *)&at, sizeof(at)));
	if (!err)
		err = probe_wait(over, POLLIN, MEET_MS);
	if (!err)
		err = outcome(probe_add(probe, receive_parcel(over)));
	close(over);
	unlink(word[1]);
	return err;
}

const struct step process_steps[] = {
	{ "child", "STEP            do it in a child process", 1, PROBE_WORDS - 1, step_child },
	{ "unshare", "              go into a user and a network namespace of our own", 0, 0, step_unshare },
	{ "grab", "PID NUMBER       take a descriptor out of another process", 2, 2, step_grab },
	{ "give", "PATH             send the current socket to who takes it there", 1, 1, step_give },
	{ "take", "PATH", 1, 1, step_take },
	{ 0 },
};
