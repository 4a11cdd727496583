/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The images of all tenants, compiled again from their policies' sources for maps of another layout, under the numbers
 * and serials that the tenants have already.
 */
#ifndef SW_RENEW_H
#define SW_RENEW_H

#include "host.h"

/*
 * Into the maps of `next`, which is not in force yet and has the tenants' storage and records. -EINVAL: a policy cannot
 * be read, or two sources of one image are not the same any more.
 */
int renew_images(struct host *next, struct fault *fault);

/*
 * Gives them serials of their own, once only the new programs are in force: their sources may have changed since they
 * were last read, so what sockets were approved for is asked again. May be done again. 0 or -errno.
 */
int renew_serials(struct host *next, struct fault *fault);

#endif
