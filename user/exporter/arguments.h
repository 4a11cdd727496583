/* SPDX-License-Identifier: GPL-2.0-only */
/* What the exporter is told on its command line, and what its help and its manual page say of it. */
#ifndef SW_ARGUMENTS_H
#define SW_ARGUMENTS_H

#include "options.h"
#include "snapshot.h"

#define EXPORTER_LISTEN "127.0.0.1:10798" /* what each tenant sends is not for everybody */

/* id, letter or 0, name, what it takes or NULL, help */
#define EXPORTER_OPTIONS(X)                                                                                            \
	X(ADDRESS, 0, "web.listen-address", "ADDRESS",                                                                 \
	  "where to listen: :PORT, IPV4:PORT or [IPV6]:PORT (default " EXPORTER_LISTEN ")")                            \
	X(SYSTEMD, 0, "web.systemd-socket", NULL, "listen on the socket systemd passes instead")                       \
	X(PATH, 0, "web.telemetry-path", "PATH", "where the metrics are (default /metrics)")                           \
	X(SOCKET, 0, "socket", "PATH", "the daemon's socket (default " SW_SOCKET ")")                                  \
	X(TENANTS, 0, "tenants", "all|top:N|off", "whose metrics to show one by one (default all)")                    \
	X(TEXTFILE, 0, "textfile", "PATH.prom", "write the metrics to a file for node_exporter, once, and exit")       \
	X(ONCE, 0, "once", NULL, "print the metrics and exit")                                                         \
	X(HELP, 'h', "help", NULL, "show this help")                                                                   \
	X(VERSION, 0, "version", NULL, "show the version")

extern const struct option_table exporter_options;
extern const char exporter_more[]; /* lines of --help behind the options */

#endif
