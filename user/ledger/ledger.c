// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <unistd.h>

#include "store.h"

static struct ledger *new_ledger(const char *path, enum ledger_for purpose, __u64 id)
{
	struct ledger *ledger = mem_alloc(1, sizeof(*ledger));

	*ledger = (struct ledger){ .path = mem_strdup(path), .purpose = purpose, .id = id, .lock = -1 };
	return ledger;
}

int ledger_open(struct ledger **ledger, const char *path, enum ledger_for purpose, struct fault *fault)
{
	struct ledger *opened = new_ledger(path, purpose, 0);
	int err = store_connect(opened, fault);

	if (err)
		ledger_close(opened);
	else
		*ledger = opened;
	return err;
}

int ledger_resume(struct ledger **ledger, const char *path, __u64 id, struct fault *fault)
{
	*ledger = new_ledger(path, LEDGER_BOOKING, id);
	return store_connect(*ledger, fault);
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
