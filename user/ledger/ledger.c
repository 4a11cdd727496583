// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <unistd.h>

#include "store.h"

int ledger_open(struct ledger **ledger, const char *path, enum ledger_for purpose, struct fault *fault)
{
	struct ledger *opened = mem_alloc(1, sizeof(*opened));
	int err;

	*opened = (struct ledger){ .path = mem_strdup(path), .purpose = purpose, .lock = -1 };
	err = store_connect(opened, fault);
	if (err)
		ledger_close(opened);
	else
		*ledger = opened;
	return err;
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
