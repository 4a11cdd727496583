// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pins.h"

#define PAUSE 20 /* ms between two tries */

int host_lock(struct host *host, unsigned ms, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000 };

	host->lock = open(SW_PINS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (host->lock < 0)
		return fault_set(fault, errno, SW_PINS ": %s", strerror(errno));
	for (unsigned waited = 0; waited <= ms; waited += PAUSE) {
		if (!flock(host->lock, LOCK_EX | LOCK_NB)) {
			host_refresh(host);
			host->settled = false;
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	host_unlock(host);
	return fault_set(fault, EBUSY,
			 "another sockwarden has been changing the state for %u s: try again when it is done",
			 ms / 1000);
}

void host_unlock(struct host *host)
{
	if (host->lock >= 0)
		close(host->lock);
	host->lock = -1;
}

/* host_booked() holds it for a moment. */
#define CLAIM_TRIES 10

int host_claim(struct host *host, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000 };
	int err;

	host->booking = open(PINS_TENANTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (host->booking < 0)
		return fault_set(fault, errno, PINS_TENANTS ": %s", strerror(errno));
	for (int i = 0; i < CLAIM_TRIES; i++) {
		if (!flock(host->booking, LOCK_EX | LOCK_NB))
			return 0;
		nanosleep(&pause, NULL);
	}
	err = fault_set(fault, EBUSY, "another sockwarden daemon books on this host: end that one first");
	host_disclaim(host);
	return err;
}

void host_disclaim(struct host *host)
{
	if (host->booking >= 0)
		close(host->booking);
	host->booking = -1;
}

bool host_booked(void)
{
	int fd = open(PINS_TENANTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool booked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB);

	if (fd >= 0)
		close(fd);
	return booked;
}

int host_changes(struct fault *fault)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd >= 0 && inotify_add_watch(fd, PINS_TENANTS, IN_ATTRIB | IN_ONLYDIR) >= 0)
		return fd;
	fault_set(fault, errno, "cannot watch " PINS_TENANTS ": %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -EIO;
}

/* What the folder of the tenants' links is touched for says nothing of them, and nothing depends on it. */
void host_announce(void)
{
	(void)utimensat(AT_FDCWD, PINS_TENANTS, NULL, 0);
}
