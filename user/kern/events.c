// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "events.h"
#include "mem.h"

#define MOST 4096 /* records in one call: more than the ring has; but while we read there come others */

struct events {
	struct ring_buffer *ring;
	size_t taken; /* in this call */
	int lock;
	void (*each)(const struct event *event, void *data);
	void *data;
};

/* The boot clock's reading in milliseconds since 1970, by the clock as it is now. */
static __s64 date_of(__u64 ns)
{
	return (clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) + (__s64)ns) / 1000000;
}

static int take(void *data, void *record, size_t len)
{
	struct events *events = data;
	struct event event = { 0 };

	if (len < sizeof(event.of))
		return 0;
	memcpy(&event.of, record, sizeof(event.of));
	event.time = date_of(event.of.ns);
	events->each(&event, events->data);
	return ++events->taken < MOST ? 0 : -EAGAIN;
}

/* A second reader would take records away from the first, and each would miss what the other saw. */
static int lock_ring(struct fault *fault)
{
	int fd = open(SW_PINS "/host", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fault_set(fault, errno, SW_PINS "/host: %s", strerror(errno));
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return fault_set(fault, EBUSY,
			 "the daemon or another 'sockwarden log' reads the denials already: look at its output");
}

struct events *events_open(const struct host *host, void (*each)(const struct event *event, void *data), void *data,
			   struct fault *fault)
{
	struct events *events;
	int lock = lock_ring(fault);

	if (lock < 0)
		return NULL;
	events = mem_alloc(1, sizeof(*events));
	*events = (struct events){ .lock = lock, .each = each, .data = data };
	events->ring = ring_buffer__new(host->map[MAP_events], take, events, NULL);
	if (events->ring)
		return events;
	fault_set(fault, errno, "cannot read the ring of denials: %s", strerror(errno));
	events_close(events);
	return NULL;
}

int events_read(struct events *events, int timeout)
{
	int n;

	events->taken = 0;
	n = ring_buffer__poll(events->ring, timeout);
	return n < 0 && n != -EAGAIN ? n : 0;
}

int events_fd(const struct events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

void events_close(struct events *events)
{
	ring_buffer__free(events->ring);
	close(events->lock);
	free(events);
}
