// SPDX-License-Identifier: GPL-2.0-only
/* connect() without a system call of that name. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

struct ring {
	int fd;
	struct io_uring_params params;
	char *sq, *cq; /* the rings, as io_uring_setup(2) lays them out */
	struct io_uring_sqe *sqe;
};

static void *ring_map(const struct ring *ring, size_t len, off_t at)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, at);
}

static int ring_open(struct ring *ring)
{
	const struct io_uring_params *p = &ring->params;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(__NR_io_uring_setup, 1, &ring->params);
	if (ring->fd < 0)
		return -errno;
	ring->sq = ring_map(ring, p->sq_off.array + p->sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	ring->cq = ring_map(ring, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring->sqe = ring_map(ring, p->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	return ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || (void *)ring->sqe == MAP_FAILED ? -ENOMEM : 0;
}

/* Submits the one entry and waits for its result. */
static int ring_do(struct ring *ring)
{
	const struct io_uring_params *p = &ring->params;

	*(uint32_t *)(ring->sq + p->sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(ring->sq + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	return ((struct io_uring_cqe *)(ring->cq + p->cq_off.cqes))->res;
}

static int step_uring_connect(struct probe *probe, int words, char **word)
{
	struct ring ring;
	struct peer peer;
	int err = peer_parse(word[1], word[2], &peer);

	(void)words;
	if (!err)
		err = ring_open(&ring);
	if (err)
		return err;
	ring.sqe->opcode = IORING_OP_CONNECT;
	ring.sqe->fd = probe_fd(probe);
	ring.sqe->addr = (uintptr_t)&peer.sa;
	ring.sqe->off = peer.len;
	err = ring_do(&ring);
	close(ring.fd);
	return err;
}

const struct step uring_steps[] = {
	{ "uring-connect", "ADDRESS PORT", 2, 2, step_uring_connect },
	{ 0 },
};
