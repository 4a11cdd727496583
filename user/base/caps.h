/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving up capabilities, for good. */
#ifndef SW_CAPS_H
#define SW_CAPS_H

#include <linux/capability.h>
#include <linux/types.h>

#include "fault.h"

#define CAP_BIT(cap) (1ULL << (cap))

/* No program that is run from here on gets others than `wanted`, bits CAP_BIT(). 0 or -errno. */
int caps_bound(__u64 wanted, struct fault *fault);

/*
 * Keeps of `wanted` what there is, a service manager may have given less, and bounds by it what is run. 0 or -errno.
 */
int caps_keep(__u64 wanted, struct fault *fault);

#endif
