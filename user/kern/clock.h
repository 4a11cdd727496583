/* SPDX-License-Identifier: GPL-2.0-only */
/* What the time is by one of the kernel's clocks. What is pure is told. */
#ifndef SW_CLOCK_H
#define SW_CLOCK_H

#include <linux/types.h>
#include <time.h>

static inline __s64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline __s64 clock_ms(clockid_t clock)
{
	return clock_ns(clock) / 1000000;
}

#endif
