// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "walk.h"

#define READ_AT_ONCE 65536 /* bytes: more than the kernel keeps for a reader, 8 pages of 4 KiB */

static bool one_alone(const struct walking *walking)
{
	return walking->process || walking->thread;
}

static int open_walk(const struct host *host, const struct walking *walking, struct fault *fault)
{
	union bpf_iter_link_info info = { 0 };
	LIBBPF_OPTS(bpf_link_create_opts, options);
	int link, fd;

	if (walking->walk == WALK_SURVEY) {
		info.map.map_fd = host->map[MAP_socks];
	} else {
		info.task.pid = walking->process;
		info.task.tid = walking->thread;
	}
	if (walking->walk == WALK_SURVEY || one_alone(walking)) {
		options.iter_info = &info;
		options.iter_info_len = sizeof(info);
	}
	link = bpf_link_create(host->walk[walking->walk], 0, BPF_TRACE_ITER, &options);
	if (link < 0)
		return fault_set(fault, errno, "cannot attach an iterator: %s", strerror(errno));
	fd = bpf_iter_create(link);
	if (fd < 0)
		fault_set(fault, errno, "cannot make an iterator: %s", strerror(errno));
	close(link);
	return fd < 0 ? -errno : fd;
}

/* Nanoseconds that this thread has been ready and others had the processor; 0 where the kernel keeps no account. */
static __u64 kept_waiting(int schedstat)
{
	unsigned long long ns = 0;
	char text[96];
	ssize_t len = pread(schedstat, text, sizeof(text) - 1, 0);

	if (len > 0) {
		text[len] = '\0';
		sscanf(text, "%*u %llu", &ns);
	}
	return ns;
}

/*
 * The kernel walks in read(), until our programs say that it is enough: then it says EAGAIN. So the processor is not
 * held for longer than that lasts, less what others had of it meanwhile. Our processor time would be too little, where
 * a machine under this one takes some for itself.
 */
static ssize_t read_on(const struct walking *walking, int schedstat, int fd, void *records, size_t size)
{
	__u64 waited = kept_waiting(schedstat), since = clock_ns(CLOCK_MONOTONIC), held;
	ssize_t len = read(fd, records, size);
	int err = errno;

	held = clock_ns(CLOCK_MONOTONIC) - since;
	waited = kept_waiting(schedstat) - waited;
	held -= waited < held ? waited : held;
	if (held > *walking->held)
		*walking->held = held;
	errno = err;
	return len;
}

/* Once for each process of ours: a thread's own file says nothing of another one. */
static int open_schedstat(const struct walking *walking)
{
	return walking->held ? open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC) : -1;
}

/* What was looked for by its number may have ended. */
static bool is_gone(const struct walking *walking, int err)
{
	return one_alone(walking) && (err == -ESRCH || err == -ENOENT || err == -EINVAL);
}

int walk(const struct host *host, const struct walking *walking, struct fault *fault)
{
	static char records[READ_AT_ONCE];
	size_t room = sizeof(records) / walking->size * walking->size;
	int fd = open_walk(host, walking, fault), schedstat, err = 0;
	ssize_t len;

	if (fd < 0)
		return is_gone(walking, fd) ? 0 : fd;
	schedstat = open_schedstat(walking);
	do {
		len = walking->held ? read_on(walking, schedstat, fd, records, room) : read(fd, records, room);
		for (ssize_t at = 0; walking->each && at + (ssize_t)walking->size <= len; at += walking->size)
			walking->each(walking->data, records + at);
	} while (len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR)));
	if (len < 0)
		err = fault_set(fault, errno, "cannot go on over the sockets: %s", strerror(errno));
	if (schedstat >= 0)
		close(schedstat);
	close(fd);
	return err;
}
