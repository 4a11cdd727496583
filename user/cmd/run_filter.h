/* SPDX-License-Identifier: GPL-2.0-only */
/* The filter of system calls that a command runs under. */
#ifndef SW_RUN_FILTER_H
#define SW_RUN_FILTER_H

#include "abi.h"
#include "fault.h"

struct run_filter {
	void *of; /* libseccomp's; NULL: the policy asks for none */
};

/* As the policy says. 0 or -errno; to be freed with run_filter_free(), also after an error. */
int run_filter_make(struct run_filter *filter, const struct sw_settings *settings, struct fault *fault);
void run_filter_free(struct run_filter *filter);

/* From now on, for this process and all that it starts; while it is root. 0 or -errno. */
int run_filter_install(const struct run_filter *filter);

#endif
