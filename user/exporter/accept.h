/* SPDX-License-Identifier: GPL-2.0-only */
/* Which text a scraper wants, by its Accept header. */
#ifndef SW_ACCEPT_H
#define SW_ACCEPT_H

#include "metrics.h"

struct media {
	const char *type, *version; /* version NULL: any */
	const char *header;         /* of the answer */
	enum metrics_format format;
};

/* What is preferred of what we have: the plain text if nothing says otherwise, and if nothing we have is accepted. */
const struct media *accept_choose(const char *header);

#endif
