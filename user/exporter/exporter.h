/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of sockwarden-exporter share. */
#ifndef SW_EXPORTER_H
#define SW_EXPORTER_H

#include <stddef.h>
#include <stdio.h>

#include "fault.h"
#include "metrics.h"

struct exporter {
	const char *socket; /* the daemon's */
	const char *path;   /* where the metrics are served */
	size_t tenants;     /* as scrape_write() takes it */
};

/*
 * Asks the daemon, and writes the metrics to `out`. If it does not answer, why is in `down` (else empty), and the
 * metrics say so. 0, or -errno and `fault`.
 */
int exporter_scrape(const struct exporter *exporter, enum metrics_format format, FILE *out, struct fault *down,
		    struct fault *fault);

/*
 * A listening socket on ":9", "127.0.0.1:9" or "[::1]:9", port 0 being any; or the one systemd passed to this
 * process. A descriptor, or -errno.
 */
int listen_on(const char *address, struct fault *fault);
int listen_passed(struct fault *fault);

/* Where the socket listens, for people. */
const char *listen_name(int fd, char *text, size_t size);

/* Serves until SIGTERM or SIGINT. Takes the socket. 0 or -errno. */
int serve(const struct exporter *exporter, int fd, struct fault *fault);

#endif
