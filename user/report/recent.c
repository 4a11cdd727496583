// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "recent.h"

void recent_add(struct recent *recent, const struct event *event)
{
	if (!recent->of)
		recent->of = mem_alloc(RECENT_MAX, sizeof(*recent->of));
	recent->of[recent->next] = *event;
	recent->next = (recent->next + 1) % RECENT_MAX;
	recent->n += recent->n < RECENT_MAX;
}

char *recent_copy(const struct recent *recent, size_t more, size_t *len)
{
	const struct event_head head = event_head(recent->n);
	size_t first = recent->next + RECENT_MAX - recent->n;
	char *copy;

	*len = sizeof(head) + recent->n * sizeof(struct event);
	copy = mem_alloc(*len + more, 1);
	memcpy(copy, &head, sizeof(head));
	for (size_t i = 0; i < recent->n; i++)
		memcpy(copy + sizeof(head) + i * sizeof(struct event), &recent->of[(first + i) % RECENT_MAX],
		       sizeof(struct event));
	return copy;
}

void recent_free(struct recent *recent)
{
	free(recent->of);
	*recent = (struct recent){ 0 };
}
