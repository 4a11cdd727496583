// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <unistd.h>

#include "store.h"

static int open_as(struct ledger **ledger, const char *path, enum ledger_for purpose, __u64 id, struct fault *fault)
{
	struct ledger *opened = mem_alloc(1, sizeof(*opened));
	int err;

	*opened = (struct ledger){ .path = mem_strdup(path), .purpose = purpose, .id = id, .lock = -1 };
	err = store_connect(opened, fault);
	if (err)
		ledger_close(opened);
	else
		*ledger = opened;
	return err;
}

int ledger_open(struct ledger **ledger, const char *path, enum ledger_for purpose, struct fault *fault)
{
	return open_as(ledger, path, purpose, 0, fault);
}

int ledger_resume(struct ledger **ledger, const char *path, __u64 id, struct fault *fault)
{
	return open_as(ledger, path, LEDGER_BOOKING, id, fault);
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	store_disconnect(ledger);
	if (ledger->lock >= 0)
		close(ledger->lock);
	free(ledger->statements.v);
	free(ledger->path);
	free(ledger);
}

__u64 ledger_id(const struct ledger *ledger)
{
	return ledger->id;
}
