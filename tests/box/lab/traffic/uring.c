// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "traffic.h"

struct ring {
	int fd;
	struct io_uring_params params;
	char *sq, *cq; /* the rings, as io_uring_setup(2) lays them out */
	struct io_uring_sqe *sqe;
	uint32_t sent;
};

static void *ring_map(const struct ring *ring, size_t len, off_t at)
{
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, at);

	must("mmap", map == MAP_FAILED ? -1 : 0);
	return map;
}

static void ring_open(struct ring *ring)
{
	const struct io_uring_params *p = &ring->params;

	ring->fd = must("io_uring_setup", syscall(__NR_io_uring_setup, 1, &ring->params));
	ring->sq = ring_map(ring, p->sq_off.array + p->sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	ring->cq = ring_map(ring, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring->sqe = ring_map(ring, p->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
}

/* Submits the one entry and waits for its result. */
static int ring_do(struct ring *ring)
{
	const struct io_uring_params *p = &ring->params;
	const struct io_uring_cqe *cqe = (const void *)(ring->cq + p->cq_off.cqes);
	uint32_t head = ring->sent++;

	*(uint32_t *)(ring->sq + p->sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(ring->sq + p->sq_off.tail), ring->sent, __ATOMIC_RELEASE);
	must("io_uring_enter", syscall(__NR_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	head &= p->cq_entries - 1;
	__atomic_store_n((uint32_t *)(ring->cq + p->cq_off.head), ring->sent, __ATOMIC_RELEASE);
	return cqe[head].res;
}

ssize_t uring_send(int fd, const void *buf, size_t len)
{
	static struct ring ring;
	int ret;

	if (!ring.sq)
		ring_open(&ring);
	memset(ring.sqe, 0, sizeof(*ring.sqe));
	ring.sqe->opcode = IORING_OP_SEND;
	ring.sqe->fd = fd;
	ring.sqe->addr = (uintptr_t)buf;
	ring.sqe->len = len;
	ret = ring_do(&ring);
	if (ret < 0)
		errno = -ret;
	return ret < 0 ? -1 : ret;
}
