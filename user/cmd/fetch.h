/* SPDX-License-Identifier: GPL-2.0-only */
/* What is at a URL, fetched by a process that has no rights. */
#ifndef SW_FETCH_H
#define SW_FETCH_H

#include <stddef.h>

/* At most SW_FILE_MAX bytes, with a NUL behind them, to be freed; or NULL, and why has been said. */
char *fetch(const char *url, size_t *len);

#endif
