/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel offers and we are told to do without, so that what stands in for it can be tried on any kernel. */
#ifndef SW_FEATURE_H
#define SW_FEATURE_H

#include <stdbool.h>

/* Whether `name` is one of those in the environment variable SOCKWARDEN_WITHOUT, which a comma separates. */
bool feature_without(const char *name);

#endif
