// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "event.h"

struct event_head event_head(__u32 kept)
{
	struct event_head head = { .magic = "swlog1", .size = sizeof(struct event), .kept = kept };

	_Static_assert(sizeof(SW_VERSION) <= sizeof(head.version), "the version fits");
	memcpy(head.version, SW_VERSION, sizeof(SW_VERSION));
	return head;
}

int event_head_check(const struct event_head *head, struct fault *fault)
{
	const struct event_head ours = event_head(head->kept);

	if (!memcmp(head, &ours, sizeof(ours)))
		return 0;
	return fault_set(fault, EBADMSG,
			 "the daemon's answer is not of sockwarden " SW_VERSION
			 ": restart whichever of the two is the older build");
}
